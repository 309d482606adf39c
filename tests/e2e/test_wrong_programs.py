"""Wrong programs stop before a row is read: each gives exactly its diagnostic, at the wrong line, with a mend."""

import pytest

BASE = """workflow wrong

data people from csv("there_is_no_such_file.csv") {
    id     : int @key
    age    : int in 0..120
    job    : category?
    gain   : float
    gender : category("f", "m") @protected
    email  : string @pii
    seen   : timestamp @time
    paid   : float @available(after 7d)
    rich   : bool @label
}

feature profile of people {
    age, job
    net = gain - 100
}

split parts of people time 70/15/15

train m of profile {
    predict rich
    split   parts
    model   gbdt { trees: 10, depth: 3 }
    refit   none
    seed    1
}

evaluate m {
    metrics auc, log_loss
    require auc >= 0.6
}
"""

# rule: (code, text of BASE, what stands there instead; `#!` ends the line that the message has to name)
WRONG = {
    "a character that starts nothing": ("E0102", "    net = gain - 100\n", "    net = gain $ 100 #!\n"),
    "a text that is not closed": ("E0103", '    job    : category?\n', '    job    : category? as "job\n'),
    "a number glued to letters": ("E0104", "    net = gain - 100\n", "    net = gain - 100abc #!\n"),
    "an entry that is no grammar": ("E0101", "    refit   none\n", "    refit   = none #!\n"),
    "a table that is not declared": ("E0201", "feature profile of people {", "feature profile of peopel { #!"),
    "an unknown column": ("E0203", "    net = gain - 100\n", "    net = gian - 100 #!\n"),
    "a name declared twice": ("E0202", "    net = gain - 100\n", "    net = gain - 100\n    net = gain - 200 #!\n"),
    "an unknown function": ("E0204", "    net = gain - 100\n", "    net = log1q(gain) #!\n"),
    "declarations that need each other": ("E0205", "    net = gain - 100\n", "    net = other + 1\n    other = net + 1\n"),
    "an unknown entry of a block": ("E0206", "    refit   none\n", "    refits  none #!\n"),
    "an unknown model parameter": ("E0208", "trees: 10,", "treees: 10,"),
    "a model parameter out of its range": ("E0303", "depth: 3", "depth: 64"),
    "an argument too many": ("E0209", "    net = gain - 100\n", "    net = sqrt(gain, 2) #!\n"),
    "a field given twice": ("E0210", "    refit   none\n", "    refit   none\n    refit   none #!\n"),
    "types that do not fit": ("E0301", "    net = gain - 100\n", '    net = gain - "100" #!\n'),
    "a missing value that is not handled": ("E0302", "    net = gain - 100\n", '    net = starts_with(job, "a") #!\n'),
    "the label among the features": ("E0401", "    net = gain - 100\n", "    net = gain - 100\n    rich #!\n"),
    "the label inside a feature": ("E0401", "    net = gain - 100\n", "    net = gain - 100 * float(rich) #!\n"),
    "a value available too late": ("E0412", "    net = gain - 100\n", "    net = gain - paid #!\n"),
    "a protected column as a feature": ("E0501", "    net = gain - 100\n", "    net = gain - 100\n    gender #!\n"),
    "a personal column as a feature": ("E0502", "    net = gain - 100\n", "    net = length(email) #!\n"),
    "a random split of a table with time": ("E0403", "split parts of people time 70/15/15", "split parts of people random 70/15/15 #!"),
    "a category outside its domain": ("E0305", "    net = gain - 100\n", '    net = gender == "x" #!\n'),
    "a metric of another task": ("E0307", "    metrics auc, log_loss\n", "    metrics auc, rmse #!\n"),
    "a required field that is missing": ("E0207", "    model   gbdt { trees: 10, depth: 3 }\n", ""),
}  # fmt: skip


def make(tmp_path, text):
    path = tmp_path / "wrong.mlp"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_base_of_the_wrong_programs_is_right(run, tmp_path):
    result = run("check", make(tmp_path, BASE), "--format", "json").json
    assert result == {**result, "format_version": 1, "valid": True, "error_count": 0, "warning_count": 0, "diagnostics": []}


