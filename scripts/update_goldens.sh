#!/bin/bash
# usage: scripts/update_goldens.sh [FILTER]
#
# Rewrites the expected files of tests/golden (.diag .hir .logical .physical: those that exist)
# from what mlpc says now, then shows what changed. Review the diff: it is the test.
# The golden suite does the writing when MLP_UPDATE_GOLDENS=1 is set.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export PATH="/usr/bin:/bin:$PATH"
./scripts/build.sh release all mlp-tests >&2
export MLP_UPDATE_GOLDENS=1 PYTHONDONTWRITEBYTECODE=1 MLPC_BIN=$PWD/build/release/bin/mlpc
/usr/bin/python3 -m pytest -q tests/golden ${1:+-k "$1"}
git status --short -- tests/golden
git --no-pager diff --stat -- tests/golden
