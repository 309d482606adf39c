#!/bin/bash
# usage: scripts/format.sh [--check] [FILE...]
#
# Formats our C++ (all of it, or the files given) after .clang-format. --check changes
# nothing and fails when something would change. Installs clang-format-19 when missing.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
export PATH="/usr/bin:/bin:$PATH"
mode=(-i)
if [[ ${1:-} == --check ]]; then
  mode=(--dry-run --Werror)
  shift
fi
if ! command -v clang-format-19 >/dev/null; then
  as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends clang-format-19 >&2
fi
if (($#)); then
  exec clang-format-19 "${mode[@]}" "$@"
fi
git ls-files -z --cached --others --exclude-standard -- '*.cpp' '*.h' |
  xargs -0 -r clang-format-19 "${mode[@]}"
