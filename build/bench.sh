#!/usr/bin/env bash
# Runs the benchmarks against PyTorch in turns and writes the table of ratios to artifacts/bench.md. Without --python it compares with Debian's
# python3-torch on OpenBLAS, and installs what is missing of that. The first pruning of a process is compared with Torch-Pruning where a folder has its
# package torch_pruning.
# Usage: build/bench.sh [--only selection|training|bits|busy|scoring|sparse|trees|removal|steps|quantization|start] [--rounds N] [--python PYTHON] [--torch-pruning FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."

usage="usage: build/bench.sh [--only selection|training|bits|busy|scoring|sparse|trees|removal|steps|quantization|start] [--rounds N] [--python PYTHON] [--torch-pruning FOLDER]"
arguments=() python="" only=""
while [ $# -gt 0 ]; do
  case "$1" in
    --only) only="${2:?"$usage"}"; arguments+=("$only"); shift 2 ;;
    --rounds) arguments+=(--rounds "${2:?"$usage"}"); shift 2 ;;
    --torch-pruning) arguments+=(--torch-pruning "${2:?"$usage"}"); shift 2 ;;
    --python) python="${2:?"$usage"}"; shift 2 ;;
    *) echo "$usage" >&2; exit 1 ;;
  esac
done

if [ -z "$python" ]; then
  python=/usr/bin/python3
  packages=(python3-torch python3-torchvision libopenblas0-pthread)
  dpkg -s "${packages[@]}" >/dev/null 2>&1 || {
    echo "installing ${packages[*]}, which the benchmarks compare with"
    sudo=(); [ "$(id -u)" -eq 0 ] || sudo=(sudo)
    "${sudo[@]}" apt-get update -q >/dev/null
    "${sudo[@]}" apt-get install -qy --no-install-recommends "${packages[@]}" >/dev/null
  }
fi

dotnet build test/MLNet.Pruning.Benchmarks -c Release -v q --nologo
dotnet build samples/Digits -c Release -v q --nologo
if [ "${only:-start}" = start ]; then
  # The same program with the library that its package has for this machine.
  runtime="$(dotnet msbuild src/MLNet.Pruning -getProperty:NETCoreSdkPortableRuntimeIdentifier)"
  compiled="$(dotnet msbuild src/MLNet.Pruning -t:CompileLibraryAhead -p:Configuration=Release -p:CompiledRuntimes="$runtime" -getItem:CompiledAhead |
    sed -n 's/.*"FullPath": "\(.*\)".*/\1/p')"
  rm -rf artifacts/packaged
  cp -r test/MLNet.Pruning.Benchmarks/bin/Release/net10.0 artifacts/packaged
  cp "$compiled" artifacts/packaged/
  arguments+=(--packaged artifacts/packaged/MLNet.Pruning.Benchmarks)
  # The same program with its code compiled ahead, as an application may be published.
  dotnet publish test/MLNet.Pruning.Benchmarks -c Release --self-contained false --use-current-runtime -p:PublishReadyToRun=true -o artifacts/ahead -v q --nologo
  arguments+=(--compiled-ahead artifacts/ahead/MLNet.Pruning.Benchmarks)
fi
dotnet run --no-build -c Release --project test/MLNet.Pruning.Benchmarks -- ${arguments[@]+"${arguments[@]}"} --peers test/peers --python "$python" --output artifacts/bench.md
echo "table: artifacts/bench.md"
