"""`mlpc serve` answers with the bits of the run, explains what it refuses, and lets no request fail when a version changes or it ends."""

import csv
import http.client
import json
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from made import CENSUS_HEADER, census_rows, edit, make_census

DEPLOY = """
deploy api of boosted {
    stage production
    serve port 8080
}
"""
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("MLP_")}
FIELDS = {"age": int, "hours-per-week": int, "gain": float, "loss": float}
NAMES = {"hours-per-week": "hours"}


def census(folder):
    workflow = make_census(folder)
    edit(workflow, 'test "overtime', DEPLOY + '\ntest "overtime')
    return workflow


class Server:
    def __init__(self, process, started):
        self.process, self.started, self.port = process, started, started["port"]

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, method, path, body=None, headers=None, connection=None):
        """(status, document or text, headers)"""
        connection = connection or self.connect()
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        sent = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, body, {**sent, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read()
        kind = answer.getheader("Content-Type") or ""
        return answer.status, json.loads(text) if kind == "application/json" and text else text, dict(answer.getheaders())

    def predict(self, body, **more):
        return self.ask("POST", "/predict", body, **more)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, err


@pytest.fixture
def serve(mlpc_bin):
    servers = []

    def call(workflow, *args):
        command = [mlpc_bin, "serve", str(workflow), "--port", "0", "--format", "json", *args]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=CLEAN)
        line = process.stdout.readline()
        assert line, process.stderr.read()
        servers.append(Server(process, json.loads(line)))
        return servers[-1]

    yield call
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
        server.process.communicate()


@pytest.fixture
def deployed(run, tmp_path):
    workflow = census(tmp_path)
    run("run", workflow)
    run("deploy", workflow)
    return workflow


def record_of(row):
    out = {}
    for name, text in zip(CENSUS_HEADER, row):
        text = text.strip()
        if name in ("sex", "income"):
            continue
        out[NAMES.get(name, name)] = None if text == "?" else FIELDS.get(name, str)(text)
    return out


GOOD = {"age": 40, "hours": 50, "gain": 0.0, "loss": 0.0, "region": "north", "job": None}


def test_the_bits_are_those_of_score_and_infer(run, serve, deployed, tmp_path):
    rows = census_rows(5000, seed=9)
    for at in range(0, 4990, 7):
        rows[at][4], rows[at + 1][4], rows[at + 2][5] = f"elsewhere{at}", "?", "?"  # unseen, missing; each age is a cut point
    table = tmp_path / "new.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CENSUS_HEADER)
        writer.writerows(rows)
    scored = run("score", "api", table, tmp_path / "out.csv", "--store", deployed.parent / ".mlp", "--format", "json").json
    expected = [float(row["prediction"]) for row in csv.DictReader((tmp_path / "out.csv").open())]
    records = [record_of(row) for row in rows]
    server = serve(deployed)
    status, many, headers = server.predict(records)
    assert status == 200 and many["predictions"] == expected and many["scorer"] == scored["scorer"] == server.started["scorer"]
    assert headers["X-Model-Version"] == "1" and many["version"] == 1
    connection = server.connect()
    assert [server.predict(record, connection=connection)[1]["prediction"] for record in records[:1000]] == expected[:1000]
    types = {"age": "INT64", "hours": "INT64", "gain": "FP64", "loss": "FP64"}
    request = {"id": "7", "inputs": [
        {"name": name, "datatype": types.get(name, "BYTES"), "shape": [len(records), 1], "data": [record[name] for record in records]} for name in GOOD]}
    status, answer, _ = server.ask("POST", "/v2/models/boosted/versions/1/infer", request)
    assert status == 200 and answer["id"] == "7" and answer["outputs"][0]["data"] == expected
    assert answer["model_name"] == "census.boosted" and answer["parameters"]["scorer"] == scored["scorer"]
    # The same tensors in bytes.
    parts, tensors = [], []
    for name in GOOD:
        values = [record[name] for record in records[:3]]
        if name in ("region", "job"):
            data = b"".join(struct.pack("<I", len(v or "")) + (v or "").encode() for v in values)
        else:
            data = struct.pack("<3" + ("q" if types[name] == "INT64" else "d"), *values)
        parts.append(data)
        tensors.append({"name": name, "datatype": types.get(name, "BYTES"), "shape": [3], "parameters": {"binary_data_size": len(data)}})
    head = json.dumps({"inputs": tensors, "outputs": [{"name": "prediction", "parameters": {"binary_data": True}}]}).encode()
    status, body, headers = server.ask("POST", "/v2/models/boosted/infer", head + b"".join(parts),
                                       headers={"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"})
    assert status == 200
    size = int(headers["Inference-Header-Content-Length"])
    assert list(struct.unpack("<3d", body[size:])) == expected[:3]


