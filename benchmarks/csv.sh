#!/bin/bash
# usage: benchmarks/csv.sh
#
# Reading a CSV file of twenty typed columns into memory: mlpc with the table's contract checked, against pandas.read_csv without one and
# DuckDB's read_csv with the types given, by turns; writes docs/benchmarks-csv.md. BENCH_TURNS (3), BENCH_ROWS (2000000).
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export PATH="/usr/bin:/bin:$PATH"
./scripts/build.sh release all >&2
. benchmarks/pandas_venv.sh
mkdir -p build/bench
g++ -std=c++23 -O2 -DFMT_SHARED benchmarks/read_typed_csv.cpp -I. -Ibuild/release -Lbuild/release/lib -lmlp -lfmt \
  -Wl,-rpath,"$PWD/build/release/lib" -o build/bench/read_typed_csv
exec "$venv/bin/python" benchmarks/compare_csv.py build/release/bin/mlpc build/bench/read_typed_csv build/bench docs/benchmarks-csv.md
