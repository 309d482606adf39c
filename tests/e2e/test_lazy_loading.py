"""What a command does not need, it does not load: the modules of the kernel compiler and of the trees, and the tables of the
parser. Asked of the dynamic loader, which names every library that it opens and every function that it binds."""

import os
import re
import shutil
import subprocess

import pytest

from made import edit, make_census

MODULES = re.compile(r"libmlp_\w+\.so|libLLVM\S*|libxgboost\S*|libduckdb\S*")
# The generated lexer and parser fill their tables in their constructors, by ANTLR's deserializer. (ANTLR's library calls it
# once by itself, for a small grammar of its own.)
PARSER_BEGINS = re.compile(r"libmlp\.so \[.*symbol `(?:_ZN3mlp7grammar\d+Mlp(?:Lexer|Parser)C[12]E|\w*ATNDeserializer\w*deserialize)")


@pytest.fixture
def loader_says(mlpc_bin, tmp_path):
    """loader_says(what, *args, cwd) -> what the loader reports about `what` while mlpc runs, without mlpc's own output."""

    def call(what, *args, cwd):
        log = tmp_path / "loader"
        done = subprocess.run(
            [str(mlpc_bin), *args], cwd=cwd, capture_output=True, text=True, errors="replace", timeout=600,
            env=dict(os.environ, NO_COLOR="1", LD_DEBUG=what, LD_DEBUG_OUTPUT=str(log)),
        )  # fmt: skip
        assert done.returncode == 0, (args, done.stdout, done.stderr)
        reports = list(tmp_path.glob("loader.*"))
        if not reports:
            pytest.skip("the loader of this system reports nothing (LD_DEBUG)")
        text = "".join(path.read_text(encoding="utf-8", errors="replace") for path in reports)
        for path in reports:
            path.unlink()
        assert "libmlp.so" in text
        return text

    return call


def modules_in(report):
    """Modules, and the libraries behind them, that were opened."""
    return {found for line in report.splitlines() if "calling init" in line or "file=" in line for found in MODULES.findall(line)}


@pytest.fixture
def census(run, tmp_path):
    """The folder of a workflow that ran."""
    workflow = make_census(tmp_path / "here")
    run("run", "census.mlp", cwd=workflow.parent)
    return workflow.parent


LOOKING = [["check", "census.mlp"], ["plan", "census.mlp"], ["why", "census.mlp", "profile.log_gain"], ["runs"], ["show"], ["version"]]


def test_a_run_that_trains_loads_the_trees(loader_says, tmp_path):
    """The observation itself: without it the next tests would prove nothing."""
    workflow = make_census(tmp_path / "here")
    loaded = modules_in(loader_says("files", "run", "census.mlp", cwd=workflow.parent))
    assert "libmlp_xgboost.so" in loaded and any(name.startswith("libxgboost") for name in loaded)


def test_a_run_with_nothing_to_do_loads_no_module(loader_says, census):
    assert modules_in(loader_says("files", "run", "census.mlp", cwd=census)) == set()


@pytest.mark.parametrize("command", LOOKING, ids=lambda command: command[0])
@pytest.mark.parametrize("edited", [False, True], ids=["up to date", "edited"])
def test_looking_loads_no_module(loader_says, census, command, edited):
    if edited:
        edit(census / "census.mlp", "log1p(gain)", "log1p(gain + 1)")
    assert modules_in(loader_says("files", *command, cwd=census)) == set()


def test_only_a_statement_of_sql_loads_duckdb_to_be_checked(loader_says, census):
    edit(census / "census.mlp", "feature profile of people", 'data few = people | sql("select * from input limit 3")\n\nfeature profile of people')
    assert "libmlp_duckdb.so" in modules_in(loader_says("files", "check", "census.mlp", cwd=census))
    loader_says("files", "run", "census.mlp", cwd=census)
    assert modules_in(loader_says("files", "run", "census.mlp", cwd=census)) == set()


def test_a_run_of_few_rows_compiles_no_kernels(loader_says, census):
    edit(census / "census.mlp", "log1p(gain)", "log1p(gain + 1)")
    loaded = modules_in(loader_says("files", "run", "census.mlp", cwd=census))
    assert not [name for name in loaded if "jit" in name or "LLVM" in name]


def test_a_run_with_nothing_to_do_does_not_begin_to_parse(loader_says, census):
    # `check` always parses: that shows in the report, else its absence would say nothing
    if not PARSER_BEGINS.search(loader_says("bindings", "check", "census.mlp", cwd=census)):
        pytest.skip("functions are not bound on first use here (sanitizers, LD_BIND_NOW)")
    assert not PARSER_BEGINS.search(loader_says("bindings", "run", "census.mlp", cwd=census))


@pytest.mark.parametrize("spelling", ["./census.mlp", "../here/census.mlp", "absolute", "from above", "through a link"])
def test_another_spelling_of_the_path_is_the_same_workflow(loader_says, run, census, tmp_path, spelling):
    cwd, path = census, spelling
    if spelling == "absolute":
        path = str(census / "census.mlp")
    elif spelling == "from above":
        cwd, path = census.parent, "here/census.mlp"
    elif spelling == "through a link":
        (tmp_path / "link").symlink_to(census)
        cwd, path = tmp_path, "link/census.mlp"
    again = run("run", path, "--format", "json", cwd=cwd).json
    assert again["steps"]["ran"] == 0
    if not PARSER_BEGINS.search(loader_says("bindings", "check", path, cwd=cwd)):
        pytest.skip("functions are not bound on first use here (sanitizers, LD_BIND_NOW)")
    assert not PARSER_BEGINS.search(loader_says("bindings", "run", path, cwd=cwd))
    # what is kept tells places by the path as it is spelled now
    table = census / "people.csv"
    table.write_text(table.read_text().replace("age", "agee", 1))
    assert f"--> {path}:" in run("run", path, cwd=cwd, check=4).err


def test_looking_leaves_a_folder_without_permission_to_write_as_it_is(run, census, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(census, copy)
    paths = [copy, *sorted(copy.rglob("*"))]
    for path in reversed(paths):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        before = [(p, p.stat().st_mtime_ns, p.stat().st_size) for p in paths]
        for command in LOOKING:
            run(*command, cwd=copy)
            assert [(p, p.stat().st_mtime_ns, p.stat().st_size) for p in [copy, *sorted(copy.rglob("*"))]] == before, command
    finally:
        for path in paths:
            path.chmod(0o755 if path.is_dir() else 0o644)
