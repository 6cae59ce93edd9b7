#!/usr/bin/env bash
# Makes a site of docs/ in artifacts/docs, with docfx; a link that leads nowhere fails it.
# Usage: build/docs.sh
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -eq 0 ] || { echo "usage: build/docs.sh" >&2; exit 1; }
docfx=artifacts/docfx
[ -x "$docfx/docfx" ] || dotnet tool install docfx --version 2.81.0 --tool-path "$docfx"
rm -rf artifacts/docs
"$docfx/docfx" docs/docfx.json --warningsAsErrors
echo "site: artifacts/docs/index.html"
