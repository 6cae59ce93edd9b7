#!/usr/bin/env bash
# Installs what runs notebooks of .NET, as far as it is not on the path: Jupyter's nbconvert, from Python's packages into artifacts/jupyter or, where those
# cannot be had, from Debian's, which takes root; and the kernel, into artifacts/jupyter. The tests and build/notebooks.sh look there and on the path.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$PWD/artifacts/jupyter
mkdir -p "$folder"
from_python() {
  python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install --quiet --retries 1 nbconvert nbclient && return
  rm -rf "$folder/venv"
  return 1
}
from_debian() { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends jupyter-nbconvert python3-nbclient; }

export PATH="$folder/bin:$folder/venv/bin:$PATH"
if ! command -v jupyter-nbconvert >"$folder/log"; then
  from_python >"$folder/log" 2>&1 || from_debian >>"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
fi
if ! command -v dotnet-interactive >"$folder/log"; then
  dotnet tool install Microsoft.dotnet-interactive --version 1.0.712001 --tool-path "$folder/bin" >"$folder/log" || { cat "$folder/log" >&2; exit 1; }
fi
