"""`import` and `env`: names of another file, and what differs in one place."""

import random

import pytest

SHARED = """
param low: int = 18

fn half(x: float) -> float = x / 2.0

data customers from csv("customers.csv") {
    id   : int @key
    age  : int in 0..120
    fee  : float
    left : bool @label
}
"""
MAIN = """workflow main

import "shared/customers.mlp" as shared

param trees: int in 1..100 = 10

env prod { param trees = 20 }

feature v of shared.customers {
    age
    h     = shared.half(fee)
    grown = age >= shared.low
}

train m of v {
    predict left
    split   random 70/15/15
    model   gbdt { trees: trees }
}
"""


@pytest.fixture
def workflow(tmp_path):
    draw = random.Random(7)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/customers.mlp").write_text(SHARED)
    rows = [(i, draw.randint(18, 90), round(draw.random() * 100, 2)) for i in range(600)]
    lines = [f"{i},{age},{fee},{'true' if draw.random() < age / 100 else 'false'}" for i, age, fee in rows]
    (tmp_path / "shared/customers.csv").write_text("\n".join(["id,age,fee,left", *lines]) + "\n")
    (tmp_path / "main.mlp").write_text(MAIN)
    return tmp_path / "main.mlp"


def ran(result):
    return result.json["steps"]["ran"]


def test_an_imported_table_function_and_param_run_like_their_own(run, workflow):
    assert ran(run("run", workflow, "--format", "json")) > 5
    assert ran(run("run", workflow, "--format", "json")) == 0


def test_an_edit_of_the_imported_file_is_seen_and_runs_what_it_changes(run, workflow):
    everything = ran(run("run", workflow, "--format", "json"))
    shared = workflow.parent / "shared/customers.mlp"
    shared.write_text(shared.read_text().replace("x / 2.0", "x / 3.0"))
    assert 0 < ran(run("run", workflow, "--format", "json")) < everything


def test_an_environment_sets_its_params_and_is_shown(run, workflow):
    run("run", workflow)
    plan = run("plan", workflow, "--env", "prod", "--format", "json").json
    assert {"name": "trees", "value": "20", "from": "env prod"} in plan["params"]
    assert plan["summary"]["run"] + plan["summary"]["may_run"] > 0
    given = run("plan", workflow, "--env", "prod", "--param", "trees=30", "--format", "json").json
    assert {"name": "trees", "value": "30", "from": "--param"} in given["params"]


def test_an_environment_reads_another_source(run, workflow):
    table = workflow.parent / "people.csv"
    table.write_text((workflow.parent / "shared/customers.csv").read_text())
    text = SHARED.replace('csv("customers.csv")', 'csv("absent.csv")') + '\nenv here { data customers from csv("people.csv") }\n'
    alone = workflow.parent / "alone.mlp"
    alone.write_text("workflow alone\n" + text + MAIN[MAIN.index("feature v"):].replace("shared.", "").replace("trees: trees", "trees: 5"))
    assert "absent.csv" in run("run", alone, check=5).err
    run("run", alone, "--env", "here")


@pytest.mark.parametrize(
    ("edit", "code", "said"),
    [
        (("shared.customers {", "shared.custmers {"), "E0201", "did you mean `customers`"),
        (("shared.half", "shared.hlaf"), "E0201", "did you mean `half`"),
        (("shared.low", "shared.lwo"), "E0203", "shared.lwo"),
        (("feature v of shared.customers", "feature v of shared.half"), "E0211", "a table is needed here"),
        (("shared/customers.mlp", "shared/nobody.mlp"), "E0901", "there is no such file"),
        (("shared/customers.mlp", "main.mlp"), "E0205", "imports itself"),
    ],
)
def test_what_is_wrong_with_an_import_is_said_where_it_stands(run, workflow, edit, code, said):
    workflow.write_text(workflow.read_text().replace(*edit))
    result = run("check", workflow, "--format", "json", check=5 if code == "E0901" else 1)
    assert [d["code"] for d in result.json["diagnostics"]] == [code]
    assert said in result.err + str(result.json)


def test_a_circle_of_imports_is_shown(run, tmp_path):
    (tmp_path / "a.mlp").write_text('workflow a\nimport "b.mlp" as b\n')
    (tmp_path / "b.mlp").write_text('import "a.mlp" as a\n')
    said = run("check", tmp_path / "a.mlp", check=1).err
    assert "E0205" in said and said.count("a.mlp` ->") >= 1


def test_an_unknown_environment_is_told(run, workflow):
    assert "did you mean `prod`" in run("check", workflow, "--env", "prd", check=1).err
