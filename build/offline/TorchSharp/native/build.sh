#!/bin/sh
# Builds libtorch_shim.so into the folder $1. Exit 3: something is missing, and its name is all that is printed.
set -u
source=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=${1%/}
log=$target/build.log
mkdir -p "$target"

# Projects that build at the same time take turns.
if command -v flock >/dev/null 2>&1; then
    exec 9>"$target/lock"
    flock 9
fi

missing() {
    echo "$1"
    exit 3
}

command -v cmake >/dev/null 2>&1 || missing "cmake"
command -v "${CXX:-c++}" >/dev/null 2>&1 || missing "a C++ compiler (g++)"

# CMake says itself where a libtorch is not found; its cache would remember an older one.
rm -rf "$target/cmake"
if ! cmake -S "$source" -B "$target/cmake" -DCMAKE_BUILD_TYPE=Release -DLIBTORCH="${LIBTORCH:-}" >"$log" 2>&1; then
    if grep -q "LIBTORCH-MISSING" "$log"; then
        missing "libtorch${LIBTORCH:+ in LIBTORCH=$LIBTORCH}"
    fi
    grep -m 1 -A 3 'CMake Error' "$log" | tr '\n' ' '
    exit 1
fi
if ! cmake --build "$target/cmake" -j 2 >>"$log" 2>&1; then
    grep -m 1 'error' "$log"
    exit 1
fi

# In one step, so that nobody copies half a library.
cp "$target/cmake/libtorch_shim.so" "$target/libtorch_shim.so.new"
mv -f "$target/libtorch_shim.so.new" "$target/libtorch_shim.so"
