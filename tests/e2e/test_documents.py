"""Every program in the documents and examples is right; the examples run."""

import pathlib
import re
import shutil

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
EXAMPLES = sorted(path for path in (ROOT / "examples").rglob("*.mlp") if path.is_file())  # the state of a run is the folder `.mlp`


def programs(document):
    """Programs in a document: the ```mlp blocks. One that is no whole workflow is checked behind the latest comment
    `<!-- with` above it, which holds the rest."""
    rest = ""
    for found in re.finditer(r"<!-- with\n(.*?)-->|^```mlp\n(.*?)^```", document.read_text(encoding="utf-8"), flags=re.S | re.M):
        if found.group(1) is not None:
            rest = found.group(1)
            continue
        text = found.group(2)
        whole = re.search(r"^workflow \w", text, flags=re.M)
        yield text if whole else rest + "\n" + text


PROGRAMS = [(document, i, text) for document in DOCUMENTS for i, text in enumerate(programs(document), 1)]


@pytest.mark.parametrize("document, number, text", PROGRAMS, ids=[f"{d.relative_to(ROOT)}#{i}" for d, i, _ in PROGRAMS])
def test_a_program_in_a_document_is_right(run, tmp_path, document, number, text):
    (tmp_path / "program.mlp").write_text(text, encoding="utf-8")
    run("check", tmp_path / "program.mlp")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: str(p.relative_to(ROOT)))
def test_an_example_runs(run, tmp_path, example):
    folder = tmp_path / example.parent.name
    shutil.copytree(example.parent, folder, ignore=shutil.ignore_patterns(".mlp"))
    workflow = folder / example.name
    run("check", workflow)
    assert run("test", workflow, "--format", "json").json["failed"] == 0
    result = run("run", workflow, "--format", "json").json
    assert result["status"] == "ok"
    assert {gate["status"] for gate in result["gates"]} <= {"passed", "not_applicable"}
    assert run("run", workflow, "--format", "json").json["steps"]["ran"] == 0


def test_there_are_examples_and_programs():
    assert len(EXAMPLES) >= 2
    assert len(PROGRAMS) >= 5


def test_links_inside_the_documents_lead_somewhere():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.relative_to(ROOT)}: {target}"


def test_the_first_workflow_checks(run, income):
    run("check", income)
