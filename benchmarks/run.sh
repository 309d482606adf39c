#!/bin/bash
# usage: benchmarks/run.sh [REAL_TABLE.csv]
#
# Compares mlpc with a plain pandas + scikit-learn + xgboost script on the same machine, by turns, and writes
# docs/benchmarks.md. The script runs in a PyPI environment of its own, build/bench-venv, made on the first call.
# REAL_TABLE is the census of 1994; default: ../shared/data/adult.csv, where it is there.
# BENCH_TURNS (5) and BENCH_ROWS (100000) change the size.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export PATH="/usr/bin:/bin:$PATH"
./scripts/build.sh release all >&2

venv=build/bench-venv
if [[ ! -e $venv/.ready ]]; then
  if ! /usr/bin/python3 -c 'import ensurepip' 2>/dev/null; then
    as_root=()
    ((EUID == 0)) || as_root=(sudo)
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends python3-venv >&2
  fi
  /usr/bin/python3 -m venv "$venv" >&2
  "$venv/bin/pip" install -q pandas scikit-learn xgboost >&2
  touch "$venv/.ready"
fi
mkdir -p build/bench
exec "$venv/bin/python" benchmarks/compare.py build/release/bin/mlpc "$venv/bin/python" build/bench docs/benchmarks.md \
  "${1:-../shared/data/adult.csv}"
