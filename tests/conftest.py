"""Fixtures of all pytest suites: the binary under test, a way to run it, and the shared examples."""

import json
import os
import pathlib
import shutil
import subprocess
from dataclasses import dataclass, field

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Workflows and tables that come with a checkout of the whole project, beside this tree.
SHARED = pathlib.Path(os.environ.get("MLP_SHARED", ROOT.parent / "shared"))


@dataclass
class Outcome:
    """What one call of mlpc did."""

    args: list
    code: int
    out: str
    err: str
    _json: object = field(default=None, repr=False)

    @property
    def json(self):
        """The one JSON document on stdout; fails the test when there is none."""
        if self._json is None:
            try:
                self._json = json.loads(self.out)
            except ValueError as error:
                pytest.fail(f"stdout is not one JSON document ({error})\n{self}", pytrace=False)
        return self._json

    def __str__(self):
        return f"mlpc {' '.join(self.args)}\nexit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def clean_environment(extra=None):
    """The caller's environment without what would change mlpc's behaviour, with `extra` on top."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MLP_")}
    env["NO_COLOR"] = "1"
    for name in ("MLP_SEED", "MLP_SOAK"):
        if name in os.environ:
            env[name] = os.environ[name]
    env.update({name: str(value) for name, value in (extra or {}).items()})
    return env


@pytest.fixture(scope="session")
def mlpc_bin():
    """The mlpc under test: MLPC_BIN, or the release build."""
    path = pathlib.Path(os.environ.get("MLPC_BIN", ROOT / "build" / "release" / "bin" / "mlpc")).resolve()
    if not path.exists():
        pytest.fail(f"{path} is missing: run scripts/build.sh release, or set MLPC_BIN", pytrace=False)
    return path


@pytest.fixture
def run(mlpc_bin, tmp_path):
    """run(*args, cwd=tmp_path, check=0, env={}, timeout=600) -> Outcome. `check` is the exit code that
    has to come (True is 0, None or False is any)."""

    def call(*args, cwd=tmp_path, check=0, env=None, timeout=600, stdin=None):
        args = [str(arg) for arg in args]
        done = subprocess.run(
            [str(mlpc_bin), *args], cwd=cwd, env=clean_environment(env), timeout=timeout,
            input=stdin, capture_output=True, text=True, errors="replace",
        )  # fmt: skip
        outcome = Outcome(args, done.returncode, done.stdout, done.stderr)
        if check is not None and check is not False:
            expected = 0 if check is True else check
            if outcome.code != expected:
                pytest.fail(f"exit code {outcome.code}, expected {expected}\n{outcome}", pytrace=False)
        return outcome

    return call


@pytest.fixture
def start(mlpc_bin, tmp_path):
    """start(*args, cwd=tmp_path, env={}) -> Popen with pipes, in a process group of its own, for tests
    that kill or interrupt. What still runs at the end of the test is killed."""
    started = []

    def call(*args, cwd=tmp_path, env=None):
        process = subprocess.Popen(
            [str(mlpc_bin), *map(str, args)], cwd=cwd, env=clean_environment(env), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        started.append(process)
        return process

    yield call
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def shared(tmp_path):
    """A writable copy of the shared workflows/ and data/ in a temporary folder, or a skip where a
    checkout comes without them. The tests write into the copy only."""
    if not (SHARED / "workflows").is_dir() or not (SHARED / "data").is_dir():
        pytest.skip("shared workflows and data are not beside this tree (MLP_SHARED)")
    copy = tmp_path / "shared"
    for name in ("workflows", "data"):
        shutil.copytree(SHARED / name, copy / name)
    for path in [copy, *copy.rglob("*")]:  # the original may be read-only
        path.chmod(path.stat().st_mode | 0o200)
    return copy


@pytest.fixture(scope="session")
def soak():
    """True when full counts are asked for (scripts/soak.sh); the usual run makes a twentieth."""
    return os.environ.get("MLP_SOAK") == "1"


@pytest.fixture(scope="session")
def seed():
    """The seed of this run's random tests; printed by scripts/test.sh, repeated with MLP_SEED."""
    value = int(os.environ.get("MLP_SEED", "1"))
    print(f"MLP_SEED={value}")
    return value
