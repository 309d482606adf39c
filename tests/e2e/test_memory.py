"""Tables that are larger than memory: what goes by fragments stays small, what cannot is told before it runs."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

SOAK = bool(os.environ.get("MLP_SOAK"))


# In a small process of its own: the peak of a child begins with the memory of the process that starts it.
MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
print(json.dumps([done.returncode, done.stdout + done.stderr, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]))
"""


def peak(mlpc, folder, *arguments):
    """(exit code, what it said, MB) of a command."""
    done = subprocess.run([sys.executable, "-c", MEASURED, mlpc, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def program(rows):
    """A table of ten columns, 80 bytes a row, a pipeline over it, and features."""
    return f"""workflow readings
data readings from synthetic(rows: {rows}, seed: 3) {{
    id      : int = row_number()
    at      : int = uniform_int(0, 1_000_000)
    place   : int = uniform_int(0, 499)
    heat    : float = normal(20, 5)
    wet     : float = uniform(0, 1)
    wind    : float = normal(6, 2)
    light   : float = uniform(0, 900)
    load    : float = 3 * heat + wind
    cost    : float = load * 0.2 + normal(0, 1)
    count   : int = uniform_int(1, 9)
    expect count >= 1 for all rows
}}
data places from synthetic(rows: 500, seed: 4) {{ number : int = row_number() @key; rate : float = uniform(1, 2) }}
data by_place = readings
    | where wet < 0.99
    | join one places on place == places.number
    | derive price = cost * rate
    | group by place {{ n = count(), total = sum(price), warmest = max(heat), spread = std(load) }}
feature reading of readings {{ windy = wind > 8; glow = log1p(light) }}
"""


@pytest.fixture
def mlpc():
    return os.environ["MLPC_BIN"]


@pytest.mark.skipif("MLP_SANITIZED" in os.environ, reason="sanitizers take memory of their own")
def test_a_pipeline_goes_by_fragments(mlpc, tmp_path):
    """Four times the rows, in the memory of a few fragments."""
    peaks = []
    for rows in (500_000, 2_000_000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        (folder / "w.mlp").write_text(program(rows))
        code, said, megabytes = peak(mlpc, folder, "run", "w.mlp", "--quiet", "--memory", "100MB")
        assert code == 0, said
        peaks.append(megabytes)
    assert peaks[1] < 160e6 / 1e6 + 250  # a table of 160 MB: 100 MB of columns that are kept, and the program itself
    assert peaks[1] < peaks[0] + 80


def test_memory_changes_no_bit(run, tmp_path):
    (tmp_path / "w.mlp").write_text(program(150_000))
    shown = [run("query", "w.mlp", "select * from by_place order by place", "--format", "csv", "--store", str(tmp_path / store), *memory).out
             for store, memory in (("a", []), ("b", ["--memory", "20MB"]), ("c", ["--memory", "20MB", "-j", "1"]))]
    assert shown[0] == shown[1] == shown[2] and shown[0].count("\n") > 490


@pytest.mark.parametrize("stage, step", [("sort by heat desc | select id", "by_order"), ("dedupe by heat | select id", "by_order"), ("window by place order by heat { n = rank() } | select n", "order")])
def test_what_does_not_fit_is_told_before_it_runs(run, tmp_path, stage, step):
    (tmp_path / "w.mlp").write_text(program(400_000) + f"data by_order = readings | {stage}\n")
    said = run("run", "w.mlp", "--memory", "10MB", "--format", "json", check=5)
    failure = json.loads(said.out)["diagnostics"][0]
    assert failure["code"] == "E0915" and step in failure["message"] and "400,000 rows" in failure["message"] and "10 MB" in failure["message"]
    again = json.loads(run("run", "w.mlp", "--memory", "1GB", "--format", "json").out)
    assert again["status"] == "ok" and again["steps"]["reused"] > 0


def test_groups_that_do_not_fit(run, tmp_path):
    (tmp_path / "w.mlp").write_text(program(400_000) + "data each = readings | group by id { n = count() }\n")
    said = json.loads(run("run", "w.mlp", "--memory", "10MB", "--format", "json", check=5).out)
    assert said["diagnostics"][0]["code"] == "E0915" and "groups" in said["diagnostics"][0]["message"]


def test_sql_spills_and_leaves_nothing_behind(run, tmp_path):
    (tmp_path / "w.mlp").write_text(program(400_000) + 'data sorted = readings | select id, heat, wet, wind, light, cost | sql("select * from input order by heat, id")\n')
    asked = "select id, heat, wet, wind from readings order by wet, id"
    first, small = (run("query", "w.mlp", asked, "--rows", "1000", "--format", "csv", "--store", store, *memory).out for store, memory in (("a", []), ("b", ["--memory", "40MB"])))
    assert first == small and first.count("\n") == 1001
    shown = [run("peek", "w.mlp", "sorted", "--format", "csv", "--store", store, *memory).out for store, memory in (("a", []), ("b", ["--memory", "50MB"]))]
    assert shown[0] == shown[1]
    assert not [path for store in "ab" for path in (tmp_path / store).glob("spill*")]


@pytest.mark.parametrize("size", ["much", "0", "-4GB", "10", "4 elephants"])
def test_sizes_that_are_none(run, tmp_path, size):
    (tmp_path / "w.mlp").write_text(program(100))
    said = run("run", "w.mlp", f"--memory={size}", check=2).err
    assert f"`{size}` is no amount of memory: write it as 4GB" in said


@pytest.mark.parametrize("size", ["20MB", "0.02GB", "20 mb", "20M", "19.1MiB", "20000000"])
def test_sizes(run, tmp_path, size):
    (tmp_path / "w.mlp").write_text(program(400_000) + "data by_order = readings | sort by heat desc | select id\n")
    assert "may use 20 MB" in run("run", "w.mlp", f"--memory={size}", check=5).err


@pytest.mark.skipif(not SOAK, reason="20 GB: MLP_SOAK=1")
def test_twenty_gigabytes_with_four(mlpc, tmp_path):
    """TRUST: a table of 20 GB passes with 4 GB."""
    if shutil.disk_usage(tmp_path).free < 45e9:
        pytest.skip("needs 45 GB of disk")
    (tmp_path / "w.mlp").write_text(program(250_000_000))
    code, said, megabytes = peak(mlpc, tmp_path, "run", "w.mlp", "--quiet", "--memory", "4GB")
    print(said, f"{megabytes:.0f} MB")
    assert code == 0, said
    assert megabytes < 4000
    shutil.rmtree(pathlib.Path(tmp_path) / ".mlp")
