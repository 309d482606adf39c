"""`mlpc lsp`: what editors ask, and what a hostile or careless one sends."""

import json
import os
import random
import signal
import time

import pytest

from lsp_wire import Wire, framed, place, sliced

TEXT = """workflow shop

## The seed of everything.
param seed: int in 0..1_000 = 7

## Share of a whole.
fn share(part: float, whole: float) -> float = (part / whole) ?? 0.0

## People who bought something.
data people from synthetic(rows: 2_000, seed: 3) {
    ## Whole years.
    age    : int   = uniform_int(18, 90)
    größe  : float = normal(170, 10)   # 🦊 not ASCII
    spent  : float = exponential(6)
    plan   : category = choice("basic": 50%, "plus": 50%)
    left   : bool  = bernoulli(0.3) @label
}

feature view of people {
    age, plan
    ## Logarithm of what was spent.
    log_spent = log(spent)
    tall      = größe > 180
    part      = share(spent, spent + 1)
    scaled    = standardize(größe)
}

split holdout of people random 70/15/15 seed seed

train leaver of view {
    predict left
    split   holdout
    model   gbdt { trees: 20, depth: 3 }
    seed    seed
}

evaluate leaver {
    metrics auc, log_loss
    slice   by plan
    require auc >= 0.1
}
"""
BROKEN = TEXT.replace("log(spent)", "log(spend)")


@pytest.fixture
def wire(mlpc_bin):
    made = []

    def start():
        made.append(Wire(mlpc_bin))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.fixture
