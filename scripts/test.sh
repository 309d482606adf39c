#!/bin/bash
# usage: scripts/test.sh [PRESET [FILTER]]
#
# Sets up, builds PRESET (default: release) with all tests and runs them: C++ unit and
# property tests, and the pytest suites e2e, golden and layers on that preset's mlpc. FILTER
# runs the tests whose name contains it. Prints the ten slowest and closes with the line
# "N passed, N failed[, N skipped]". Exit code 1 when a test failed, 5 when the build did.
#
# MLP_SEED=N repeats the random tests of a run (the seed is printed), MLP_SOAK=1 runs full counts.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export PATH="/usr/bin:/bin:$PATH"
preset=${1:-release}
filter=${2:-}

if ! ./scripts/build.sh "$preset" all mlp-tests; then
  echo "the build failed" >&2
  echo "0 passed, 1 failed"
  exit 5
fi
exec /usr/bin/python3 scripts/run_suites.py "build/$preset" "$filter"
