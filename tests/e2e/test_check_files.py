"""`mlpc check` of several files, with --fix, and as SARIF."""

import json
import os
import pathlib
import stat

import pytest

WRONG = """data people from csv("p.csv") { age : int?; job : string }
feature f of people {
    a = age == missing
    b = if job == "x" && age = 3 then 1 else 0
}
"""
MENDED = """data people from csv("p.csv") { age : int?; job : string }
feature f of people {
    a = age is missing
    b = if job == "x" and age == 3 then 1 else 0
}
"""
HABITS = """workflow habits

data people from csv("p.csv") { age : int?; job : string; active : bool; at : timestamp @time }
feature f of people at at {
    x = EXPRESSION
}
"""
# A name that is near is shown, not taken: it may mean another column.
NEAR = 'data people from csv("p.csv") { age : int }\nfeature f of people {\n    a = agee + 1\n}\n'


def write(path, text, mode=0o644):
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


def test_safe_fixes_are_made_and_told(run, tmp_path):
    file = write(tmp_path / "a.mlp", WRONG, 0o640)
    done = run("check", file, "--fix", check=1)
    assert file.read_text() == MENDED
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert "`&&` became `and`" in done.out and "`=` became `==`" in done.out and "3 fixes" in done.out
    assert "error[E0302]" in done.err  # what no program can mend for its author stays


def test_fixes_in_json(run, tmp_path):
    file = write(tmp_path / "a.mlp", WRONG)
    document = run("check", file, "--fix", "--format", "json", check=1).json
    [fixed] = document["fixed"]
    assert fixed["changed"] and fixed["left_out"] == []
    assert {(f["before"], f["after"]) for f in fixed["fixes"]} == {
        ("&&", "and"), ("=", "=="), ("age == missing", "age is missing"),
    }  # fmt: skip
    assert fixed["errors_before"] >= document["error_count"] == 1
    again = run("check", file, "--fix", "--format", "json", check=1).json
    assert again["fixed"][0] | {"file": ""} == {
        "file": "", "changed": False, "errors_before": 1, "fixes": [], "left_out": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong, right",
    [
        ("active && age > 3", "active and age > 3"),
        ("active&&active", "active and active"),
        ("!active", "not active"),
        ("age <> 3", "age != 3"),
        ("age ** 2", "age ^ 2"),
        ("age is not null", "age is known"),
        ("age == None", "age is missing"),
        ("active == True", "active == true"),
        ("if active then 1 elif not active then 2 else 3", "if active then 1 else if not active then 2 else 3"),
        ("active AND NOT active", "active and not active"),
        ("job == 'it''s'", 'job == "it\'s"'),
        ("job == “x”", 'job == "x"'),
        ("age\u00a0+\u00a01", "age + 1"),
        ("age ≤ 3", "age <= 3"),
        ("age * .5", "age * 0.5"),
        ("age > 10 %", "age > 10%"),
        ("mean(people.age) over 5 days", "mean(people.age) over 5d"),
        ("age // a comment of words", "age # a comment of words"),
    ],
)  # fmt: skip
def test_a_mend_whose_meaning_is_certain_is_made(run, tmp_path, wrong, right):
    file = write(tmp_path / "a.mlp", HABITS.replace("EXPRESSION", wrong))
    run("check", file, "--fix")
    assert file.read_text() == HABITS.replace("EXPRESSION", right)


@pytest.mark.parametrize(
    "wrong, offered",
    [
        ("active & age > 3", " and "), ("active | active", "or"), ("active || active", "or"), ("~active", "not "), ("!active == active", "not "),
        ("mean(people.age) over 15m", "15min"), ("mean(people.age) over 1M", "1min"), ("mean(people.age) over 2months", "60d"),
        ("age > 5k", "5_000"), ("age * 1,5", "1.5"), ("age between 3 and 7", "in 3..7"), ("age in 3...7", ".."), ("age > 3 ? 1 : 2", "if age > 3 then 1 else 2"),
        ("len(job)", "length"), ("np.log(age)", "log"), ("coalesce(age, 0)", "age ?? 0"), ("agee", "age"),
    ],
)  # fmt: skip
def test_a_mend_that_may_mean_something_else_is_offered_and_not_made(run, tmp_path, wrong, offered):
    text = HABITS.replace("EXPRESSION", wrong)
    file = write(tmp_path / "a.mlp", text)
    document = run("check", file, "--fix", "--format", "json", check=1).json
    assert file.read_text() == text and not document["fixed"][0]["changed"]
    [found] = document["diagnostics"]
    assert [(f["replacement"].strip(), f["safe"]) for f in found["fixes"]] == [(offered.strip(), False)]
    assert "did you mean" in found["help"] or "write `or`" in found["help"], found["help"]


