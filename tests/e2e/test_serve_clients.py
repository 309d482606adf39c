"""Clients from outside talk to `mlpc serve` unchanged: curl, requests, and a client of the Open Inference Protocol (from PyPI)."""

import json
import shutil
import subprocess
import sys

import pytest

from test_serve import GOOD, serve, deployed  # noqa: F401  (fixtures)

SCRIPT = """
import json, sys
import numpy as np, requests
import tritonclient.http as protocol
port, record = sys.argv[1], json.loads(sys.argv[2])
client = protocol.InferenceServerClient(f"127.0.0.1:{port}")
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("boosted")
types = {i["name"]: i["datatype"] for i in client.get_model_metadata("boosted")["inputs"]}
kinds = {"INT64": np.int64, "FP64": np.float64, "BYTES": np.object_}
said = [requests.post(f"http://127.0.0.1:{port}/predict", json=record).json()["prediction"]]
for binary in (True, False):
    inputs = []
    for name, value in record.items():
        tensor = protocol.InferInput(name, [1], types[name])
        tensor.set_data_from_numpy(np.array([value], dtype=kinds[types[name]]), binary_data=binary)
        inputs.append(tensor)
    said.append(float(client.infer("boosted", inputs).as_numpy("prediction")[0]))
    said.append(float(client.infer("boosted", inputs, outputs=[protocol.InferRequestedOutput("prediction", binary_data=binary)]).as_numpy("prediction")[0]))
try:
    client.infer("boosted", inputs[:1])
except protocol.InferenceServerException as refused:
    assert "missing" in str(refused) or "contract" in str(refused), refused
else:
    sys.exit("a request without its fields was answered")
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def python_clients(mlpc_bin):
    """A Python with the clients; made once a build."""
    folder = mlpc_bin.parents[1] / "python-clients"
    if not (folder / "ready").exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, timeout=60)
            subprocess.run([folder / "bin" / "pip", "install", "-q", "requests", "tritonclient[http]"], check=True, capture_output=True, timeout=150)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"PyPI or venv is not there: {error}")
        (folder / "ready").touch()
    return folder / "bin" / "python"


def test_clients_from_pypi(serve, deployed, python_clients):  # noqa: F811
    server = serve(deployed)
    record = {**GOOD, "job": "tech"}
    expected = server.predict(record)[1]["prediction"]
    done = subprocess.run([python_clients, "-c", SCRIPT, str(server.port), json.dumps(record)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [expected] * 5


def test_curl(serve, deployed):  # noqa: F811
    curl = shutil.which("curl")
    if not curl:
        pytest.skip("curl is not there")
    server = serve(deployed)
    done = subprocess.run([curl, "-s", "-H", "Content-Type: application/json", "-d", json.dumps(GOOD), f"http://localhost:{server.port}/predict"],
                          capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stdout) == server.predict(GOOD)[1]
