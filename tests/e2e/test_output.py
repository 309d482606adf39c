"""Data on stdout, progress and messages on stderr; with --format json one document; no colour where none is wanted."""

import json
import os
import pty
import subprocess

import pytest

from made import edit, make_census, settle

COMMANDS = [
    ["check", "census.mlp"],
    ["plan", "census.mlp"],
    ["run", "census.mlp"],
    ["test", "census.mlp"],
    ["runs"],
    ["show"],
    ["why", "census.mlp", "profile.log_gain"],
    ["models"],
    ["lineage", "boosted"],
    ["cache", "verify"],
    ["cache", "stats"],
    ["explain", "E0412"],
    ["explain", "standardize"],
    ["version"],
]


@pytest.fixture
def folder(run, tmp_path):
    workflow = make_census(tmp_path)
    run("run", workflow)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_json_is_one_document_with_a_version(run, folder, command):
    outcome = run(*command, "--format", "json", cwd=folder)
    assert outcome.out.endswith("}\n") and outcome.out.count("\n") == 1
    assert outcome.json["format_version"] == 1
    assert "\x1b" not in outcome.out + outcome.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_text_on_stdout_is_plain_and_said_without_complaint(run, folder, command):
    outcome = run(*command, cwd=folder)
    assert outcome.out.strip()
    assert "\x1b" not in outcome.out + outcome.err


@pytest.mark.parametrize(
    "mistake, command",
    [("of the workflow", "run"), ("of the workflow", "plan"), ("of the workflow", "check"), ("of the workflow", "test"), ("of the workflow", "why"),
     ("of the data", "run"), ("of the environment", "run"), ("of the environment", "plan")],
)  # fmt: skip
def test_json_of_a_failure_is_one_document_and_the_message_is_on_stderr(run, tmp_path, command, mistake):
    workflow = make_census(tmp_path)
    codes = {"of the workflow": 1, "of the data": 4, "of the environment": 5}
    if mistake == "of the workflow":
        edit(workflow, "log1p(gain)", "log1p(gian)")
    elif mistake == "of the data":
        edit(tmp_path / "people.csv", "hours-per-week", "hours")
    else:
        (tmp_path / "people.csv").unlink()
    more = ["profile.net"] if command == "why" else []
    outcome = run(command, "census.mlp", *more, "--format", "json", cwd=tmp_path, check=codes[mistake])
    assert outcome.out.count("\n") == 1
    assert outcome.json["format_version"] == 1
    (code,) = [d["code"] for d in outcome.json["diagnostics"]]
    assert code in outcome.err or command == "check"


def on_a_terminal(mlpc_bin, folder, *args, **env):
    """What the binary writes when stdout and stderr are a terminal."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [str(mlpc_bin), *args], cwd=folder, stdin=terminal, stdout=terminal, stderr=terminal,
        env={**{k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}, "TERM": "xterm", **env},
    )  # fmt: skip
    os.close(terminal)
    out = b""
    while True:
        try:
            chunk = os.read(controller, 65536)
        except OSError:
            break
        if not chunk:
            break
        out += chunk
    process.wait()
    os.close(controller)
    return out.decode(errors="replace")


def test_a_terminal_gets_colour_unless_NO_COLOR_is_set(mlpc_bin, tmp_path):
    workflow = make_census(tmp_path)
    edit(workflow, "log1p(gain)", "log1p(gian)")
    assert "\x1b[" in on_a_terminal(mlpc_bin, tmp_path, "check", "census.mlp")
    assert "\x1b[" not in on_a_terminal(mlpc_bin, tmp_path, "check", "census.mlp", NO_COLOR="1")


def test_quiet_says_only_the_result(run, tmp_path):
    workflow = make_census(tmp_path)
    outcome = run("run", workflow, "--quiet")
    assert outcome.err == ""


def test_progress_is_one_line_a_step_on_stderr(run, tmp_path):
    workflow = make_census(tmp_path)
    outcome = run("run", workflow, "--format", "json")
    lines = [line for line in outcome.err.splitlines() if line.startswith("[")]
    assert len(lines) == outcome.json["steps"]["ran"]


def test_detailed_exitcode_of_plan(run, tmp_path):
    workflow = make_census(tmp_path)
    run("plan", workflow, "--detailed-exitcode", check=2)
    run("run", workflow)
    settle(run, workflow)
    run("plan", workflow, "--detailed-exitcode", check=0)


@pytest.mark.xfail(reason="plans in files come with a later issue", strict=True)
def test_a_plan_written_is_run_as_reviewed(run, tmp_path):
    workflow = make_census(tmp_path)
    run("plan", workflow, "--out", tmp_path / "p.json")
    planned = json.loads((tmp_path / "p.json").read_text(encoding="utf-8"))
    assert planned["format_version"] == 1
    result = run("run", tmp_path / "p.json", "--format", "json").json
    assert result["status"] == "ok" and result["steps"]["ran"] > 0
    assert run("run", workflow, "--format", "json").json["steps"]["ran"] == 0


def test_params_come_from_the_command_line_the_environment_or_the_default(run, tmp_path):
    workflow = make_census(tmp_path)

    def seed_of(*args, **env):
        (param,) = run("plan", workflow, "--format", "json", *args, env=env).json["params"]
        return param["value"], param["from"]

    assert seed_of()[0] == "3"
    assert seed_of(MLP_PARAM_seed="5")[0] == "5"
    assert seed_of("--param", "seed=6", MLP_PARAM_seed="5")[0] == "6"
    outcome = run("plan", workflow, "--param", "seed=5000", check=1)
    assert "E0303" in outcome.err
    run("plan", workflow, "--param", "sed=5", check=1)


def test_state_may_live_elsewhere(run, tmp_path):
    workflow = make_census(tmp_path / "here")
    run("run", workflow, "--store", tmp_path / "there")
    assert not (tmp_path / "here" / ".mlp").exists()
    assert run("run", workflow, "--format", "json", env={"MLP_STORE": tmp_path / "there"}).json["steps"]["ran"] == 0
