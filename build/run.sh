#!/usr/bin/env bash
# Sets up what is missing and runs the main job: samples/Digits. Arguments after -- go to the sample.
# Usage: build/run.sh [--packages nuget|offline|auto] [-- --seed 1]
set -euo pipefail
source "$(dirname "$0")/setup.sh"

choice=""
while [ $# -gt 0 ]; do
  case "$1" in
    --packages) choice="${2:-}"; shift 2 || stop "--packages needs nuget, offline or auto" ;;
    --) shift; break ;;
    *) stop "unknown argument '$1'; usage: build/run.sh [--packages nuget|offline|auto] [-- arguments of the sample]" ;;
  esac
done

set_up "$choice"
build samples/Digits
exec dotnet run --no-build -c Release --project samples/Digits -- "$@"
