#!/bin/bash
# usage: benchmarks/profile.sh
#
# Profiles of 100 columns of a million rows: `mlpc peek --profile` out of the store, against pandas (`describe`, `nunique` and seven
# quantiles) and DuckDB (`SUMMARIZE`) out of memory, by turns; writes docs/benchmarks-profile.md. BENCH_TURNS (3), BENCH_ROWS (1000000).
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export PATH="/usr/bin:/bin:$PATH"
./scripts/build.sh release all >&2
. benchmarks/pandas_venv.sh
mkdir -p build/bench
exec "$venv/bin/python" benchmarks/compare_profile.py build/release/bin/mlpc build/bench docs/benchmarks-profile.md
