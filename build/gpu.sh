#!/usr/bin/env bash
# Packs the tests of category GPU and the training benchmark for a machine with an NVIDIA GPU, CMake, a C++ compiler and a
# PyTorch installation, but without .NET and without a network: self-contained linux-x64 programs, the source of the shim over
# libtorch, and run-gpu.sh, which builds the shim against that PyTorch and runs them. Prints the pack's path.
set -euo pipefail
cd "$(dirname "$0")/.."

pack=artifacts/gpu
archive=artifacts/gpu.tar.gz
limit=$((60 * 1024 * 1024))

rm -rf "$pack" "$archive"
mkdir -p "$pack/native"

# One runtime for all programs: they share a folder.
for project in test/MLNet.Pruning.Tests test/Offline.Tests test/MLNet.Pruning.Benchmarks; do
  dotnet publish "$project" -c Release -r linux-x64 --self-contained true -o "$pack/app" -v q --nologo \
    -p:OfflinePackages=true -p:EnableMSTestRunner=true -p:DebugType=none -p:SatelliteResourceLanguages=en -p:InvariantGlobalization=true
done

# The shim is built where it runs; a libtorch never travels.
rm -f "$pack"/app/libtorch_shim.so "$pack"/app/*.pdb "$pack"/app/createdump
# No GPU test runs ONNX Runtime.
rm -f "$pack"/app/libonnxruntime.so.1
cp build/offline/TorchSharp/native/{CMakeLists.txt,build.sh,*.cpp,*.h} "$pack/native/"
cp build/gpu/run-gpu.sh "$pack/"
chmod +x "$pack/run-gpu.sh" "$pack/native/build.sh"

tar -C artifacts -czf "$archive" gpu
size=$(stat -c %s "$archive")
if [ "$size" -gt "$limit" ]; then
  echo "gpu.sh: $archive has $size bytes, more than the $limit a pack may have" >&2
  exit 1
fi
echo "$archive ($((size / 1024 / 1024)) MB): unpack it on the GPU machine and run gpu/run-gpu.sh"
