#!/usr/bin/env bash
# Sets up what is missing, runs the benchmarks against PyTorch in turns and writes the table of ratios to artifacts/bench.md.
# Usage: build/bench.sh [--packages nuget|offline|auto] [--only selection|training|scoring|removal] [--rounds N]
set -euo pipefail
source "$(dirname "$0")/setup.sh"

choice="" arguments=()
while [ $# -gt 0 ]; do
  case "$1" in
    --packages) choice="${2:-}"; shift 2 || stop "--packages needs nuget, offline or auto" ;;
    --only) arguments+=("${2:-}"); shift 2 || stop "--only needs selection, training, scoring or removal" ;;
    --rounds) arguments+=(--rounds "${2:-}"); shift 2 || stop "--rounds needs a number" ;;
    *) stop "unknown argument '$1'; usage: build/bench.sh [--packages nuget|offline|auto] [--only selection|training|scoring|removal] [--rounds N]" ;;
  esac
done

set_up "$choice"
install "the PyTorch that the benchmarks compare with, and the networks it exports" python3-torch python3-torchvision
build test/MLNet.Pruning.Benchmarks
dotnet run --no-build -c Release --project test/MLNet.Pruning.Benchmarks -- "${arguments[@]}" --peers test/peers --output artifacts/bench.md
echo "table: artifacts/bench.md"
