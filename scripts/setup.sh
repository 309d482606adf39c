#!/bin/bash
# usage: scripts/setup.sh
#
# Installs from Debian what the build and the tests need, and nothing that is
# already there: a second call asks dpkg once (about 20 ms) and ends. Runs as root or with
# sudo. docs/dependencies.md gives the reason for each package.
set -euo pipefail
export PATH="/usr/sbin:/usr/bin:/sbin:/bin:$PATH"

packages=(
  # tools
  build-essential cmake ninja-build ccache mold pkg-config
  antlr4 default-jre-headless clang-19 llvm-19 libclang-rt-19-dev
  sqlite3 python3 python3-pytest python3-numpy
  # libraries
  libantlr4-runtime-dev llvm-19-dev libtbb-dev libfmt-dev nlohmann-json3-dev
  catch2 libcli11-dev libxgboost-dev libeigen3-dev liblbfgs-dev
  libsqlite3-dev libsoci-dev libboost1.81-dev libre2-dev libsleef-dev libssl-dev libxxhash-dev libsimdjson-dev
  libcurl4-openssl-dev
)

missing_packages() {
  local installed
  installed=" $(dpkg-query -W -f='${db:Status-Status} ${Package} \n' "${packages[@]}" 2>/dev/null |
    sed -n 's/^installed \(.*\) $/\1/p' | tr '\n' ' ')"
  local p
  for p in "${packages[@]}"; do
    [[ $installed == *" $p "* ]] || printf '%s ' "$p"
  done
}

read -r -a missing <<<"$(missing_packages || true)"
((${#missing[@]} == 0)) && exit 0

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || {
    echo "setup: run as root, or install sudo; missing: ${missing[*]}" >&2
    exit 5
  }
  as_root=(sudo --preserve-env=http_proxy,https_proxy,no_proxy)
fi

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 "$@" >&2
}
echo "setup: installing ${missing[*]}" >&2
apt update
apt install -y --no-install-recommends "${missing[@]}"

read -r -a missing <<<"$(missing_packages || true)"
((${#missing[@]} == 0)) || {
  echo "setup: still missing: ${missing[*]}" >&2
  exit 5
}
