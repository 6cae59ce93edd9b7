#!/usr/bin/env bash
# Packs the tool for this machine, or for all runtimes, lists what the packages weigh, installs it as users do and runs the tests of its
# commands on what was installed.
# Usage: test/loading/tool.sh [--all] [--filter EXPRESSION]
set -euo pipefail
cd "$(dirname "$0")/../.."

usage="usage: test/loading/tool.sh [--all] [--filter EXPRESSION]"
limit=$((160 * 1000 * 1000)) # bytes of a package
project=src/MLNet.Pruning.Cli
filter="FullyQualifiedName~MLNet.Pruning.Tests.Cli."
runtime="$(dotnet msbuild "$project" -getProperty:NETCoreSdkPortableRuntimeIdentifier)"
options=(-p:ToolPackageRuntimeIdentifiers="$runtime")
while [ $# -gt 0 ]; do
  case "$1" in
    --all) options=(); shift ;;
    --filter) filter="${2:?"$usage"}"; shift 2 ;;
    *) echo "$usage" >&2; exit 1 ;;
  esac
done

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

dotnet pack "$project" -c Release -o "$folder/packages" -v q --nologo ${options[@]+"${options[@]}"}
for package in "$folder"/packages/*.nupkg; do
  size=$(wc -c <"$package")
  printf '%12d bytes  %s\n' "$size" "$(basename "$package")"
  if [ "$size" -gt "$limit" ]; then
    echo "tool.sh: $(basename "$package") is above $limit bytes" >&2
    exit 1
  fi
done

# A packages folder of its own: nothing that was built or installed before is found.
NUGET_PACKAGES="$folder/cache" dotnet tool install MLNet.Pruning.Cli --version "$(dotnet msbuild "$project" -getProperty:Version)" \
  --source "$folder/packages" --tool-path "$folder/tool"
echo "$(du -sk "$folder/tool" | awk '{ print int($1 * 1.024 / 1000) }') MB installed"

MLNET_PRUNE="$folder/tool/mlnet-prune" dotnet test --project test/MLNet.Pruning.Tests -c Release --filter "$filter"
