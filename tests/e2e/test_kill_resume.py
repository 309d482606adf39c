"""A run that is killed or interrupted loses nothing that was kept: the next one resumes, and ends the same."""

import os
import random
import shutil
import signal
import time

import pytest

from made import copy_folder, make_census, results_of


def finished_lines(process):
    """Lines of progress on stderr: one for each step that ran."""
    for line in process.stderr:
        if line.startswith("["):
            yield line


def expect_same(run, workflow, expected, whole, who):
    result = run("run", workflow, "--format", "json").json
    assert result["status"] == "ok", who
    assert result["metrics"] == whole["metrics"], who
    assert results_of(run, workflow) == expected, who
    verified = run("cache", "verify", "--store", workflow.parent / ".mlp", "--format", "json").json
    assert verified["clean"] is True, (who, verified)
    assert run("run", workflow, "--format", "json").json["steps"]["ran"] == 0, who
    return result


def whole_run(run, tmp_path, rows):
    workflow = make_census(tmp_path / "whole", rows=rows)
    began = time.monotonic()
    whole = run("run", workflow, "-j", "2", "--format", "json").json
    return workflow, whole, results_of(run, workflow), time.monotonic() - began


def test_kill_after_each_finished_step_in_turn(run, start, tmp_path, soak):
    workflow, whole, expected, _ = whole_run(run, tmp_path, 400)
    steps = whole["steps"]["ran"]
    assert steps > 20
    for step in range(1, steps + 1):
        copy = copy_folder(workflow.parent, tmp_path / "copy") / workflow.name
        process = start("run", copy, "-j", "2")
        for number, _ in enumerate(finished_lines(process), 1):
            if number == step:
                break
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        expect_same(run, copy, expected, whole, f"killed after step {step}")
        shutil.rmtree(tmp_path / "copy")


def test_kill_at_seeded_times(run, start, tmp_path, soak, seed):
    workflow, whole, expected, seconds = whole_run(run, tmp_path, 3000)
    draw = random.Random(seed)
    for turn in range(400 if soak else 20):
        copy = copy_folder(workflow.parent, tmp_path / "copy") / workflow.name
        delay = draw.uniform(0, seconds)
        process = start("run", copy, "-j", "2")
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        expect_same(run, copy, expected, whole, f"killed after {delay:.3f} s (MLP_SEED={seed}, turn {turn})")
        shutil.rmtree(tmp_path / "copy")


def test_kill_again_and_again_still_ends(run, start, tmp_path, seed):
    """One store, killed ten times in a row, without a whole run between."""
    workflow, whole, expected, seconds = whole_run(run, tmp_path, 3000)
    copy = copy_folder(workflow.parent, tmp_path / "copy") / workflow.name
    draw = random.Random(seed + 1)
    for _ in range(10):
        process = start("run", copy)
        time.sleep(draw.uniform(0, seconds))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    expect_same(run, copy, expected, whole, "killed ten times")


def test_what_finished_before_a_kill_is_not_computed_again(run, start, tmp_path):
    workflow, whole, expected, _ = whole_run(run, tmp_path, 3000)
    copy = copy_folder(workflow.parent, tmp_path / "copy") / workflow.name
    process = start("run", copy, "-j", "1")
    seen = 0
    for line in finished_lines(process):
        seen += 1
        if "train" in line or "model" in line:
            break
    time.sleep(0.6)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    result = expect_same(run, copy, expected, whole, "killed late")
    assert result["steps"]["ran"] < whole["steps"]["ran"], f"{seen} steps were finished"


def test_ctrl_c_stops_cleanly_and_the_next_run_resumes(run, start, tmp_path):
    workflow, whole, expected, _ = whole_run(run, tmp_path, 3000)
    copy = copy_folder(workflow.parent, tmp_path / "copy") / workflow.name
    process = start("run", copy, "-j", "1", "--format", "json")
    lines = finished_lines(process)
    next(lines)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 5, (process.returncode, err)
    assert "E0906" in err
    assert "goes on" in err or "resume" in err
    runs = run("runs", "--store", copy.parent / ".mlp", "--format", "json").json["runs"]
    assert runs[0]["status"] == "failed" and runs[0]["ended"]
    expect_same(run, copy, expected, whole, "interrupted")


def test_a_killed_run_is_told_apart_in_the_list(run, start, tmp_path):
    workflow, *_ = whole_run(run, tmp_path, 3000)
    copy = copy_folder(workflow.parent, tmp_path / "copy") / workflow.name
    process = start("run", copy)
    next(finished_lines(process))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert "did not end" in run("runs", "--store", copy.parent / ".mlp").out


@pytest.mark.parametrize("how", ["in forty places", "everywhere"])
def test_damaged_objects_are_found_and_made_anew(run, tmp_path, seed, how):
    workflow, whole, expected, _ = whole_run(run, tmp_path, 1500)
    draw = random.Random(seed)
    store = workflow.parent / ".mlp"
    packs = sorted(p for p in store.rglob("*") if p.is_file() and "pack" in str(p.relative_to(store)))
    assert packs, sorted(str(p) for p in store.rglob("*"))
    data = bytearray(packs[0].read_bytes())
    damaged = range(64, len(data), 50) if how == "everywhere" else [draw.randrange(64, len(data)) for _ in range(40)]
    for place in damaged:
        data[place] ^= 0xFF
    packs[0].write_bytes(bytes(data))
    verified = run("cache", "verify", "--store", store, "--format", "json", check=5).json
    assert verified["clean"] is False and verified["damaged"]
    result = run("run", workflow, "--format", "json").json
    assert result["metrics"] == whole["metrics"]


def test_two_runs_may_share_a_store(run, start, tmp_path):
    workflow, whole, expected, _ = whole_run(run, tmp_path, 3000)
    copy = copy_folder(workflow.parent, tmp_path / "copy") / workflow.name
    both = [start("run", copy, "--format", "json") for _ in range(2)]
    for process in both:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    expect_same(run, copy, expected, whole, "two at once")
