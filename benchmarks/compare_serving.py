"""Measures single rows in process and over HTTP, mlpc and the pipeline by turns, and writes the page.

usage: compare_serving.py MLPC ONE_ROW WORK_FOLDER OUT.md TABLE.csv   (a missing TABLE is made: make_table.py)
"""

import csv
import datetime
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = int(os.environ.get("BENCH_SECONDS", "8"))
TURNS = 3
ROWS = 500
CONNECTIONS = 8
FIELDS = ["age", "workclass", "education-num", "marital-status", "occupation", "capital-gain", "capital-loss", "hours-per-week", "native-country"]
NUMBERS = {"age": int, "education-num": int, "capital-gain": float, "capital-loss": float, "hours-per-week": int}


def records_of(table):
    with open(table, newline="", encoding="utf-8") as file:
        rows = [row for row, _ in zip(csv.DictReader(file, skipinitialspace=True), range(ROWS))]
    return [{n: None if row[n].strip() == "?" else NUMBERS.get(n, str)(row[n].strip()) for n in FIELDS} for row in rows]


def wait_for(url, body):
    for _ in range(600):
        try:
            request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
            return json.loads(urllib.request.urlopen(request, timeout=5).read())
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{url} does not answer")


def load(url, script):
    """(requests a second, p50 seconds, p99 seconds)"""
    out = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", script, url], check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(out)
    unit = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
    quantile = lambda p: (lambda m: float(m[1]) * unit[m[2]])(re.search(rf"{p}%\s+([\d.]+)(us|ms|s)", out))  # noqa: E731
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), quantile(50), quantile(99)


def main():
    mlpc, one_row, work, page = (pathlib.Path(p).resolve() for p in sys.argv[1:5])
    table = pathlib.Path(sys.argv[5])
    name = "census of 1994"
    if not table.exists():
        table, name = work / "made_30000.csv", "a made table in the shape of the census"
        subprocess.run([sys.executable, HERE / "make_table.py", "30000", table], check=True)
    folder = work / "serving"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copyfile(table, folder / "census.csv")
    text = (HERE / "census.mlp").read_text(encoding="utf-8")
    text = re.sub(r"\n    require [^\n]*", "", text)
    text = text.replace("evaluate earner {", "evaluate earner {\n    require auc >= 0.7", 1) + "\ndeploy api of earner {\n    stage production\n    serve port 8080\n}\n"
    (folder / "census.mlp").write_text(text, encoding="utf-8")
    for verb in ("run", "deploy"):
        subprocess.run([mlpc, verb, folder / "census.mlp", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    records = records_of(folder / "census.csv")
    (folder / "rows.json").write_text(json.dumps(records), encoding="utf-8")
    pipeline = folder / "pipeline.joblib"
    subprocess.run([sys.executable, HERE / "pipeline.py", "fit", folder / "census.csv", pipeline], check=True)

    server = subprocess.Popen([mlpc, "serve", folder / "census.mlp", "--port", "0", "--format", "json", "--quiet"], stdout=subprocess.PIPE, text=True)
    port = json.loads(server.stdout.readline())["port"]
    document = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json").read())
    names = list(document["components"]["schemas"]["Record"]["properties"])
    in_file = {n.replace("-", "_"): n for n in FIELDS}
    order = [in_file[n] for n in names]
    with open(folder / "rows.tsv", "w", encoding="utf-8") as file:
        for record in records:
            file.write("\t".join("?" if record[n] is None else str(record[n]) for n in order) + "\n")
    own, peer = [], []
    for _ in range(TURNS):
        out = subprocess.run([one_row, folder / ".mlp", "api", folder / "rows.tsv"], check=True, capture_output=True, text=True).stdout
        own += [int(line) * 1e-9 for line in out.split()]
        out = subprocess.run([sys.executable, HERE / "pipeline.py", "time", pipeline, folder / "rows.json"], check=True, capture_output=True, text=True).stdout
        peer += json.loads(out)["seconds"]

    bodies = ",\n".join(json.dumps(json.dumps(record)) for record in records[:200])
    script = folder / "load.lua"
    script.write_text(f"""local bodies = {{ {bodies} }}
local i = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
  i = i % #bodies + 1
  return wrk.format(nil, "/predict", nil, bodies[i])
end
""", encoding="utf-8")
    http = {"mlpc": [], "fastapi": []}
    environment = dict(os.environ, PIPELINE=str(pipeline))
    app = subprocess.Popen([sys.executable, "-m", "uvicorn", "pipeline_app:app", "--port", "18231", "--workers", "2", "--log-level", "error", "--no-access-log"],
                           cwd=HERE, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/predict", records[0])
        wait_for("http://127.0.0.1:18231/predict", records[0])
        for _ in range(TURNS):
            http["fastapi"].append(load("http://127.0.0.1:18231", script))
            http["mlpc"].append(load(f"http://127.0.0.1:{port}", script))
    finally:
        app.terminate()
        server.terminate()
        app.wait()
        server.wait()
    quantile = lambda values, q: sorted(values)[int(len(values) * q)]  # noqa: E731
    middle = lambda what, at: statistics.median(one[at] for one in http[what])  # noqa: E731
    lines = ["| what | mlpc | peer | ratio |", "|---|---:|---:|---:|"]
    for label, q in (("one raw row in process, p50", 0.5), ("one raw row in process, p99", 0.99)):
        a, b = quantile(own, q), quantile(peer, q)
        lines.append(f"| {label} | {a * 1e6:.1f} us | {b * 1e6:.0f} us | {b / a:.0f} times as fast |")
    a, b = middle("mlpc", 0), middle("fastapi", 0)
    lines.append(f"| HTTP, requests a second | {a:,.0f} | {b:,.0f} | {a / b:.1f} times as many |")
    for label, at in (("HTTP, p50", 1), ("HTTP, p99", 2)):
        a, b = middle("mlpc", at), middle("fastapi", at)
        lines.append(f"| {label} | {a * 1e3:.2f} ms | {b * 1e3:.1f} ms | {b / a:.1f} times as short |")
    versions = subprocess.run(
        [sys.executable, "-c", "import sys, fastapi, pandas, sklearn, uvicorn, xgboost; print(f'Python {sys.version.split()[0]}, scikit-learn {sklearn.__version__}, "
         "xgboost {xgboost.__version__}, pandas {pandas.__version__}, FastAPI {fastapi.__version__}, uvicorn {uvicorn.__version__}')"],
        check=True, capture_output=True, text=True).stdout.strip()  # fmt: skip
    page.write_text(f"""# Benchmarks of serving

`benchmarks/serving.sh`: single raw rows of the {name} to predictions of 300 trees of depth 6 over eleven features. In process: `mlp.hpp`
against a fitted scikit-learn pipeline with XGBoost (a DataFrame of one row, one thread), {ROWS} rows, {TURNS} turns. HTTP: `mlpc serve` against FastAPI over the
same pipeline, uvicorn with 2 workers; wrk with {CONNECTIONS} connections on the same {os.cpu_count()} cores, {TURNS} turns of {SECONDS} s, medians.

{chr(10).join(lines)}

Written by `benchmarks/serving.sh` on {datetime.date.today().isoformat()}; {versions}.
""", encoding="utf-8")
    print("\n".join(lines))


main()
