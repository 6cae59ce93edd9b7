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
  command -v apt-get >/dev/null || stop "missing: ${missing[*]} ($reason); this system has no apt-get, install them yourself or set LIBTORCH"
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

# set_up [nuget|offline|auto]
set_up() {
  command -v dotnet >/dev/null || stop "the .NET 10 SDK is missing: install it (https://dotnet.microsoft.com/download) and run this again"
  local sdks
  sdks="$(dotnet --list-sdks)"
  grep -q '^1[0-9]\.' <<<"$sdks" || stop "the .NET 10 SDK is missing; found: ${sdks:-none}"
  choose_packages "$@"
  if [ "$packages" = offline ]; then
    install "compiles the small library between .NET and libtorch" cmake g++ make
    [ -n "${LIBTORCH:-}" ] || install "libtorch, and the fast linear algebra it needs" libtorch-dev libopenblas0-pthread
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
