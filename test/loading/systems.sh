#!/usr/bin/env bash
# Runs samples/Digits, published self-contained, on three releases of Debian: where the C++ library is older than TorchSharp's (12) its library is
# loaded from memory, where it is newer (13) as it is, and where the C library is too old (11) the program says so. Needs root, and
# debootstrap, which it installs.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'umount "$work"/*/proc 2>/dev/null; rm -rf "$work"' EXIT
command -v debootstrap >/dev/null || { apt-get update && apt-get install -y --no-install-recommends debootstrap; } >"$work/log" 2>&1
dotnet publish samples/Digits -c Release -r linux-x64 --self-contained -o "$work/app" -v q --nologo -p:CreateHardLinksForPublishFilesIfPossible=false

# run RELEASE: starts the sample there and leaves what it wrote in output and errors, what it loaded as TorchSharp's library in loaded, and how it ended in code.
run() {
  local root="$work/$1"
  debootstrap --variant=minbase "$1" "$root" >"$work/log" || { tail "$work/log"; exit 1; }
  mount -t proc proc "$root/proc"
  cp -r "$work/app" "$root/app"
  chroot "$root" /app/Digits --output /tmp >"$work/output" 2>"$work/errors" &
  local pid=$!
  for _ in $(seq 600); do
    kill -0 $pid 2>/dev/null || break
    grep -o '[^ ]*libLibTorchSharp.*' /proc/$pid/maps 2>/dev/null | sort -u >"$work/maps" && [ -s "$work/maps" ] && break
    sleep 0.1
  done
  loaded=$(cat "$work/maps")
  code=0
  wait $pid || code=$?
  umount "$root/proc"
  rm -rf "$root"
}

# check RELEASE WHAT CONDITION...
check() {
  local release=$1 what=$2
  shift 2
  "$@" || { echo "$release: $what expected; loaded '$loaded', ended with $code" >&2; cat "$work/output" "$work/errors" >&2; exit 1; }
  echo "$release: $what"
}

run bookworm
check bookworm "a run" [ "$code" = 0 ]
check bookworm "a library in memory" [ "$loaded" = "/memfd:libLibTorchSharp.so (deleted)" ]
run trixie
check trixie "a run" [ "$code" = 0 ]
check trixie "the package's own library" [ "$loaded" = "$work/trixie/app/libLibTorchSharp.so" ]
run bullseye
check bullseye "a refusal" [ "$code" != 0 ]
check bullseye "the version that is there" grep -q "this system has glibc 2.31" "$work/errors"
check bullseye "the version that is needed" grep -q "It needs glibc 2.34" "$work/errors"
