#!/usr/bin/env bash
# Runs notebooks that reference the package in a real .NET Interactive kernel under Jupyter, TorchSharp first and the library first, also beside
# Debian's own libtorch, which the kernel must not take. Needs Debian or Ubuntu and installs jupyter and libtorch-dev there.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
version="0.1.0-notebook.$(date +%Y%m%d%H%M%S)"
packages=${NUGET_PACKAGES:-$HOME/.nuget/packages}
trap 'rm -rf "$work" "$packages/mlnet.pruning/$version"' EXIT

dpkg -s jupyter-client jupyter-nbconvert python3-nbclient libtorch-dev >"$work/log" 2>&1 || {
  apt-get update >"$work/log" 2>&1
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends jupyter-client jupyter-nbconvert python3-nbclient libtorch-dev >"$work/log" 2>&1
}
libtorch=$(sed -n 's:.*<LibTorchVersion>\(.*\)</LibTorchVersion>.*:\1:p' Directory.Packages.props)
dotnet pack src/MLNet.Pruning -c Release -o "$work/feed" -p:PackageVersion="$version" --nologo -v q
dotnet tool install Microsoft.dotnet-interactive --version 1.0.712001 --tool-path "$work/tools" >"$work/log"
mkdir -p "$work/jupyter/kernels"
export PATH="$work/tools:$PATH" JUPYTER_DATA_DIR="$work/jupyter" DOTNET_INTERACTIVE_CLI_TELEMETRY_OPTOUT=1
dotnet-interactive jupyter install --path "$work/jupyter/kernels" >"$work/log"

reference="#i \"nuget:$work/feed\"
#r \"nuget: MLNet.Pruning, $version\"
#r \"nuget: libtorch-cpu-linux-x64, $libtorch\""
torch='Console.WriteLine(TorchSharp.torch.ones(2, 2).sum().item<float>());'
library="using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.Pruning;
var ml = new MLContext(seed: 1);
var digits = ml.Data.LoadFromTextFile(\"$PWD/samples/data/optdigits.csv\", [new TextLoader.Column(\"Features\", DataKind.Single, 0, 63), new TextLoader.Column(\"Label\", DataKind.Single, 64)], separatorChar: ',');
var model = ml.Transforms.Conversion.MapValueToKey(\"Label\").Append(ml.Transforms.NormalizeMinMax(\"Features\"))
    .Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(64, 10), epochs: 1)).Fit(digits);
Console.WriteLine(model.LastTransformer.Network.ParameterCount);"
loaded='Console.WriteLine(string.Join(" ", System.Diagnostics.Process.GetCurrentProcess().Modules.Cast<System.Diagnostics.ProcessModule>().Select(module => module.FileName).Where(file => file.Contains("libtorch_cpu"))));'

# notebook NAME CELL...: as Jupyter keeps it.
notebook() {
  python3 - "$@" >"$work/$1.ipynb" <<'PYTHON'
import json, sys
cells = [{"cell_type": "code", "id": f"cell{number}", "execution_count": None, "metadata": {}, "outputs": [], "source": source} for number, source in enumerate(sys.argv[2:])]
print(json.dumps({"cells": cells, "metadata": {"kernelspec": {"display_name": ".NET (C#)", "language": "C#", "name": ".net-csharp"}}, "nbformat": 4, "nbformat_minor": 5}))
PYTHON
}

# outputs FILE: what its cells wrote to standard output.
outputs() {
  python3 -c 'import json, sys; print("".join("".join(output["text"]) for cell in json.load(open(sys.argv[1]))["cells"] for output in cell["outputs"] if output["output_type"] == "stream"), end="")' "$1"
}

notebook library-first "$reference" "$library" "$torch" "$loaded"
notebook torch-first "$reference" "$torch" "$library" "$loaded"
expected_loaded="$packages/libtorch-cpu-linux-x64/$libtorch/runtimes/linux-x64/native/libtorch_cpu.so"
for name in library-first torch-first; do
  jupyter nbconvert --to notebook --execute "$work/$name.ipynb" --output "out-$name.ipynb" >"$work/log" 2>&1 || { tail -20 "$work/log"; exit 1; }
  lines=$([ $name = torch-first ] && printf '4\n650\n%s' "$expected_loaded" || printf '650\n4\n%s' "$expected_loaded")
  diff <(echo "$lines") <(outputs "$work/out-$name.ipynb") || { echo "$name: not what was expected" >&2; exit 1; }
  echo "$name: right"
done
[ ! -e "$packages/torchsharp/0.107.0/lib/net8.0/cpu" ] || { echo "libtorch was copied into TorchSharp's package" >&2; exit 1; }
