# Read by the scripts that measure against pandas and DuckDB: both come from PyPI into build/relational-venv, made on the first call.
# `venv` is its folder.
venv=build/relational-venv
if [[ ! -e $venv/.ready ]]; then
  if ! /usr/bin/python3 -c 'import ensurepip' 2>/dev/null; then
    as_root=()
    ((EUID == 0)) || as_root=(sudo)
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends python3-venv >&2
  fi
  /usr/bin/python3 -m venv "$venv" >&2
  "$venv/bin/pip" install -q pandas duckdb==1.4.4 >&2
  touch "$venv/.ready"
fi
