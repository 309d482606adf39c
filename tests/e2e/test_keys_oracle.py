"""Keys by oracle: an edit recomputes exactly the cells whose values could change, by a judgement that knows no keys."""

import random
import re

import pytest

from made import computed_values, ran
from oracle import Workflow

WORKFLOWS, EDITS = 8, 5


@pytest.mark.parametrize("number", range(WORKFLOWS))
def test_an_edit_recomputes_exactly_the_cells_that_could_change(run, tmp_path, seed, soak, number):
    made = Workflow(random.Random(f"{seed}/{number}"))
    who = f"MLP_SEED={seed}, workflow {number}"
    path = made.write(tmp_path)
    check_run(run, path, made, f"{who}, first run")
    for turn in range(EDITS * (20 if soak else 1)):
        names_before = {i: made.qualified(i) for i in made.columns}
        texts_before = {i: made.text_of(c.tree) for i, c in made.columns.items() if c.tree}
        what, edited = made.edit()
        path = made.write(tmp_path)
        who_now = f"{who}, edit {turn}: {what}"
        planned = {s["name"]: s for s in run("plan", path, "--format", "json").json["steps"]}
        for id_ in edited:
            check_why(run, path, made, id_, names_before, texts_before, who_now)
        expected = check_run(run, path, made, who_now)
        for name in expected:
            assert planned[name]["action"] in ("run", "may_run"), f"{who_now}: plan calls {name} {planned[name]['action']}"
        check_lineage(run, path, made, edited, who_now)


def check_run(run, path, made, who):
    outcome = run("run", path, "--format", "json")
    expected = made.to_compute()
    computed = {name: cells for name, (kind, cells, _) in ran(outcome).items() if kind in ("read", "kernel") and name in names_of(made)}
    assert computed == expected, f"{who}\n{made.program()}"
    if " renamed to " in who or "white space" in who:
        assert computed_values(outcome) == set(), who
    return expected


def names_of(made):
    return {made.qualified(i) for i in made.columns}


def check_why(run, path, made, id_, names_before, texts_before, who):
    said = run("why", path, made.qualified(id_), "--format", "json").json["steps"][0]
    if id_ not in names_before:
        assert "not computed before" in said["reason"], (who, said)
        return
    assert said["action"] == "run", (who, said)
    assert "its code changed" in said["reason"], (who, said)
    before, after = said["reason"].split(": ", 1)[1].split(" -> ")
    for said_code, written in ((before, texts_before[id_]), (after, made.text_of(made.columns[id_].tree))):
        assert narrows(written) or plain(said_code) == plain(written), who
    assert before != after, who


def narrows(text):
    """Whether a test for a missing value decides another part of the code: the printer shows what is left to decide."""
    return any(len(re.findall(rf"\b{name}\b", text)) > 1 for name in re.findall(r"(\w+) is (?:known|missing)", text.replace("(", " ").replace(")", " ")))


def plain(text):
    """A code without what the printer may choose: parentheses, `438.0` as `438`, and a default that is never used."""
    text = text.replace("(", "").replace(")", "").replace(" is known ?? false", " is known")
    return re.sub(r"(\d)\.0\b", r"\1", text)


def check_lineage(run, path, made, edited, who):
    for id_ in edited:
        reach = run("lineage", made.qualified(id_), "--file", path, "--down", "--format", "json").json
        named = {n["name"] for n in reach["nodes"] if n["name"] in names_of(made)}
        assert named - {made.qualified(id_)} == {made.qualified(i) for i in made.downstream({id_})} - {made.qualified(id_)}, who
