#!/usr/bin/env bash
# Sets up what is missing and runs all tests. Closes with the ten slowest and a line "N passed, N failed, N skipped".
# Usage: build/test.sh [--packages nuget|offline|auto] [--filter EXPRESSION]
set -euo pipefail
source "$(dirname "$0")/setup.sh"

choice="" filter=()
while [ $# -gt 0 ]; do
  case "$1" in
    --packages) choice="${2:-}"; shift 2 || stop "--packages needs nuget, offline or auto" ;;
    --filter) filter=(--filter "${2:-}"); shift 2 || stop "--filter needs an expression" ;;
    *) stop "unknown argument '$1'; usage: build/test.sh [--packages nuget|offline|auto] [--filter EXPRESSION]" ;;
  esac
done

set_up "$choice"
install "the networks that the tests read, which PyTorch exports" python3-torchvision python3-onnx
build MLNet.Pruning.sln

results=artifacts/test
rm -rf "$results"
status=0
projects=(test/MLNet.Pruning.Tests)
[ "$packages" = offline ] && projects+=(test/Offline.Tests)
for project in "${projects[@]}"; do
  dotnet test "$project" --no-build -c Release --nologo -v q --logger "trx;LogFileName=$(basename "$project").trx" \
    --results-directory "$results" "${filter[@]}" || status=1
done

# One line a test: milliseconds, outcome, name.
tests="$(grep -ho '<UnitTestResult [^>]*' "$results"/*.trx 2>/dev/null | awk '
  function attribute(name) { return match($0, " " name "=\"[^\"]*\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : "" }
  { split(attribute("duration"), t, ":"); printf "%d %s %s\n", (t[1] * 3600 + t[2] * 60 + t[3]) * 1000, attribute("outcome"), attribute("testName") }' || true)"
echo
echo "Slowest tests:"
sort -rn <<<"$tests" | awk 'NR <= 10 { printf "%8.1f s  %s\n", $1 / 1000, substr($0, index($0, $3)) }'
passed=$(awk '$2 == "Passed"' <<<"$tests" | wc -l)
failed=$(awk '$2 == "Failed" || $2 == "Error" || $2 == "Timeout" || $2 == "Aborted"' <<<"$tests" | wc -l)
skipped=$(awk '$2 == "NotExecuted" || $2 == "Inconclusive"' <<<"$tests" | wc -l)
[ "$passed" -gt 0 ] || status=1
echo
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