def server(wire):
    started = wire()
    started.begin(textDocument={"publishDiagnostics": {"relatedInformation": True}, "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}})
    return started


def test_what_it_offers(wire):
    server = wire()
    offered = server.begin()
    assert offered["positionEncoding"] == "utf-16" and offered["textDocumentSync"] == {"openClose": True, "change": 2}
    assert offered["hoverProvider"] and offered["definitionProvider"] and offered["completionProvider"] and offered["documentFormattingProvider"]
    server.end()


def test_diagnostics_follow_the_text(server):
    assert server.open(TEXT) == []
    server.change([{"range": {"start": place(TEXT, "spent)"), "end": place(TEXT, "spent)", offset=5)}, "text": "spend"}])
    (found,) = server.diagnostics()
    assert found["code"] == "E0203" or found["code"].startswith("E02"), found
    assert found["severity"] == 1 and found["source"] == "mlpc" and "help: did you mean `spent`?" in found["message"]
    assert sliced(BROKEN, found["range"]) == "spend"
    assert found["data"]["page"] == f"mlpc explain {found['code']}"
    server.change([{"text": TEXT}], version=3)
    assert server.diagnostics() == []
    server.change([{"text": BROKEN}], version=4)
    server.diagnostics()
    server.send("textDocument/didClose", {"textDocument": {"uri": "file:///tmp/a.mlp"}})
    assert server.diagnostics() == []
    server.end()


def test_related_places_and_their_words(server, wire):
    twice = TEXT + "\nparam seed: int = 8\n"
    (found,) = server.open(twice)
    (related,) = found["relatedInformation"]
    assert found["code"] == "E0202" and sliced(twice, found["range"]) == "seed" and found["range"]["start"] == place(twice, "seed", skip=twice[: twice.rindex("seed")].count("seed"))
    assert related["location"] == {"uri": "file:///tmp/a.mlp", "range": {"start": place(twice, "seed:"), "end": place(twice, "seed:", offset=4)}}
    # An editor that shows no other places reads of them.
    plain = wire()
    plain.begin()
    (found,) = plain.open(twice)
    assert "relatedInformation" not in found and "line 4: first declared here" in found["message"]


@pytest.mark.parametrize("encoding, unit", [("utf-16", 2), ("utf-8", 1), ("utf-32", 1)])
def test_ranges_after_characters_that_are_no_ascii(wire, encoding, unit):
    text = 'workflow w\nparam a: string = "🦊ö" because "🦊🦊"; param a: int = 1\n'.replace("; ", "\n") + 'param größe: int = "🦊" + nix\n'
    server = wire()
    assert server.begin(general={"positionEncodings": [encoding]})["positionEncoding"] == encoding
    found = server.open(text)
    line = text.split("\n")[3]
    codec = {"utf-16": "utf-16-le", "utf-8": "utf-8", "utf-32": "utf-32-le"}[encoding]
    size = {"utf-16": 2, "utf-8": 1, "utf-32": 4}[encoding]
    nix = [d for d in found if "`nix`" in d["message"]]
    assert len(nix) == 1, found
    assert nix[0]["range"]["start"] == {"line": 3, "character": len(line[: line.index("nix")].encode(codec)) // size}
    # An edit behind them, in the same units.
    at = {"line": 3, "character": len(line[: line.index("nix")].encode(codec)) // size}
    server.change([{"range": {"start": at, "end": {**at, "character": at["character"] + 3}}, "text": "fehlt"}])
    assert any("`fehlt`" in d["message"] for d in server.diagnostics())


HOVERS = [
    ("log_spent", 0, "log_spent: float?", "Logarithm of what was spent."),
    ("log(", 0, "fn log(x: float) -> float?", "Natural logarithm"),
    ("größe >", 0, "größe: float", "column of `people`"),
    ("age,", 0, "age: int", "Whole years."),
    ("people {", 0, "data people from synthetic(rows: 2_000, seed: 3)", "People who bought something."),
    ("share(spent", 0, "fn share(part: float, whole: float) -> float", "Share of a whole."),
    ("part / whole", 0, "part: float", "argument of `share`"),
    ("standardize", 0, "transform standardize", "deviation"),
    ("trees", 0, "trees: int", "parameter of model `gbdt`"),
    ("gbdt", 0, "model gbdt(", "Gradient boosted"),
    ("auc,", 0, "metric auc(", "curve"),
    ("predict", 0, "predict", "what the model learns"),
    ("rows:", 0, "rows: int", "parameter of source `synthetic`"),
    ("holdout\n", 0, "split holdout of people random 70/15/15 seed seed", "split"),
    ("leaver {", 0, "train leaver of view", "model"),
    ("seed\n", 1, "param seed: int in 0..1_000 = 7", "The seed of everything."),
]


@pytest.mark.parametrize("needle, skip, code, prose", HOVERS)
def test_hover(server, needle, skip, code, prose):
    server.open(TEXT)
    found = server.at("hover", place(TEXT, needle, skip, offset=1))
    assert found, needle
    value = found["contents"]["value"]
    assert code in value.split("```")[1] and prose in value.split("```")[2], value
    assert needle.startswith(sliced(TEXT, found["range"])[: len(needle)].split("(")[0])


def test_no_hover_on_what_is_no_name(server):
    server.open(TEXT)
    for needle in ("# 🦊", "2_000", "workflow", '"basic"'):
        assert server.at("hover", place(TEXT, needle, offset=1)) is None, needle
    assert server.at("hover", {"line": 10_000, "character": 10_000}) is None


def test_types_are_known_in_a_file_with_mistakes(server):
    server.open(BROKEN)
    assert "scaled: float" in server.at("hover", place(BROKEN, "scaled"))["contents"]["value"]
    # The one that is wrong has no type now; it had one before.
    assert "its type is not known" in server.at("hover", place(BROKEN, "log_spent"))["contents"]["value"]
    server.change([{"text": TEXT}])
    assert server.diagnostics() == []
    server.change([{"text": BROKEN}], version=3)
    assert "log_spent: float?" in server.at("hover", place(BROKEN, "log_spent"))["contents"]["value"]
    # A line that is no line yet: what stands around it is known from before.
    half = TEXT.replace("log(spent)", "log(spent").replace("tall      = größe > 180", "tall      = größe >")
    server.change([{"text": half}], version=4)
    assert "größe: float" in server.at("hover", place(half, "größe >"))["contents"]["value"]
    assert server.at("definition", place(half, "größe >"))["range"]["start"] == place(half, "größe")


DEFINITIONS = [
    ("people {", 0, "people from"), ("holdout\n", 0, "holdout of"), ("view {", 0, "view of"), ("leaver {", 0, "leaver of"), ("seed\n", 0, "seed: int in"),
    ("spent)", 0, "spent  :"), ("größe)", 0, "größe  :"), ("share(spent", 0, "share(part"), ("whole)", 0, "whole: float"), ("left\n", 0, "left   :"),
    ("plan\n", 1, "plan   :"), ("log_spent", 0, "log_spent"),
]  # fmt: skip


@pytest.mark.parametrize("needle, skip, goal", DEFINITIONS)
def test_definition(server, needle, skip, goal):
    server.open(TEXT)
    found = server.at("definition", place(TEXT, needle, skip))
    assert found and found["uri"] == "file:///tmp/a.mlp"
    assert found["range"]["start"] == place(TEXT, goal), sliced(TEXT, found["range"])


def test_definition_of_what_the_library_declares_is_nowhere(server):
    server.open(TEXT)
    assert server.at("definition", place(TEXT, "standardize")) is None


COMPLETIONS = [
    ("log(spent)", "log(|)", {"spent", "größe", "age", "share", "log1p", "standardize"}, {"predict", "gbdt", "data"}),
    ("    predict left", "    |", {"predict", "split", "model", "calibrate"}, {"spent", "metrics"}),
    ("model   gbdt {", "model   |", {"gbdt", "logistic", "ridge"}, {"spent", "auc"}),
    ("trees: 20,", "tr|: 20,", {"trees", "learning_rate"}, {"spent", "split"}),
    ("split   holdout", "split   |", {"holdout", "random", "fold"}, {"auc", "log1p"}),
    ("metrics auc,", "metrics |,", {"auc", "log_loss", "leaver"}, {"log1p", "data"}),
    ("by plan", "by |", {"plan", "age"}, {"log1p", "auc"}),
    ("of people {", "of | {", {"people"}, {"leaver", "seed"}),
    ("train leaver of view", "train leaver of |", {"view"}, {"people"}),
    ("evaluate leaver", "evaluate |", {"leaver"}, {"people"}),
    ("from synthetic(", "from |(", {"synthetic", "csv"}, {"people", "log1p"}),
    ("@label", "@|", {"label", "key", "protected"}, {"people", "log1p"}),
    ("spent  : float", "spent  : |", {"float", "category"}, {"log1p"}),
    ("synthetic(rows: 2_000, ", "synthetic(rows: 2_000, |", {"seed"}, set()),
    ("workflow shop\n", "workflow shop\n|\n", {"data", "train", "feature"}, {"people", "spent"}),
    ("auc >= 0.1", "auc >= leaver.|", {"auc"}, {"log1p"}),
]


@pytest.mark.parametrize("old, new, some, none", COMPLETIONS)
def test_completion(server, old, new, some, none):
    server.open(TEXT)
    text = TEXT.replace(old, new, 1)
    cursor = place(text, "|") if text.count("|") == 1 else None
    text = text.replace("|", "")
    server.change([{"text": text}])
    found = server.at("completion", cursor)
    labels = {item["label"] for item in found["items"]}
    assert some <= labels, some - labels
    assert not (none & labels), none & labels
    assert all(item["textEdit"]["range"]["end"] == cursor for item in found["items"])


def test_completion_tells_types_and_documentation(server):
    server.open(TEXT)
    items = {item["label"]: item for item in server.at("completion", place(TEXT, "spent)"))["items"]}
    assert items["spent"]["detail"] == "spent: float" and "Logarithm" not in str(items["spent"])
    assert items["log1p"]["detail"].startswith("fn log1p(x: float)") and items["log1p"]["documentation"]["value"]
    assert items["share"]["documentation"]["value"] == "Share of a whole."


def test_nothing_is_completed_in_comments_and_texts(server):
    server.open(TEXT)
    assert server.at("completion", place(TEXT, "not ASCII"))["items"] == []
    assert server.at("completion", place(TEXT, "basic", offset=2))["items"] == []


def test_formatting_is_that_of_fmt(server, run, tmp_path):
    ugly = TEXT.replace("    predict left", "  predict     left").replace("age, plan", "age  ,plan")
    server.open(ugly)
    ask = {"textDocument": {"uri": "file:///tmp/a.mlp"}, "options": {"tabSize": 8, "insertSpaces": False}}
    (edit,) = server.ask("textDocument/formatting", ask)["result"]
    start, end = ugly.index(sliced(ugly, edit["range"])), sliced(ugly, edit["range"])
    formatted = ugly[:start] + edit["newText"] + ugly[start + len(end):]
    (tmp_path / "a.mlp").write_text(ugly)
    run("fmt", tmp_path / "a.mlp")
    assert formatted == (tmp_path / "a.mlp").read_text()
    server.change([{"text": formatted}])
    assert server.ask("textDocument/formatting", ask)["result"] == []
    server.change([{"text": formatted + "data {"}], version=3)
    assert server.ask("textDocument/formatting", ask)["result"] is None


def test_a_fix_is_an_action(server):
    (found,) = server.open(BROKEN)
    ask = {"textDocument": {"uri": "file:///tmp/a.mlp"}, "range": found["range"], "context": {"diagnostics": [found]}}
    (action,) = server.ask("textDocument/codeAction", ask)["result"]
    assert action["kind"] == "quickfix" and action["diagnostics"] == [found]
    assert action["edit"]["changes"] == {"file:///tmp/a.mlp": [{"range": found["range"], "newText": "spent"}]}
    ask["context"]["only"] = ["source.organizeImports"]
    assert server.ask("textDocument/codeAction", ask)["result"] == []
    elsewhere = {**ask, "context": {"diagnostics": []}, "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}}
    assert server.ask("textDocument/codeAction", elsewhere)["result"] == []


def test_documents_know_nothing_of_each_other(server):
    server.open(TEXT)
    other = "workflow other\ndata shops from synthetic(rows: 10) {\n    x : int = row_number()\n}\nfeature v of shops { y = sp }\n"
    server.open(other, uri="file:///tmp/b.mlp")
    labels = {i["label"] for i in server.at("completion", place(other, "sp }", offset=2), uri="file:///tmp/b.mlp")["items"]}
    assert "x" in labels and not labels & {"spent", "people", "share", "seed"}
    server.send("textDocument/didClose", {"textDocument": {"uri": "file:///tmp/a.mlp"}})
    answer = server.ask("textDocument/hover", {"textDocument": {"uri": "file:///tmp/a.mlp"}, "position": {"line": 0, "character": 0}})
    assert answer["error"]["code"] == -32602 and "is not open" in answer["error"]["message"]
    # Opened anew it remembers nothing of before.
    server.open(BROKEN)
    assert "its type is not known" in server.at("hover", place(BROKEN, "log_spent"))["contents"]["value"]


def test_requests_that_are_none(wire):
    server = wire()
    assert server.ask("textDocument/hover", {})["error"]["code"] == -32002
    server.begin()
    assert server.ask("textDocument/rename", {})["error"]["code"] == -32601
    assert server.ask("initialize", {})["error"]["code"] == -32600
    for params in ({}, [], None, {"textDocument": 3}, {"textDocument": {"uri": 3}}, {"textDocument": {"uri": "file:///no.mlp"}}):
        assert server.ask("textDocument/hover", params)["error"]["code"] == -32602
    server.open(TEXT)
    for position in (None, 3, {}, {"line": -1, "character": 0}, {"line": 0.5, "character": 0}, {"line": "0", "character": 0}):
        assert server.ask("textDocument/hover", {"textDocument": {"uri": "file:///tmp/a.mlp"}, "position": position})["error"]["code"] == -32602
    assert server.at("hover", {"line": 2**40, "character": 2**63}) is None
    for body in (b"", b"{", b"nonsense", b"\xff\xfe", b'{"jsonrpc":"2.0","id":1,"method":"x\\ud800"}', b"[" * 100_000, b'{"a":' * 50_000):
        server.raw(framed(body))
        assert server.read()["error"]["code"] == -32700, body[:20]
    for body in (b"[]", b"3", b"null", b'{"id":1}', b'{"jsonrpc":"1.0","id":1,"method":"x"}', b'{"jsonrpc":"2.0","id":{},"method":"x"}', b'{"jsonrpc":"2.0","method":3}'):
        server.raw(framed(body))
        assert server.read()["error"]["code"] == -32600, body
    server.raw(framed(b'{"jsonrpc":"2.0","id":9,"result":null}'))  # an answer to nothing
    server.send("$/cancelRequest", {"id": 1})
    server.send("textDocument/didSave", {"textDocument": {"uri": "file:///tmp/a.mlp"}})
    for changes in (None, 3, [3], [{}], [{"text": 3}], [{"text": "x", "range": 3}], [{"text": "x"}, {"text": "y", "range": {"start": {}}}]):
        server.change(changes)
        assert server.notified("window/logMessage")["type"] == 1
    server.change([{"text": "x"}], uri="file:///no.mlp")
    assert server.notified("window/logMessage")["type"] == 1
    assert "log_spent: float?" in server.at("hover", place(TEXT, "log_spent"))["contents"]["value"]  # nothing of it changed the text
    server.end()


@pytest.mark.parametrize("head", [b"X" * 20_000, b"Content-Length: 99999999999999999999\r\n\r\n", b"Content-Length: -1\r\n\r\n", b"Content-Type: x\r\n\r\n",
                                  b"Content-Length: 1x\r\n\r\n", b"no colon\r\n\r\n", b"Content-Length: 999999999999\r\n\r\n"])  # fmt: skip
def test_a_head_that_is_none_ends_it_in_words(wire, head):
    server = wire()
    server.raw(head)
    assert server.read()["error"]["code"] == -32700
    assert server.process.wait(10) == 1


def test_heads_may_come_in_pieces_and_with_other_fields(wire):
    server = wire()
    body = json.dumps({"jsonrpc": "2.0", "id": "ü", "method": "initialize", "params": {"capabilities": {}}}).encode()
    for byte in b"content-type: application/vscode-jsonrpc; charset=utf-8\r\nCONTENT-LENGTH:%d\r\n\r\n%s" % (len(body), body):
        server.raw(bytes([byte]))
    assert server.read()["id"] == "ü"
    server.end()


def test_the_end_of_the_stream_and_a_closed_pipe_end_it(wire):
    server = wire()
    server.begin()
    server.process.stdin.close()
    assert server.process.wait(10) == 1
    server = wire()
    server.begin()
    server.process.stdout.close()
    server.send("textDocument/didOpen", {"textDocument": {"uri": "file:///a", "text": TEXT}})
    assert server.process.wait(10) == 1
    server = wire()
    server.begin()
    server.send("exit")
    assert server.process.wait(10) == 1
    server = wire()
    server.begin()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == -signal.SIGTERM


def test_a_burst_of_edits_is_checked_once(server):
    server.open(TEXT)
    at = place(TEXT, "workflow shop", offset=13)
    edits = b"".join(framed({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {"textDocument": {"uri": "file:///tmp/a.mlp", "version": 2 + i}, "contentChanges": [
        {"range": {"start": {**at, "character": at["character"] + i}, "end": {**at, "character": at["character"] + i}}, "text": "x"}]}}) for i in range(200))
    begin = time.monotonic()
    server.raw(edits)
    published = 0
    while server.notified("textDocument/publishDiagnostics")["version"] != 201:
        published += 1
    assert published < 150 and time.monotonic() - begin < 10


def test_texts_that_are_no_workflow(server):
    for text in ("", "\0", "\ufeff" + TEXT, "(" * 100_000, "{" * 5_000, "data " * 20_000, '"' * 999, "\r\r\n\n\r", "🦊" * 1_000, "feature", "train x of", "@", "x" * 1_000_000):
        server.change([{"text": text}]) if text != "" else server.open(text)
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for position in ({"line": 0, "character": 0}, {"line": len(lines) - 1, "character": len(lines[-1].encode("utf-16-le")) // 2}):
            for what in ("hover", "definition", "completion"):
                server.at(what, position)
        server.ask("textDocument/formatting", {"textDocument": {"uri": "file:///tmp/a.mlp"}, "options": {}})
    server.end()


def position_of(text, at):
    line = text.rfind("\n", 0, at) + 1
    return {"line": text.count("\n", 0, at), "character": len(text[line:at].encode("utf-16-le")) // 2}


def test_random_edits_keep_the_text_in_step(server, wire):
    """After any edits the server's text is the editor's: its diagnostics are those of the whole text given to another server."""
    seed = int(os.environ.get("MLP_SEED") or random.randrange(1 << 30))
    print("MLP_SEED", seed)
    chance = random.Random(seed)
    whole = wire()
    whole.begin(textDocument={"publishDiagnostics": {"relatedInformation": True}})
    text = TEXT
    assert server.open(text) == whole.open(text) == []
    pieces = ["x", "\n", "🦊", "ö", "{", "}", "(", '"', "@", " = ", "spent", "data d = people\n", "\n\n# é\n", "", "", ""]
    for version in range(2, 1_000 if os.environ.get("MLP_SOAK") else 60):
        changes = []
        for _ in range(chance.randint(1, 3)):
            a = chance.randint(0, len(text))
            b = min(len(text), a + chance.choice([0, 0, 1, 5, 40]))
            changes.append({"range": {"start": position_of(text, a), "end": position_of(text, b)}, "text": chance.choice(pieces)})
            text = text[:a] + changes[-1]["text"] + text[b:]
        server.change(changes, version=version)
        whole.change([{"text": text}], version=version)
        assert server.diagnostics() == whole.diagnostics(), (seed, text)
        for what in ("hover", "definition", "completion"):
            server.at(what, position_of(text, chance.randint(0, len(text))))
        if version % 20 == 0:
            text = TEXT
            server.change([{"text": text}], version=version)
            assert server.diagnostics() == []
            whole.change([{"text": text}], version=version)
            assert whole.diagnostics() == []
    server.end()


SHARED = """workflow shared
data people from csv("people.csv") { age : int in 0..120; spent : float }
fn half(x: float) -> float = x / 2
"""
USER = """workflow user
import "shared.mlp" as shared
feature view of shared.people {
    age
    cheap = spent < shared.half(10.0)
}
"""


def test_what_is_imported_is_known(server, tmp_path):
    (tmp_path / "shared.mlp").write_text(SHARED)
    uri = (tmp_path / "user.mlp").as_uri()
    assert server.open(USER, uri) == []
    assert "age: int" in server.at("hover", place(USER, "    age", offset=4), uri)["contents"]["value"]
    found = server.at("definition", place(USER, "half"), uri)
    assert found["uri"] == (tmp_path / "shared.mlp").as_uri() and sliced(SHARED, found["range"]) == "half"
    assert {"people", "half"} <= {item["label"] for item in server.at("completion", place(USER, "half"), uri)["items"]}
    # written anew, it is read anew
    (tmp_path / "shared.mlp").write_text(SHARED.replace("; spent : float", ""))
    server.send("workspace/didChangeWatchedFiles", {"changes": [{"uri": (tmp_path / "shared.mlp").as_uri(), "type": 2}]})
    assert [d["code"] for d in server.diagnostics(uri)] == ["E0203"]
    # what is wrong in it is shown at the import
    (tmp_path / "shared.mlp").write_text(SHARED.replace("int in", "itn in"))
    server.send("workspace/didChangeWatchedFiles", {"changes": [{"uri": (tmp_path / "shared.mlp").as_uri(), "type": 2}]})
    (wrong,) = server.diagnostics(uri)
    assert wrong["code"] == "E0201" and sliced(USER, wrong["range"]) == '"shared.mlp"'
    assert wrong["relatedInformation"][0]["location"]["uri"] == (tmp_path / "shared.mlp").as_uri()
    # and a file that is not there is told, until it is there
    (tmp_path / "shared.mlp").unlink()
    server.send("workspace/didChangeWatchedFiles", {"changes": [{"uri": (tmp_path / "shared.mlp").as_uri(), "type": 3}]})
    assert [d["code"] for d in server.diagnostics(uri)] == ["E0901"]
    server.send("textDocument/didOpen", {"textDocument": {"uri": (tmp_path / "shared.mlp").as_uri(), "languageId": "mlp", "version": 1, "text": SHARED}})
    assert server.diagnostics(uri) == []


def test_files_that_import_each_other(server, tmp_path):
    (tmp_path / "a.mlp").write_text('workflow a\nimport "b.mlp" as b\n')
    text = 'workflow b\nimport "a.mlp" as a\n'
    (found,) = server.open(text, (tmp_path / "b.mlp").as_uri())
    assert found["code"] == "E0205"


@pytest.mark.parametrize("env, codes", [("prod", ["W0301"]), ("", []), ("other", [])])
def test_an_env_holds_where_there_is_one_of_its_name(wire, env, codes):
    server = wire()
    answer = server.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": {"env": env}})
    assert "result" in answer
    server.send("initialized", {})
    text = """workflow w
param limit: int = 3
env prod { param limit = 200 }
data d from csv("d.csv") { age : int in 0..120; expect age < limit for all rows }
"""
    assert [d["code"] for d in server.open(text)] == codes
