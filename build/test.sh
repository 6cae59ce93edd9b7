#!/usr/bin/env bash
# Builds and runs all tests, and closes with the ten slowest and a line "N passed, N failed, N skipped".
# Usage: build/test.sh [--filter EXPRESSION]
set -euo pipefail
cd "$(dirname "$0")/.."

results=artifacts/test
rm -rf "$results"
status=0
# The command line with the library as its package has it: tests start it hundreds of times.
dotnet build MLNet.Pruning.sln -c Release -p:CompileAhead=true
# Not by `dotnet test`: it takes a test of measured times that passed when it was tried again for a failed one. 8 is a filter that leaves a project no test.
for project in MLNet.Pruning.Tests MLNet.Pruning.Extensions; do
  "test/$project/bin/Release/net10.0/$project" --progress off --report-trx --results-directory "$results" --ignore-exit-code 8 "$@" || status=1
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
