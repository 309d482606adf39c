#!/bin/bash
# usage: benchmarks/relational.sh
#
# Pipelines and histories against DuckDB and pandas on the same machine, by turns; writes docs/benchmarks-relational.md.
# BENCH_TURNS (3), BENCH_SCALE (1).
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export PATH="/usr/bin:/bin:$PATH"
./scripts/build.sh release all >&2
. benchmarks/pandas_venv.sh
mkdir -p build/bench-relational
exec "$venv/bin/python" benchmarks/relational.py build/release/bin/mlpc build/bench-relational docs/benchmarks-relational.md
