"""The client library of VS Code (from npm) drives `mlpc lsp`; its highlighter reads the grammar of editors/vscode; the extension starts the server."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

from test_lsp import TEXT

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VSCODE = ROOT / "editors" / "vscode"
PACKAGES = ("vscode-languageserver-protocol@3.18.5", "vscode-textmate@9.3.2", "vscode-oniguruma@2.0.1")


def node(*arguments, folder=None):
    done = subprocess.run(["node", *map(str, arguments)], capture_output=True, text=True, timeout=60, env=None if folder is None else {"PATH": "/usr/bin:/bin:/usr/local/bin", "NODE_PATH": str(folder)})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def node_modules(npm):
    return npm("node-clients", *PACKAGES)


def test_the_client_of_vs_code(mlpc_bin, node_modules, tmp_path):
    file = tmp_path / "a.mlp"
    file.write_text(TEXT)
    said = node(HERE / "lsp_client.js", mlpc_bin, file, folder=node_modules)
    assert said["initialize"]["serverInfo"]["name"] == "mlpc"
    assert said["good"] == {"uri": "file:///workflow.mlp", "version": 1, "diagnostics": []}
    assert "log_spent: float?" in said["hover"]["contents"]["value"]
    assert TEXT.split("\n")[said["definition"]["range"]["start"]["line"]].lstrip().startswith("spent  :")
    assert {"spent", "log1p"} <= {item["label"] for item in said["completion"]["items"]}
    assert said["bad"]["version"] == 2 and len(said["bad"]["diagnostics"]) == 1
    (action,) = said["actions"]
    (change,) = action["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": "file:///workflow.mlp", "version": 2} and change["edits"][0]["newText"] == "spent"
    assert said["unknown"] == -32601 and said["closed"]["diagnostics"] == [] and said["exit"] == 0


SHARED = """workflow shared
## Who bought something.
data people from csv("people.csv") { age : int in 0..120; spent : float; left : bool @label }
fn half(x: float) -> float = x / 2
"""
USER = """workflow user
import "shared.mlp" as shared
param limit: int = 3
env prod { param limit = 100_000 }
feature view of shared.people {
    age
    cheap = spent < shared.half(10.0)
    old   = age > limit
}
"""


def test_the_client_of_vs_code_with_imports_and_an_env(mlpc_bin, node_modules, tmp_path):
    (tmp_path / "shared.mlp").write_text(SHARED)
    (tmp_path / "user.mlp").write_text(USER)
    said = node(HERE / "lsp_imports.js", mlpc_bin, tmp_path / "user.mlp", tmp_path / "shared.mlp", "prod", folder=node_modules)
    # what is imported is known: no mistake but the comparison that this environment decides
    (warning,) = said["good"]["diagnostics"]
    assert warning["code"] == "W0301" and "age > limit" in USER.split("\n")[warning["range"]["start"]["line"]]
    assert "age: int" in said["hover"]["contents"]["value"]
    assert said["definition"]["uri"].endswith("/shared.mlp") and "data people" in SHARED.split("\n")[said["definition"]["range"]["start"]["line"]]
    assert {"people", "half"} <= {item["label"] for item in said["completion"]["items"]}
    # the editor's text of the imported file counts before it is saved: `spent` is gone
    (unknown,) = [d for d in said["changed"]["diagnostics"] if d["code"] == "E0203"]
    assert "spent" in unknown["message"]
    # a mistake in the imported file is shown at the import, and leads there
    (wrong,) = [d for d in said["broken"]["diagnostics"] if d["severity"] == 1]
    assert wrong["code"] == "E0201" and "shared.mlp:3" in wrong["message"] and "import" in USER.split("\n")[wrong["range"]["start"]["line"]]
    assert wrong["relatedInformation"][0]["location"]["uri"].endswith("/shared.mlp")
    assert said["exit"] == 0
    said = node(HERE / "lsp_imports.js", mlpc_bin, tmp_path / "user.mlp", tmp_path / "shared.mlp", "", folder=node_modules)
    assert said["good"]["diagnostics"] == []


def lexer_words():
    tokens = re.search(r"tokens \{(.*?)\n\}", (ROOT / "grammar" / "MlpLexer.g4").read_text(), re.DOTALL)[1]
    return [word.lower() for word in re.findall(r"\b[KR]_([A-Z_]+)", tokens)]


def test_every_word_of_the_lexer_is_highlighted():
    grammar = json.loads((VSCODE / "syntaxes" / "mlp.tmLanguage.json").read_text())
    listed = set()
    for pattern in grammar["repository"]["words"]["patterns"] + grammar["repository"]["declaration"]["patterns"]:
        for group in re.findall(r"\(([a-z_]+(?:\|[a-z_]+)+)\)", pattern["match"]):
            listed |= set(group.split("|"))
    words = lexer_words()
    assert len(words) > 150 and not set(words) - listed, set(words) - listed


def test_the_manifest_names_what_is_there():
    manifest = json.loads((VSCODE / "package.json").read_text())
    contributes = manifest["contributes"]
    assert (VSCODE / manifest["main"]).exists() and contributes["languages"][0]["extensions"] == [".mlp"]
    assert json.loads((VSCODE / contributes["languages"][0]["configuration"]).read_text())["comments"]["lineComment"] == "#"
    assert json.loads((VSCODE / contributes["grammars"][0]["path"]).read_text())["scopeName"] == contributes["grammars"][0]["scopeName"]
    assert {"mlpc.path", "mlpc.env"} <= set(contributes["configuration"]["properties"]) and "vscode-languageclient" in manifest["dependencies"]


EXPECTED = [
    ("workflow", "keyword.declaration.mlp"), ("shop", "entity.name.type.mlp"), ("param", "keyword.declaration.mlp"), ("1_000", "constant.numeric.mlp"),
    ("## Share of a whole.", "comment.line.documentation.mlp"), ("# 🦊 not ASCII", "comment.line.number-sign.mlp"), ("age", "variable.parameter.mlp"),
    ("uniform_int", "entity.name.function.mlp"), ("float", "support.type.mlp"), ("@label", "storage.modifier.tag.mlp"), ("50%", "constant.numeric.percent.mlp"),
    ("größe", "variable.other.mlp"), ("predict", "keyword.other.mlp"), ("random", "keyword.other.mlp"), ("??", "keyword.operator.mlp"), ("people", "entity.name.type.mlp"),
    ("7d", "constant.numeric.duration.mlp"), ("04:00", "constant.numeric.time.mlp"), ("missing", "constant.language.mlp"), ("else", "keyword.control.mlp"), ("and", "keyword.operator.word.mlp"),
]  # fmt: skip


def test_tokens_of_an_example(node_modules, tmp_path):
    file = tmp_path / "a.mlp"
    file.write_text(TEXT + 'schedule monday 04:00 after people fresh 7d { retrain leaver }\ndata b = people | where if age is missing and true then false else true\ndata c = b | where plan == "a # b"\n')
    lines = node(HERE / "tokenise.js", VSCODE / "syntaxes" / "mlp.tmLanguage.json", file, folder=node_modules)
    found = {(text.strip(), scope) for line in lines for text, *scopes in line for scope in scopes}
    assert not set(EXPECTED) - found, set(EXPECTED) - found
    assert not any("comment" in scope for text, *scopes in lines[-2] for scope in scopes)  # a `#` in a text is none


def test_every_word_is_coloured(node_modules, tmp_path):
    file = tmp_path / "words.mlp"
    words = lexer_words()
    file.write_text("\n".join(f"    {word} x" for word in words))
    lines = node(HERE / "tokenise.js", VSCODE / "syntaxes" / "mlp.tmLanguage.json", file, folder=node_modules)
    plain = [word for word, line in zip(words, lines) if not any(text.strip() == word and any("keyword" in s or "constant" in s for s in scopes) for text, *scopes in line)]
    assert not plain


def test_the_extension_starts_what_is_configured():
    if not shutil.which("node"):
        pytest.skip("node is not there")
    did = node(HERE / "extension_host.js", VSCODE / "extension.js", "/opt/mlpc")
    assert did["commands"] == ["mlp.restart"] and did["errors"] == [] and did["stopped"] == 4
    assert did["started"] == [{"server": {"command": "/opt/mlpc", "args": ["lsp"]}, "selector": [{"language": "mlp"}], "initialization": {"env": "prod"}}] * 4
    did = node(HERE / "extension_host.js", VSCODE / "extension.js", "/missing/mlpc")
    assert did["started"] == [] and "mlpc.path" in did["errors"][0]
