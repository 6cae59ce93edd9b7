# Sourced by the scripts beside it: chooses the packages to build with and installs what is missing.
# shellcheck shell=bash

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root" || exit 1
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

stop() {
  echo "error: $*" >&2
  exit 1
}

# choose_packages [nuget|offline|auto]: remembered in build/packages.nuget or build/packages.offline.
choose_packages() {
  local choice="${1:-}" why="remembered; change it with --packages nuget|offline|auto"
  if [ -z "$choice" ]; then
    for choice in nuget offline auto; do
      [ -e "build/packages.$choice" ] && break
    done
  elif [ "$choice" != auto ]; then
    why="as asked"
  fi
  case "$choice" in
    auto)
      if dotnet restore build/probe/Probe.csproj -v q --nologo >/dev/null 2>&1; then
        choice=nuget why="the real packages restore from your feeds"
      else
        choice=offline why="your feeds lack the real packages; building on the counterparts in build/offline"
      fi
      ;;
    nuget | offline) ;;
    *) stop "--packages is '$choice'; expected nuget, offline or auto" ;;
  esac
  rm -f build/packages.nuget build/packages.offline
  : >"build/packages.$choice"
  packages="$choice"
  echo "packages: $choice ($why)"
}

# install REASON PACKAGE...: installs those Debian packages that are missing.
install() {
  local reason="$1" missing=() package log
  shift
  for package in "$@"; do
    [[ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" == "install ok installed"* ]] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || stop "missing: ${missing[*]} ($reason); this system has no apt-get, install them yourself"
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || stop "missing: ${missing[*]} ($reason); run this as root, or install sudo"
    sudo=(sudo)
  fi
  echo "installing ${missing[*]}: $reason"
  log="$(mktemp)"
  if ! { "${sudo[@]}" apt-get update && "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -5 "$log" >&2
    stop "apt-get could not install ${missing[*]}; its output is in $log"
  fi
  rm -f "$log"
}

# fetch_onnx_runtime: puts ONNX Runtime's library where build/offline/Microsoft.ML.OnnxRuntime looks for it.
fetch_onnx_runtime() {
  local package=onnxruntime-node@1.30.0 architecture sum library folder log
  case "$(uname -m)" in
    x86_64)
      architecture=x64
      sum=927fc128db9eedb9fae07dfa0574a4d53af91efa7e42c3192678910d32ae4fde46441c14fd42eaf0f925a2f71c1de4816d25720bd6c7579b60e56293cc862215
      ;;
    aarch64)
      architecture=arm64
      sum=95be392538dfe3bd660207ebad503bcfbcbcd4e6162fb83d19f35d291a981560294914ce471d5251626122aff63cf201a215bb052d7cf5ea009fffcd57dbd366
      ;;
    *) stop "the npm package $package has a library for x86_64 and aarch64, none for $(uname -m)" ;;
  esac
  folder="artifacts/onnxruntime/$architecture"
  library="$folder/libonnxruntime.so.1"
  [ -f "$library" ] && sha512sum --status -c <<<"$sum  $library" && return
  command -v npm >/dev/null || install "fetches ONNX Runtime's library" npm
  echo "fetching $package: ONNX Runtime's library"
  mkdir -p "$folder"
  log="$(mktemp)"
  if ! { npm pack --pack-destination "$folder" "$package" &&
    tar -xzf "$folder"/onnxruntime-node-*.tgz -C "$folder" --strip-components=5 "package/bin/napi-v6/linux/$architecture/libonnxruntime.so.1"; } >"$log" 2>&1; then
    rm -f "$folder"/onnxruntime-node-*.tgz
    tail -5 "$log" >&2
    stop "npm could not fetch $package; its output is in $log"
  fi
  rm -f "$folder"/onnxruntime-node-*.tgz "$log"
  sha512sum --status -c <<<"$sum  $library" || { rm -f "$library"; stop "the library in $package is not the one expected: its SHA-512 differs"; }
}

# set_up [nuget|offline|auto]
set_up() {
  command -v dotnet >/dev/null || stop "the .NET 10 SDK is missing: install it (https://dotnet.microsoft.com/download) and run this again"
  local sdks
  sdks="$(dotnet --list-sdks)"
  grep -q '^1[0-9]\.' <<<"$sdks" || stop "the .NET 10 SDK is missing; found: ${sdks:-none}"
  choose_packages "$@"
  if [ "$packages" = offline ]; then
    install "compiles the small library between .NET and libtorch" cmake g++ make
    [ -n "${LIBTORCH:-}" ] || install "libtorch (or set LIBTORCH), and the fast linear algebra it needs" libtorch-dev libopenblas0-pthread
    fetch_onnx_runtime
  fi
}

# build PROJECT: silent unless it fails.
build() {
  local log
  log="$(mktemp)"
  if ! dotnet build "$1" -c Release -v q --nologo >"$log" 2>&1; then
    grep -E 'error|warning' "$log" | sort -u | head -20 >&2 || tail -20 "$log" >&2
    stop "$1 does not build; the whole output is in $log"
  fi
  rm -f "$log"
}