def test_what_it_is_and_how_it_fares(serve, deployed):
    server = serve(deployed)
    assert server.ask("GET", "/healthz")[1] == {"status": "ok", "model": "census.boosted", "version": 1}
    assert server.ask("GET", "/v2/health/live")[0] == server.ask("GET", "/v2/health/ready")[0] == 200
    assert server.ask("GET", "/v2/models/api/ready")[1]["ready"] is True
    model = server.ask("GET", "/v2/models/census.boosted")[1]
    assert {i["name"]: i["datatype"] for i in model["inputs"]} == {
        "age": "INT64", "hours": "INT64", "gain": "FP64", "loss": "FP64", "region": "BYTES", "job": "BYTES"}
    assert server.ask("GET", "/v2/models/other")[0] == 404 and server.ask("GET", "/v2/models/boosted/versions/9")[0] == 404
    document = server.ask("GET", "/openapi.json")[1]
    record = document["components"]["schemas"]["Record"]
    assert record["properties"]["age"] == {"minimum": 0.0, "maximum": 120.0, "type": "integer", "examples": [0]}
    assert record["properties"]["job"]["type"] == ["string", "null"] and "job" not in record["required"] and "age" in record["required"]
    server.predict(GOOD)
    server.predict({**GOOD, "age": 200})
    text = server.ask("GET", "/metrics")[1].decode()
    assert 'mlp_requests_total{route="/predict",status="200"} 1' in text and 'mlp_requests_total{route="/predict",status="422"} 1' in text
    assert "mlp_predictions_total 1\n" in text and "mlp_faults_total 1\n" in text
    assert server.ask("HEAD", "/healthz")[0] == 200


WRONG = [
    ("unknown field", {**GOOD, "agee": 1}, 422, ["agee", "did you mean `age`"]),
    ("wrong type", {**GOOD, "age": "forty"}, 422, ["age", "a text where a whole number is expected"]),
    ("fraction", {**GOOD, "age": 40.5}, 422, ["age"]),
    ("missing field", {k: v for k, v in GOOD.items() if k != "age"}, 422, ["age", "missing"]),
    ("null", {**GOOD, "gain": None}, 422, ["gain", "missing"]),
    ("out of range", {**GOOD, "hours": 100}, 422, ["hours", "not in 1..99"]),
    ("a list for a value", {**GOOD, "age": [40]}, 400, ["age", "a list where one value is expected"]),
    ("one of a list", [GOOD, {**GOOD, "age": -1}], 422, ["age", '"record": 1']),
    ("not an object", 3, 400, ["no JSON object"]),
    ("twice", '{"age":1,"age":2}', 400, ["age", "given twice"]),
    ("truncated", json.dumps(GOOD)[:-5], 400, ["not JSON"]),
    ("empty", "", 400, ["empty"]),
    ("not UTF-8", b'{"region":"\xff\xfe"}', 400, ["not UTF-8"]),
    ("deep", "[" * 100_000 + "]" * 100_000, 400, ["nested too deep"]),
    ("10 MB", b" " * 10_000_000, 413, ["8388608"]),
    ("too many records", "[" + ",".join(["{}"] * 100_001) + "]", 413, ["100000"]),
]


