#!/usr/bin/env bash
# Runs the GPU tests on the libtorch of a Python installation of PyTorch, and the training benchmark against it. PYTHON names the interpreter
# that has it (python3 by default).
set -euo pipefail
cd "$(dirname "$0")"

python=${PYTHON:-python3}
MLNET_PRUNING_LIBTORCH=$("$python" -c 'import os, torch; print(os.path.join(os.path.dirname(torch.__file__), "lib"))') || {
  echo "run.sh: $python has no PyTorch: set PYTHON to an interpreter that has it" >&2
  exit 1
}
export MLNET_PRUNING_LIBTORCH DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1

./app/MLNet.Pruning.Tests --filter "TestCategory=GPU"
./app/MLNet.Pruning.Benchmarks gpu --peers peers --python "$python"
