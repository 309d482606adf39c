#!/bin/bash
# usage: benchmarks/serving.sh [REAL_TABLE.csv]
#
# Single raw rows, in process and over HTTP, against the same features and trees as a scikit-learn pipeline (in process) and behind
# FastAPI with uvicorn (HTTP), on the same cores by turns. Writes docs/benchmarks-serving.md. Peers come from PyPI into
# build/bench-venv; the load is made by wrk (Debian). BENCH_SECONDS (8) is the time of one load.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export PATH="/usr/bin:/bin:$PATH"
./scripts/build.sh release all >&2
as_root=()
((EUID == 0)) || as_root=(sudo)
missing=()
/usr/bin/python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
command -v wrk >/dev/null || missing+=(wrk)
((${#missing[@]} == 0)) || "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "${missing[@]}" >&2
venv=build/bench-venv
[[ -e $venv/bin/python ]] || /usr/bin/python3 -m venv "$venv" >&2
"$venv/bin/python" -c 'import fastapi, uvicorn, xgboost, sklearn, pandas' 2>/dev/null || "$venv/bin/pip" install -q pandas scikit-learn xgboost fastapi 'uvicorn[standard]' >&2
mkdir -p build/bench
cmake --install build/release --prefix build/bench/prefix >/dev/null
g++ -std=c++17 -O2 benchmarks/one_row.cpp -Ibuild/bench/prefix/include -Lbuild/bench/prefix/lib -lmlp -Wl,-rpath,"$PWD/build/bench/prefix/lib" -o build/bench/one_row
exec "$venv/bin/python" benchmarks/compare_serving.py build/bench/prefix/bin/mlpc build/bench/one_row build/bench docs/benchmarks-serving.md "${1:-../shared/data/adult.csv}"