@pytest.mark.parametrize("body, status, said", [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_a_wrong_request_is_explained_and_the_next_is_answered(serve_once, body, status, said):
    got, answer, _ = serve_once.predict(body)
    assert got == status, answer
    assert isinstance(answer["error"], str)
    for part in said:
        assert part in json.dumps(answer), answer
    assert serve_once.predict(GOOD)[0] == 200


@pytest.fixture(scope="module")
def serve_once(mlpc_bin, tmp_path_factory):
    workflow = census(tmp_path_factory.mktemp("once"))
    for verb in ("run", "deploy"):
        subprocess.run([mlpc_bin, verb, workflow, "--quiet"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process = subprocess.Popen([mlpc_bin, "serve", str(workflow), "--port", "0", "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    yield Server(process, json.loads(process.stdout.readline()))
    process.kill()
    process.communicate()


def test_wrong_methods_types_places_and_hosts(serve_once):
    status, answer, headers = serve_once.ask("GET", "/predict")
    assert status == 405 and headers["Allow"] == "POST" and "POST" in answer["error"]
    assert serve_once.ask("DELETE", "/healthz")[0] == 405
    assert serve_once.predict(GOOD, headers={"Content-Type": "text/plain"})[0] == 415
    assert serve_once.ask("GET", "/../../etc/passwd")[0] == 404 and serve_once.ask("GET", "/nothing")[0] == 404
    assert serve_once.ask("GET", "/healthz", headers={"Host": "evil.example"})[0] == 403
    assert serve_once.predict(GOOD, headers={"Origin": "http://evil.example"})[0] == 403
    assert serve_once.predict(GOOD, headers={"Origin": f"http://localhost:{serve_once.port}"})[0] == 200
    for raw in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20000 + b"\r\n\r\n",
                b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", serve_once.port), timeout=10) as peer:
            peer.sendall(raw)
            assert peer.recv(4096).startswith(b"HTTP/1.1 4"), raw[:40]
    infer = "/v2/models/boosted/infer"
    for body, said in (({"inputs": []}, "no tensor"), ({"inputs": [{"name": "age", "datatype": "INT64", "shape": [2], "data": [1]}]}, "shape"),
                       ({"inputs": [{"name": "agee", "datatype": "INT64", "shape": [1], "data": [1]}]}, "did you mean"), ({}, "inputs")):
        status, answer, _ = serve_once.ask("POST", infer, body)
        assert 400 <= status < 500 and said in answer["error"]
    assert serve_once.predict(GOOD)[0] == 200


def test_slow_clients_stop_nobody(serve_once):
    slow = [socket.create_connection(("127.0.0.1", serve_once.port)) for _ in range(200)]
    done = threading.Event()

    def drip():
        request = b"POST /predict HTTP/1.1\r\nHost: localhost\r\n"
        for byte in request:
            for peer in slow:
                peer.send(bytes([byte]))
            if done.wait(1):
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    began = time.monotonic()
    connection = serve_once.connect()
    for _ in range(200):
        assert serve_once.predict(GOOD, connection=connection)[0] == 200
    assert time.monotonic() - began < 10
    done.set()
    dripping.join()
    for peer in slow:
        peer.close()


def load(server, stop, failures, versions):
    """Asks on one connection until `stop`; a connection that the server ended with notice is opened anew."""
    connection = server.connect()
    while not stop.is_set():
        try:
            status, answer, headers = server.predict(GOOD, connection=connection)
            if status != 200 or headers["X-Model-Version"] != str(answer["version"]):
                failures.append((status, answer))
            versions.append((answer["version"], answer["prediction"]))
            if headers.get("Connection") == "close":
                return
        except OSError as error:
            failures.append(repr(error))
            return


def test_versions_change_under_load_without_a_failed_request(run, serve, deployed, soak):
    edit(deployed, "trees: 20", "trees: 25")
    run("run", deployed)
    server = serve(deployed)
    stop, failures, versions = threading.Event(), [], []
    clients = [threading.Thread(target=load, args=(server, stop, failures, versions)) for _ in range(4)]
    for client in clients:
        client.start()
    for turn in range(25 if soak else 3):
        for verb, expected in (("deploy", 2), ("rollback", 1)):
            run(verb, deployed if verb == "deploy" else "api", "--store", deployed.parent / ".mlp")
            end = time.monotonic() + 10
            while server.ask("GET", "/healthz")[1]["version"] != expected:
                assert time.monotonic() < end, f"version {expected} was not taken over"
                time.sleep(0.02)
    stop.set()
    for client in clients:
        client.join()
    assert not failures, failures[:3]
    # Each version has one prediction for the record, so no answer mixes two.
    assert len(set(versions)) == len({version for version, _ in versions}) == 2


def test_ending_under_load_fails_no_request(serve, deployed):
    for _ in range(3):
        server = serve(deployed)
        stop, failures, versions = threading.Event(), [], []
        clients = [threading.Thread(target=load, args=(server, stop, failures, versions)) for _ in range(4)]
        for client in clients:
            client.start()
        time.sleep(0.3)
        code, err = server.stop()
        stop.set()
        for client in clients:
            client.join()
        assert code == 0 and "stopped" in err
        assert not failures and versions, failures[:3]


def test_what_was_asked_and_answered_is_kept(serve, deployed):
    server = serve(deployed)
    for age in range(20, 40):
        server.predict({**GOOD, "age": age})
    server.predict({**GOOD, "age": 500})
    text = ""
    for _ in range(100):
        text = server.ask("GET", "/metrics")[1].decode()
        if "mlp_request_records_total 21\n" in text:
            break
        time.sleep(0.05)
    assert "mlp_request_records_total 21\n" in text and "mlp_request_records_dropped_total 0\n" in text
    server.stop()
    segments = list((deployed.parent / ".mlp" / "requests" / "census.api").iterdir())
    assert segments and sum(s.stat().st_size for s in segments) > 500


def test_the_command_says_what_it_lacks(run, deployed, tmp_path, serve):
    assert "did you mean `api`" in run("serve", deployed, "apy", check=1).err
    fresh = census(tmp_path / "fresh")
    run("run", fresh)
    assert "E0908" in run("serve", fresh, "--port", "0", check=5).err
    assert "--insecure" in run("serve", deployed, "--host", "0.0.0.0", check=1).err
    server = serve(deployed)
    assert "in use" in run("serve", deployed, "--port", server.port, check=5).err


def test_elsewhere_than_at_home_a_token_is_needed(run, serve, deployed):
    store = deployed.parent / ".mlp"
    server = serve(deployed, "--host", "0.0.0.0", "--insecure")
    assert server.predict(GOOD)[0] == 401 and server.ask("GET", "/healthz")[0] == 200 and server.ask("GET", "/metrics")[0] == 401
    tokens = {scope: run("token", "create", "--scope", scope, "--name", "client", "--store", store, "--format", "json").json["token"]
              for scope in ("predict", "predict:api", "predict:other", "read")}
    with_token = lambda token: {"Authorization": f"Bearer {token}"}  # noqa: E731
    assert server.predict(GOOD, headers=with_token(tokens["predict"]))[0] == 200
    assert server.predict(GOOD, headers=with_token(tokens["predict:api"]))[0] == 200
    assert server.predict(GOOD, headers=with_token(tokens["predict:other"]))[0] == 401
    assert server.predict(GOOD, headers=with_token(tokens["read"]))[0] == 401
    assert server.ask("GET", "/metrics", headers=with_token(tokens["read"]))[0] == 200
    assert server.predict(GOOD, headers=with_token("mlp_" + "0" * 64))[0] == 401


def test_random_bytes_never_end_it(serve_once, seed):
    draw = random.Random(seed)
    text = json.dumps(GOOD).encode()
    for _ in range(200):
        bad = bytearray(text)
        for _ in range(draw.randint(1, 4)):
            bad[draw.randrange(len(bad))] = draw.randrange(256)
        assert serve_once.predict(bytes(bad))[0] in (200, 400, 422)
    assert serve_once.predict(GOOD)[0] == 200 and os.path.exists(f"/proc/{serve_once.started['pid']}")
