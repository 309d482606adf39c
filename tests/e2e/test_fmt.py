"""`mlpc fmt` writes one style, all files or none, and says what it would change."""

import pathlib

from made import CENSUS, make_census

ROOT = pathlib.Path(__file__).resolve().parents[2]
UGLY = 'workflow w\ndata t from csv("t.csv"){\n  a:int   # first\n  long_name :float ?\n}\n'
NEAT = 'workflow w\n\ndata t from csv("t.csv") {\n    a         : int  # first\n    long_name : float?\n}\n'


def test_files_are_written_in_the_style_and_stay_so(run, tmp_path):
    (tmp_path / "a.mlp").write_text(UGLY)
    (tmp_path / "b.mlp").write_text(NEAT)
    check = run("fmt", "--check", tmp_path / "a.mlp", tmp_path / "b.mlp", check=None)
    assert check.code == 1 and "a.mlp" in check.out and "b.mlp" not in check.out
    assert (tmp_path / "a.mlp").read_text() == UGLY
    outcome = run("fmt", tmp_path / "a.mlp", tmp_path / "b.mlp", "--format", "json")
    assert [f["changed"] for f in outcome.json["files"]] == [True, False]
    assert (tmp_path / "a.mlp").read_text() == (tmp_path / "b.mlp").read_text() == NEAT
    assert run("fmt", "--check", tmp_path / "a.mlp").code == 0


def test_a_mistake_in_one_file_leaves_all_as_they_were(run, tmp_path):
    (tmp_path / "a.mlp").write_text(UGLY)
    (tmp_path / "b.mlp").write_text("data t from csv(\n")
    outcome = run("fmt", tmp_path / "a.mlp", tmp_path / "b.mlp", check=None)
    assert outcome.code == 1 and "E0107" in outcome.err and "b.mlp" in outcome.err
    assert (tmp_path / "a.mlp").read_text() == UGLY
    assert run("fmt", tmp_path / "absent.mlp", check=None).code == 5


def test_formatting_computes_nothing_anew(run, tmp_path):
    ugly = "\n".join(line.replace(" = ", "=").replace(" : ", ":").lstrip() for line in CENSUS.splitlines())
    workflow = make_census(tmp_path, rows=300, text=ugly)
    run("run", workflow)
    run("fmt", workflow)
    assert workflow.read_text() != ugly
    assert run("run", workflow, "--format", "json").json["steps"]["ran"] == 0


def test_the_examples_and_the_library_are_in_the_style(run):
    examples = [path for path in (ROOT / "examples").rglob("*.mlp") if path.is_file()]
    run("fmt", "--check", *examples)
