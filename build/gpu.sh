#!/usr/bin/env bash
# Packs the tests of category GPU and the training benchmark for a machine with an NVIDIA GPU and a Python installation of PyTorch 2.10 or
# 2.11, but without .NET, a compiler or a network: self-contained linux-x64 programs that run on that PyTorch's libtorch, and run.sh, which
# starts them. Prints the pack's path.
set -euo pipefail
cd "$(dirname "$0")/.."

pack=artifacts/gpu
archive=artifacts/gpu.tar.gz
limit=$((60 * 1024 * 1024))
rm -rf "$pack" "$archive"

# One runtime for both programs: they share a folder.
for project in test/MLNet.Pruning.Tests test/MLNet.Pruning.Benchmarks; do
  dotnet publish "$project" -c Release -r linux-x64 --self-contained true -o "$pack/app" -v q --nologo -p:LibTorch=none
done

# What nothing there loads.
rm -f "$pack"/app/*.pdb "$pack"/app/*.dbg "$pack"/app/createdump "$pack"/app/onnxruntime*.dll "$pack"/app/libmscordaccore.so "$pack"/app/libmscordbi.so
mkdir "$pack/peers"
cp test/peers/bench_training.py "$pack/peers/"
cp build/gpu/run.sh "$pack/"
tar -C artifacts -czf "$archive" gpu
size=$(stat -c %s "$archive")
if [ "$size" -gt "$limit" ]; then
  echo "gpu.sh: $archive has $size bytes, more than the $limit a pack may have" >&2
  exit 1
fi
echo "$archive ($((size / 1024 / 1024)) MB): unpack it on the GPU machine and run gpu/run.sh"
