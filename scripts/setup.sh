#!/bin/bash
# usage: scripts/setup.sh
#
# Installs from Debian what the build and the tests need, and nothing that is
# already there: a second call asks dpkg once (about 20 ms) and ends. Runs as root or with
# sudo. DuckDB, which Debian does not have, comes from npm into build/duckdb.
# docs/dependencies.md gives the reason for each package.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export PATH="/usr/sbin:/usr/bin:/sbin:/bin:$PATH"

packages=(
  # tools
  build-essential cmake ninja-build ccache mold pkg-config
  antlr4 default-jre-headless clang-19 llvm-19 libclang-rt-19-dev
  sqlite3 postgresql python3 python3-pytest python3-numpy
  # libraries
  libantlr4-runtime-dev llvm-19-dev libtbb-dev libfmt-dev nlohmann-json3-dev
  catch2 libcli11-dev libxgboost-dev libeigen3-dev liblbfgs-dev
  libsqlite3-dev libsoci-dev libboost1.81-dev libre2-dev libsleef-dev libssl-dev libxxhash-dev libsimdjson-dev
  libcurl4-openssl-dev libpq-dev zlib1g-dev libzstd-dev liblz4-dev libhowardhinnant-date-dev tzdata
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

duckdb=build/duckdb
# There, or not to be had an hour ago: a machine without npm's packages does not wait for them at each build.
has_duckdb() { [[ -e $duckdb/1.4.4-r.4 || -n $(find build/duckdb.failed -mmin -60 2>/dev/null) ]]; }
if ! has_duckdb && ! command -v npm >/dev/null; then packages+=(npm); fi
read -r -a missing <<<"$(missing_packages || true)"
((${#missing[@]} == 0)) && has_duckdb && exit 0

as_root=()
if ((EUID != 0 && ${#missing[@]} > 0)); then
  command -v sudo >/dev/null || {
    echo "setup: run as root, or install sudo; missing: ${missing[*]}" >&2
    exit 5
  }
  as_root=(sudo --preserve-env=http_proxy,https_proxy,no_proxy)
fi

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 "$@" >&2
}
if ((${#missing[@]} > 0)); then
  echo "setup: installing ${missing[*]}" >&2
  apt update
  apt install -y --no-install-recommends "${missing[@]}"
  read -r -a missing <<<"$(missing_packages || true)"
  ((${#missing[@]} == 0)) || {
    echo "setup: still missing: ${missing[*]}" >&2
    exit 5
  }
fi

# fetch PACKAGE SHA256 FILE: FILE of the npm package, into build/duckdb.
fetch() {
  local archive
  archive=$(cd "$new" && timeout 180 npm pack --silent --fetch-retries 1 "$1" 2>/dev/null | tail -n 1) || return 1
  echo "$2  $new/$archive" | sha256sum --check --status || return 1
  tar -xzf "$new/$archive" -C "$new" "package/$3"
  mv "$new/package/$3" "$new/"
  rm -r "$new/$archive" "$new/package"
}
fetch_duckdb() {
  [[ $(uname -m) == x86_64 ]] || return 1
  fetch @duckdb/node-bindings-linux-x64@1.4.4-r.4 732fac4dc6b8f198870b9c4bb6ddf13544466daca00ad28ba2f1d80de5d7aa4b libduckdb.so &&
    fetch duckdb@1.4.4 5bb967dcbcd517670ba5f169f238fb9d6787e53752c60ebe24386169d76941ed src/duckdb/src/include/duckdb.h
}
has_duckdb && exit 0
echo "setup: fetching DuckDB 1.4.4" >&2
mkdir -p build
new=$(mktemp -d build/duckdb.XXXXXX)
trap 'rm -rf "$new"' EXIT
if fetch_duckdb; then
  touch "$new/1.4.4-r.4"
  rm -rf "$duckdb"
  mv "$new" "$duckdb"
  chmod 755 "$duckdb"
else
  # Everything but Parquet is there without it.
  touch build/duckdb.failed
  echo "setup: DuckDB was not fetched from npm; mlpc will read and write no Parquet" >&2
fi
