#!/bin/bash
# usage: scripts/build.sh [PRESET [TARGET...]]
#
# Sets up, configures and builds build/PRESET (dev, release, asan, tsan; default: dev).
# Targets: all (default), mlp-tests (the C++ tests), room_compiler_sema (one folder), ...
# MLP_JOBS limits the jobs (default: one per core).
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export PATH="/usr/bin:/bin:$PATH"
preset=${1:-dev}
shift || true

./scripts/setup.sh
build=build/$preset
mkdir -p "$build"
# Two builds of one preset wait for each other.
exec 9>"$build/.lock"
flock 9
# Ninja configures again by itself when a CMake file changes, but not for a changed preset.
if [[ ! -e $build/build.ninja || CMakePresets.json -nt $build/build.ninja ]]; then
  cmake --preset "$preset" >"$build/.configure.log" 2>&1 9>&- || {
    cat "$build/.configure.log" >&2
    exit 5
  }
fi
# ./mlpc compares the sources with this stamp. Slightly back, so that an edit
# made right now counts as newer.
touch -d '0.05 seconds ago' "$build/.started"
ninja -C "$build" -j "${MLP_JOBS:-$(nproc)}" "${@:-all}" 9>&-
case " ${*:-all} " in
  *" all "*) mv "$build/.started" "$build/.stamp" ;;
esac