def test_a_link_stays_a_link(run, tmp_path):
    file = write(tmp_path / "a.mlp", WRONG)
    link = tmp_path / "link.mlp"
    link.symlink_to(file)
    run("check", link, "--fix", check=1)
    assert link.is_symlink() and file.read_text() == MENDED


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_all_other_bytes_stay(run, tmp_path, ending, start):
    file = write(tmp_path / "a.mlp", (start + "# größe 😀\n\n" + WRONG).replace("\n", ending))
    run("check", file, "--fix", check=1)
    assert file.read_bytes().decode() == (start + "# größe 😀\n\n" + MENDED).replace("\n", ending)


@pytest.mark.parametrize("text", [NEAR, "data x from\n", "\xff\x00", ""], ids=["near name", "syntax", "no text", "empty"])
def test_a_file_without_safe_fixes_is_not_written(run, tmp_path, text):
    file = tmp_path / "a.mlp"
    file.write_bytes(text.encode("latin-1"))
    os.utime(file, ns=(1, 1))
    before = file.stat()
    run("check", file, "--fix", check=None)
    assert file.read_bytes() == text.encode("latin-1")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_fixes_never_make_more_errors(run, tmp_path):
    """Over all wrong programs of the goldens: afterwards there are not more errors, and a second --fix finds nothing to do."""
    root = pathlib.Path(__file__).resolve().parents[1] / "golden"
    files = []
    for source in sorted(root.rglob("fail_*.mlp")):
        if "long" not in source.name and "deep" not in source.name and "grow" not in source.name:
            files.append(write(tmp_path / f"{len(files)}_{source.name}", ""))
            files[-1].write_bytes(source.read_bytes())
    before = run("check", *files, "--format", "json", check=None).json["files"]
    after = run("check", *files, "--fix", "--format", "json", check=None).json
    grown = [(b, a) for b, a in zip(before, after["files"]) if a["error_count"] > b["error_count"]]
    assert not grown
    assert any(f["changed"] for f in after["fixed"])
    again = run("check", *files, "--fix", "--format", "json", check=None).json["fixed"]
    assert [f["file"] for f in again if f["changed"]] == []


def test_a_fix_that_uncovers_more_errors_is_left_out(run, tmp_path):
    """Mended, the entry would be read, and with it five more mistakes than the one there was."""
    text = WRONG.replace("    a = age == missing\n", "")
    text = text.replace("b = if job == \"x\" && age = 3 then 1 else 0", "b = nix1 + nix2 + nix3 + nix4 + nix5 = age")
    file = write(tmp_path / "a.mlp", text)
    fixed = run("check", file, "--fix", "--format", "json", check=1).json["fixed"][0]
    assert file.read_text() == text and not fixed["changed"]
    assert [f["before"] for f in fixed["left_out"]] == ["="]
    assert "would give more errors" in run("check", file, "--fix", check=1).out


def test_several_files_have_one_document_and_one_status(run, tmp_path):
    right = write(tmp_path / "right.mlp", 'workflow x\ndata p from csv("p.csv") { a : int }\n')
    wrong = write(tmp_path / "wrong.mlp", WRONG)
    document = run("check", right, wrong, "--format", "json", check=1).json
    assert [f["valid"] for f in document["files"]] == [True, False]
    assert document["error_count"] == sum(f["error_count"] for f in document["files"])
    assert {d["file"] for d in document["diagnostics"]} == {str(wrong)}
    assert run("check", right, "--format", "json").json["valid"]
    run("check", right, wrong, tmp_path / "none.mlp", check=5)
    done = run("check", right, wrong, check=1)
    assert "right.mlp is right" in done.out and "1 of 2 files have errors" in done.err
    assert run("check", right, "--quiet").out == ""
    run("check", right, wrong, "--emit", "ast", check=2)
    run("check", right, "--fix", "--emit", "ast", check=2)


# What section 3 of SARIF 2.1.0 asks of the objects that we write.
def require(thing, needed, allowed=()):
    assert isinstance(thing, dict)
    assert set(needed) <= set(thing) <= set(needed) | set(allowed), thing


