#!/bin/bash
# usage: benchmarks/check.sh [FILE...]
#
# How long `mlpc check` takes in a process of its own, on 2,000 dense lines that are made here and on each FILE; default: the examples,
# and the workflows of ../shared/workflows where they are. Prints the table of docs/benchmarks.md. BENCH_CHECKS (100) sets how often.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export PATH="/usr/bin:/bin:$PATH"
./scripts/build.sh release all >&2
shopt -s nullglob
files=("$@")
((${#files[@]})) || files=(examples/*/*.mlp ../shared/workflows/first/*.mlp ../shared/workflows/*.mlp)
mkdir -p build/bench
exec python3 benchmarks/check.py build/release/bin/mlpc build/bench "${files[@]}"
