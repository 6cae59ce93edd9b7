#!/usr/bin/env bash
# Runs the worked examples of docs/ and prints the tables of their pages; with --write it puts them into the pages. Times are of this machine, and of use only
# while nothing else runs on it.
# Usage: build/pages.sh [--only PAGE ...] [--no-times] [--write]
set -euo pipefail
cd "$(dirname "$0")/.."

dotnet build test/MLNet.Pruning.Pages -c Release -v q --nologo
dotnet run --no-build -c Release --project test/MLNet.Pruning.Pages -- "$@"
