"""SARIF logs fit the published schema of version 2.1.0, which a package of npm holds."""

import json
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden"


@pytest.fixture(scope="module")
def node_modules(npm):
    return npm("node-sarif", "@microsoft/jest-sarif@1.0.0-beta.0")


def errors(node_modules, *logs):
    schema = node_modules / "@microsoft" / "jest-sarif" / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json"
    done = subprocess.run(
        ["node", str(HERE / "sarif_schema.js"), str(schema), *map(str, logs)], capture_output=True, text=True, timeout=120,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "NODE_PATH": str(node_modules)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_logs_of_wrong_and_right_programs_are_valid(run, node_modules, tmp_path):
    wrong = sorted(path for path in GOLDEN.rglob("*.mlp") if "too_large" not in path.name and "long" not in path.name)
    right = tmp_path / "größe und mehr.mlp"
    right.write_text('workflow w\ndata d from csv("d.csv") { a : int }\n')
    logs = {
        "all": [*wrong, right],  # several files, warnings, fixes, places in other lines
        "none": [right],
        "unreadable": [right, tmp_path / "there is none.mlp"],
    }
    written = []
    for name, files in logs.items():
        document = run("check", *files, "--format", "sarif", check=None).json
        if name == "all":
            assert len(document["runs"][0]["results"]) > 300
        written.append(tmp_path / f"{name}.sarif")
        written[-1].write_text(json.dumps(document))
    broken = tmp_path / "broken.sarif"
    broken.write_text(json.dumps({**document, "version": 3}))
    found = errors(node_modules, *written, broken)
    assert found[:-1] == [[]] * len(written)
    assert found[-1], "the validator tells what is wrong"
