#!/usr/bin/env bash
# Executes the notebooks of samples/notebooks under Jupyter, in a kernel that references the package as users do, and keeps what their cells show; then writes
# the applications beside them. Needs what build/jupyter.sh installs.
# Usage: build/notebooks.sh [NAME...]
set -euo pipefail
cd "$(dirname "$0")/.."

export PATH="$PWD/artifacts/jupyter/bin:$PWD/artifacts/jupyter/venv/bin:$PATH" DOTNET_INTERACTIVE_CLI_TELEMETRY_OPTOUT=1
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
machine=${NUGET_PACKAGES:-$HOME/.nuget/packages}
[ ! -e "$machine/mlnet.pruning/$version" ] || { echo "$machine/mlnet.pruning/$version would be taken for this build: remove it" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet pack src/MLNet.Pruning -c Release -o "$work/feed" --nologo -v q
mkdir -p "$work/jupyter/kernels" "$work/run"
export JUPYTER_DATA_DIR="$work/jupyter" NUGET_PACKAGES="$work/packages" NUGET_FALLBACK_PACKAGES="$machine" DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
dotnet-interactive jupyter install --path "$work/jupyter/kernels" >"$work/log"

cp samples/data/*.csv samples/notebooks/*.ipynb "$work/run"
echo '<configuration><packageSources><add key="feed" value="../feed" /></packageSources></configuration>' >"$work/run/nuget.config"
for notebook in samples/notebooks/*.ipynb; do
  name=$(basename "$notebook" .ipynb)
  [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
  jupyter nbconvert --to notebook --execute --inplace "$work/run/$name.ipynb" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  cp "$work/run/$name.ipynb" "$notebook"
  echo "$name: executed"
done
unset NUGET_PACKAGES NUGET_FALLBACK_PACKAGES
dotnet run -c Release --project test/MLNet.Pruning.Notebooks -- write samples/notebooks