def check_region(region):
    require(region, ["startLine", "startColumn", "endLine", "endColumn"])
    assert all(isinstance(v, int) and v >= 1 for v in region.values())
    assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])


def check_location(location):
    require(location, ["physicalLocation"], ["id", "message"])
    require(location["physicalLocation"], ["artifactLocation", "region"])
    require(location["physicalLocation"]["artifactLocation"], ["uri"])
    assert " " not in location["physicalLocation"]["artifactLocation"]["uri"]
    check_region(location["physicalLocation"]["region"])


def check_sarif(log):
    require(log, ["$schema", "version", "runs"])
    assert log["version"] == "2.1.0"
    [one] = log["runs"]
    require(one, ["tool", "results"], ["invocations", "artifacts", "columnKind"])
    driver = one["tool"]["driver"]
    require(driver, ["name"], ["version", "semanticVersion", "rules"])
    assert one["columnKind"] == "utf16CodeUnits"
    ids = [rule["id"] for rule in driver["rules"]]
    assert ids == sorted(set(ids), key=ids.index)
    for rule in driver["rules"]:
        require(rule, ["id"], ["shortDescription", "help", "defaultConfiguration"])
        assert rule["help"]["markdown"].startswith(f"# {rule['id']}: {rule['shortDescription']['text']}")
    for result in one["results"]:
        require(result, ["message", "ruleId", "ruleIndex", "level", "locations"], ["relatedLocations", "fixes"])
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning") and result["message"]["text"]
        for location in result["locations"] + result.get("relatedLocations", []):
            check_location(location)
        for fix in result.get("fixes", []):
            require(fix, ["artifactChanges"], ["description", "properties"])
            for change in fix["artifactChanges"]:
                require(change, ["artifactLocation", "replacements"])
                for replacement in change["replacements"]:
                    require(replacement, ["deletedRegion"], ["insertedContent"])
                    check_region(replacement["deletedRegion"])
    # The published schema, where a checkout has it (MLP_SARIF_SCHEMA) and a validator is installed.
    path = os.environ.get("MLP_SARIF_SCHEMA")
    if path:
        pytest.importorskip("jsonschema").Draft7Validator(json.loads(pathlib.Path(path).read_text())).validate(log)
    return one


def test_sarif_of_several_files(run, tmp_path):
    wrong = write(tmp_path / "a b.mlp", WRONG)
    near = write(tmp_path / "near.mlp", NEAR)
    log = run("check", "a b.mlp", "near.mlp", "--format", "sarif", check=1).json
    one = check_sarif(log)
    assert [a["location"]["uri"] for a in one["artifacts"]] == ["a%20b.mlp", "near.mlp"]
    places = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in one["results"]}
    assert places == {"a%20b.mlp", "near.mlp"}
    fixes = [fix for r in one["results"] for fix in r.get("fixes", [])]
    assert {fix["properties"]["safe"] for fix in fixes} == {True, False}
    assert any("relatedLocations" in r for r in one["results"]) or wrong and near
    check_sarif(run("check", tmp_path / "none.mlp", "--format", "sarif", check=5).json)
    assert run("check", tmp_path / "none.mlp", "--format", "sarif", check=5).json["runs"][0]["invocations"] == [{"executionSuccessful": False}]


def test_sarif_columns_are_utf16_code_units(run, tmp_path):
    """😀 is two code units and one code point; a byte order mark is none."""
    write(tmp_path / "a.mlp", '\ufeffparam a : string = "😀ö" $ 1\n')
    sarif = check_sarif(run("check", "a.mlp", "--format", "sarif", check=1).json)
    region = sarif["results"][0]["locations"][0]["physicalLocation"]["region"]
    line = 'param a : string = "😀ö" $ 1'
    before = line[: line.index("$")]
    assert region["startColumn"] == len(before.encode("utf-16-le")) // 2 + 1
    assert region["endColumn"] == region["startColumn"] + 1


def test_every_golden_is_valid_sarif(run, tmp_path):
    root = pathlib.Path(__file__).resolve().parents[1] / "golden"
    files = [f for f in sorted(root.rglob("fail_*.mlp")) if "long" not in f.name]
    # The highest status: some of them read a lock of another version, which is the environment's.
    one = check_sarif(run("check", *files, "--format", "sarif", check=5).json)
    assert len(one["results"]) > 100 and any("relatedLocations" in r for r in one["results"])