@pytest.mark.parametrize("rule", WRONG)
def test_a_wrong_program_gives_exactly_its_diagnostic(run, tmp_path, rule):
    code, right, wrong = WRONG[rule]
    assert BASE.count(right) == 1
    text = BASE.replace(right, wrong)
    path = make(tmp_path, text)
    result = run("check", path, "--format", "json", check=1).json
    assert [d["code"] for d in result["diagnostics"]] == [code], result["diagnostics"]
    assert result["valid"] is False and result["error_count"] == 1
    (found,) = result["diagnostics"]
    if "#!" in wrong:
        assert found["line"] == 1 + text[: text.index("#!")].count("\n")
    elif wrong and code not in ("E0207",):
        begin = text.index(wrong)
        assert 1 + text[:begin].count("\n") <= found["line"] <= 1 + text[: begin + len(wrong)].count("\n")
    assert found["column"] >= 1 and found["end_line"] >= found["line"]
    assert found["severity"] == "error"
    assert found["message"] and found["help"], "what is wrong, and how to mend it"
    # the same on a terminal, and `run` says it too, reading no data
    shown = run("run", path, check=1)
    assert f"error[{code}]" in shown.err and "wrong.mlp:" in shown.err and "= help:" in shown.err
    assert f"{code}" in run("explain", code).out


def test_three_mistakes_give_three_messages_in_one_run(run, tmp_path):
    text = (
        BASE.replace("net = gain - 100", "net = gian - 100")
        .replace("depth: 3", "depth: 64")
        .replace("metrics auc, log_loss", "metrics auc, rmse")
    )
    found = run("check", make(tmp_path, text), "--format", "json", check=1).json["diagnostics"]
    assert sorted(d["code"] for d in found) == ["E0203", "E0303", "E0307"]


def test_what_uses_a_wrong_column_is_not_told_again(run, tmp_path):
    text = BASE.replace("    net = gain - 100\n", "    net = gian - 100\n    twice = net * 2\n    big = twice > 10\n")
    found = run("check", make(tmp_path, text), "--format", "json", check=1).json["diagnostics"]
    assert [d["code"] for d in found] == ["E0203"]


def test_a_near_name_is_offered(run, tmp_path):
    text = BASE.replace("net = gain - 100", "net = gian - 100")
    (found,) = run("check", make(tmp_path, text), "--format", "json", check=1).json["diagnostics"]
    assert "`gain`" in found["help"] or "`gain`" in str(found["fixes"])


def test_a_form_that_cannot_run_yet_is_checked_and_said_before_anything_runs(run, tmp_path):
    text = BASE.replace("trees: 10,", "trees: tune 10..20,").replace("    refit   none\n", "    refit   none\n    tune    maximize auc trials 3\n")
    path = make(tmp_path, text)
    assert run("check", path, "--format", "json").json["valid"] is True
    shown = run("run", path, check=1)
    assert "E0601" in shown.err
    assert "there_is_no_such_file" not in shown.err


@pytest.mark.parametrize(
    "text",
    ["workflow", "workflow w\n" + "(" * 100_000, "workflow w\ndata d from csv(\"x\") {" * 2000, "\0\1\2", "workflow w\n" + "x" * 3_000_000],
    ids=["half a line", "100,000 parentheses", "2,000 open blocks", "no text", "three million letters"],
)
def test_no_text_brings_the_compiler_down(run, tmp_path, text):
    outcome = run("check", make(tmp_path, text), "--format", "json", check=1, timeout=20)
    assert outcome.json["error_count"] >= 1
    assert all(d["code"].startswith("E0") for d in outcome.json["diagnostics"] if d["severity"] == "error")


def test_a_usage_mistake_is_told_apart(run, tmp_path):
    assert run("run", check=2).err
    assert run("no-such-command", check=2).err
    assert run("run", make(tmp_path, BASE), "--no-such-option", check=2).err
    assert "E0901" in run("check", tmp_path / "none.mlp", check=5).err
