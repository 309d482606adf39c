#!/bin/bash
# usage: benchmarks/relational.sh
#
# Pipelines and histories against DuckDB and pandas on the same machine, by turns; writes docs/benchmarks-relational.md.
# DuckDB and pandas come from PyPI into build/relational-venv, made on the first call. BENCH_TURNS (3), BENCH_SCALE (1).
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export PATH="/usr/bin:/bin:$PATH"
./scripts/build.sh release all >&2
venv=build/relational-venv
if [[ ! -e $venv/.ready ]]; then
  if ! /usr/bin/python3 -c 'import ensurepip' 2>/dev/null; then
    as_root=()
    ((EUID == 0)) || as_root=(sudo)
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends python3-venv >&2
  fi
  /usr/bin/python3 -m venv "$venv" >&2
  "$venv/bin/pip" install -q pandas duckdb==1.4.4 >&2
  touch "$venv/.ready"
fi
mkdir -p build/bench-relational
exec "$venv/bin/python" benchmarks/relational.py build/release/bin/mlpc build/bench-relational docs/benchmarks-relational.md
