#!/usr/bin/env bash
# Builds the shim against this machine's PyTorch and runs the GPU tests and the training benchmark. PYTHON names the interpreter
# that has PyTorch (python3 by default).
set -euo pipefail
cd "$(dirname "$0")"

fail() {
  echo "run-gpu.sh: $1" >&2
  exit 1
}

python=${PYTHON:-python3}
command -v "$python" >/dev/null || fail "$python is missing: set PYTHON to the interpreter that has PyTorch"
LIBTORCH=$("$python" -c 'import torch; print(torch.utils.cmake_prefix_path)') || fail "$python has no PyTorch"
export LIBTORCH
"$python" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' || fail "PyTorch sees no CUDA device"

mkdir -p build
sh native/build.sh "$PWD/build" >build/missing.txt || fail "the shim did not build: $(cat build/missing.txt) (see $PWD/build/build.log)"
cp build/libtorch_shim.so app/

export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
./app/Offline.Tests --filter "TestCategory=GPU"
./app/MLNet.Pruning.Tests --filter "TestCategory=GPU"
./app/MLNet.Pruning.Benchmarks training
