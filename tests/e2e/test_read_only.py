"""`check`, `plan`, `why`, `lineage` and the other commands that only look write nothing."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from made import edit, make_census

LOOKING = [
    ["check", "census.mlp"],
    ["plan", "census.mlp"],
    ["plan", "census.mlp", "--format", "json"],
    ["why", "census.mlp", "profile.log_gain"],
    ["lineage", "profile.log_gain"],
    ["lineage", "boosted", "--file", "census.mlp"],
    ["runs"],
    ["show"],
    ["models"],
    ["cache", "verify"],
    ["cache", "stats"],
    ["test", "census.mlp"],
    ["lock", "census.mlp", "--check"],
]


def snapshot(folder):
    return {
        str(p.relative_to(folder)): (p.stat().st_mtime_ns, p.stat().st_size, p.stat().st_ino)
        for p in [folder, *sorted(folder.rglob("*"))]
    }


@pytest.mark.parametrize("edited", [False, True], ids=["up to date", "edited"])
def test_looking_writes_nothing(run, tmp_path, edited):
    folder = tmp_path / "here"
    workflow = make_census(folder)
    run("run", workflow)
    if edited:
        edit(workflow, "log1p(gain)", "log1p(gain + 1)")
    before = snapshot(folder)
    for command in LOOKING:
        run(*command, cwd=folder)
        assert snapshot(folder) == before, command


def test_plan_of_a_workflow_that_never_ran_makes_no_state(run, tmp_path):
    folder = tmp_path / "here"
    make_census(folder)
    run("check", "census.mlp", cwd=folder)
    plan = run("plan", "census.mlp", "--format", "json", cwd=folder).json
    assert plan["summary"]["reuse"] == 0 and plan["summary"]["run"] > 0
    assert sorted(p.name for p in folder.iterdir()) == ["census.mlp", "people.csv"]


@pytest.fixture
def other_user_folder():
    """A folder in which someone else may only read: this user without permission to write, or `nobody` when run by root."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mlp-read-only-"))
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o700 if path.is_dir() else 0o600)
    shutil.rmtree(folder)


def test_looking_works_in_a_folder_that_may_not_be_written(run, mlpc_bin, other_user_folder):
    folder = other_user_folder
    workflow = make_census(folder)
    run("run", workflow)
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    who = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    try:
        subprocess.run([str(mlpc_bin), "version"], check=True, capture_output=True, cwd="/", **who)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the binary cannot be run by an unprivileged user here")
    for command in LOOKING:
        done = subprocess.run([str(mlpc_bin), *command], cwd=folder, capture_output=True, text=True, env={"NO_COLOR": "1"}, **who)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    # and a run says what is in its way
    done = subprocess.run([str(mlpc_bin), "run", "census.mlp"], cwd=folder, capture_output=True, text=True, env={"NO_COLOR": "1"}, **who)
    if done.returncode != 0:
        assert done.returncode == 5 and "E090" in done.stderr
