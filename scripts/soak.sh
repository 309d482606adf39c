#!/bin/bash
# usage: scripts/soak.sh [PRESET [FILTER]]
#
# The tests of scripts/test.sh with full counts (kills, fuzzing, sizes): the same executables with
# MLP_SOAK=1; the usual run makes a twentieth. Takes hours. Figures go into docs/soak.md
# with command and date.
set -euo pipefail
export MLP_SOAK=1
date --iso-8601=seconds
exec "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/test.sh" "$@"
