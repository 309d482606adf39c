"""Files that are fetched: over HTTP, from a server of the test's own on the loopback, and out of an S3 store (s3rver, from npm)."""

import contextlib
import gzip
import hashlib
import http.server
import json
import shutil
import socket
import subprocess
import threading
import time

import pytest

from made import computed_values, results_of
from postgres import free_port
from s3_signature import is_signed, put
from sources import COLUMNS, everything_below, failure, fetched_files, rows, workflow


def csv_text(made, columns=COLUMNS, delimiter=","):
    def field(value):
        return "" if value is None else str(value).lower() if isinstance(value, bool) else '"' + str(value).replace('"', '""') + '"'

    order = [COLUMNS.index(c) for c in columns]
    return "\n".join([delimiter.join(columns), *(delimiter.join(field(row[i]) for i in order) for row in made)]) + "\n"


class Site:
    """Answers with `body`, by the settings of the test; keeps what it was asked."""

    def __init__(self):
        self.body, self.headers, self.status, self.asked = b"", {"Content-Type": "text/csv"}, 200, []
        self.etag = True
        self.answer = None  # a function of the handler, instead of all else
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append((self.path, dict(self.headers)))
                if site.answer and site.answer(self):
                    return
                tag = '"' + hashlib.md5(site.body).hexdigest() + '"'
                unchanged = site.etag and self.headers.get("If-None-Match") == tag
                self.send_response(304 if unchanged else site.status)
                if site.etag:
                    self.send_header("ETag", tag)
                for name, value in site.headers.items():
                    self.send_header(name, value)
                body = b"" if unchanged else site.body
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # who asked may have heard enough
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def site():
    made = Site()
    yield made
    made.close()


def shop(folder, site, path="/orders.csv", options="", declarations="", more=""):
    return workflow(folder, f'http("{site.url}{path}"{", " + options if options else ""})', declarations, more)


def as_text(run, folder, made):
    folder.mkdir()
    (folder / "orders.csv").write_text(csv_text(made), encoding="utf-8")
    path = workflow(folder, 'csv("orders.csv")')
    run("run", path)
    return results_of(run, path)


@pytest.mark.parametrize("form", ["csv", "tsv", "csv.gz", "jsonl", "by type"])
def test_the_rows_are_those_of_a_text_file(run, tmp_path, site, form):
    made = [(*row[:3], row[3] or None, *row[4:]) for row in rows()]
    site.body = csv_text(made).encode()
    path = f"/orders.{form}?key=1"
    if form == "tsv":
        site.body = csv_text(made, delimiter="\t").encode()
    elif form == "csv.gz":
        site.body = gzip.compress(site.body)
    elif form == "jsonl":
        site.body = "\n".join(json.dumps(dict(zip(COLUMNS, row))) for row in made).encode()
    elif form == "by type":
        path, site.headers = "/export", {"Content-Type": "text/csv; charset=utf-8"}
    flow = shop(tmp_path, site, path)
    run("run", flow)
    assert results_of(run, flow) == as_text(run, tmp_path / "text", made)


@pytest.mark.parametrize("how", ["etag", "last-modified", "neither"])
def test_it_is_fetched_again_when_it_changed(run, tmp_path, site, how):
    made = rows()
    site.body = csv_text(made).encode()
    site.etag = how == "etag"
    if how == "last-modified":
        site.headers["Last-Modified"] = "Sat, 01 Jun 2024 10:00:00 GMT"

        def answer(handler):
            if handler.headers.get("If-Modified-Since") != site.headers["Last-Modified"]:
                return False
            handler.send_response(304)
            handler.end_headers()
            return True

        site.answer = answer
    path = shop(tmp_path, site)
    run("run", path)
    files = fetched_files(tmp_path)
    assert run("run", path, "--format", "json").json["steps"]["ran"] == 0
    assert fetched_files(tmp_path) == files
    headers = site.asked[-1][1]
    assert ("If-None-Match" in headers, "If-Modified-Since" in headers) == (how == "etag", how == "last-modified")
    site.body = csv_text(made[:-1] + [(*made[-1][:1], 5.0, *made[-1][2:])]).encode()
    if how == "last-modified":
        site.headers["Last-Modified"] = "Sun, 02 Jun 2024 10:00:00 GMT"
    assert "orders.amount" in computed_values(run("run", path, "--format", "json"))


def test_plan_and_check_ask_nobody(run, tmp_path, site):
    site.body = csv_text(rows()).encode()
    path = shop(tmp_path, site)
    run("check", path)
    run("plan", path)
    assert site.asked == []
    run("run", path)
    asked = len(site.asked)
    steps = run("plan", path, "--format", "json").json["steps"]
    assert len(site.asked) == asked and next(s for s in steps if s["name"] == "orders")["action"] == "may_run"


def test_a_token_is_sent_and_shown_nowhere(run, tmp_path, site):
    site.body = csv_text(rows()).encode()
    path = shop(tmp_path, site, options="token: key", declarations='secret key = env("SHOP_TOKEN")')
    env = {"SHOP_TOKEN": "s3cret-t0ken"}
    outcome = run("run", path, env=env)
    assert site.asked[0][1]["Authorization"] == "Bearer s3cret-t0ken"
    site.status, site.etag = 403, False
    refused = run("run", path, env=env, check=5)
    kept = everything_below(tmp_path / ".mlp").decode("utf-8", "replace")
    assert "s3cret-t0ken" not in kept + outcome.out + outcome.err + refused.out + refused.err
    assert "token" in refused.err


def failed(run, path, *said):
    d = failure(run("run", path, "--format", "json", check=5), "E0912")
    for text in said:
        assert text in d["message"], d
    assert d["help"] and fetched_files(path.parent) == []
    return d


@pytest.mark.parametrize("status, said", [(404, "does not have it"), (401, "refuses"), (500, "status 500"), (429, "too often")])
def test_a_server_that_refuses(run, tmp_path, site, status, said):
    site.status = status
    path = shop(tmp_path, site)
    failed(run, path, said)
    site.status, site.body = 200, csv_text(rows()).encode()
    run("run", path)


def test_nobody_at_home(run, tmp_path, site):
    path = shop(tmp_path, site)
    site.close()
    failed(run, path, "nobody answers")
    site.server.server_close()


def test_a_connection_that_breaks_in_the_middle(run, tmp_path, site):
    body = csv_text(rows(5000)).encode()

    def cut(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        handler.wfile.flush()
        handler.connection.close()
        return True

    site.answer = cut
    path = shop(tmp_path, site)
    failed(run, path, "broke before the answer was whole")
    site.answer, site.body = None, body
    run("run", path)


def test_limits_of_size_and_time(run, tmp_path, site):
    site.body = b"x" * (2 << 20)
    failed(run, shop(tmp_path, site, options="megabytes: 1"), "larger than 1 MB")

    def wait(handler):
        time.sleep(5)
        return False

    site.answer = wait
    failed(run, shop(tmp_path, site, options="timeout: 1s"), "within 1 seconds")


def test_redirects_stay_with_the_server(run, tmp_path, site):
    site.body = csv_text(rows()).encode()
    target = {"to": "/moved/here.csv"}

    def send_on(handler):
        if handler.path != "/orders.csv":
            return False
        handler.send_response(302)
        handler.send_header("Location", target["to"])
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True

    site.answer = send_on
    run("run", shop(tmp_path, site))
    target["to"] = "http://localhost:1/elsewhere.csv"
    other = tmp_path / "other"
    other.mkdir()
    failed(run, shop(other, site), "sends to another one", "localhost:1")


def test_a_form_that_nobody_tells(run, tmp_path, site):
    site.headers = {"Content-Type": "text/html"}
    failed(run, shop(tmp_path, site, path="/export"), "form", "text/html")


def test_rows_that_break_the_contract_are_shown_with_the_address(run, tmp_path, site):
    site.body = csv_text(rows(50)).replace('"web"', '"nowhere"', 1).encode()
    (row,) = failure(run("run", shop(tmp_path, site), "--format", "json", check=4), "E0801")["rows"]
    assert row["file"] == site.url + "/orders.csv" and row["value"] == "nowhere"
    site.body = csv_text(rows(50)).replace("amount", "amounts", 1).encode()
    d = failure(run("run", shop(tmp_path, site), "--format", "json", check=4), "E0803")
    assert "orders.csv" in d["message"] and "fetched" not in d["message"] and "`amounts`" in d["help"]
    site.body = b""
    d = failure(run("run", shop(tmp_path, site), "--format", "json", check=4), "E0804")
    assert site.url in d["message"]


# ---- S3 --------------------------------------------------------------------------------------------------------------------

S3RVER = "s3rver@3.7.1"


@pytest.fixture(scope="module")
def s3_package(mlpc_bin):
    folder = mlpc_bin.parents[1] / "s3-server"
    if not (folder / "ready").exists():
        folder.mkdir(exist_ok=True)
        (folder / "package.json").write_text("{}")
        try:
            subprocess.run(["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries", "1", S3RVER], cwd=folder, check=True, capture_output=True, timeout=240)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"npm's {S3RVER} is not there: {error}")
        (folder / "ready").touch()
    return folder


class Store:
    """A real S3 server with the bucket `shop`; files are put by its own folder and read through it."""

    env = {"S3_ID": "S3RVER", "S3_KEY": "S3RVER"}
    secrets = 'secret id = env("S3_ID")\nsecret key = env("S3_KEY")'

    def __init__(self, package, folder):
        self.port, self.folder = free_port(), folder
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            ["node", package / "node_modules" / "s3rver" / "bin" / "s3rver.js", "-d", folder, "-a", "127.0.0.1", "-p", str(self.port), "--configure-bucket", "shop"],
            stdout=open(folder / "log", "ab"), stderr=subprocess.STDOUT,
        )  # fmt: skip

    def put(self, key, body):
        put(self.url, "shop", key, body, "S3RVER", "S3RVER")


@pytest.fixture
def store(s3_package, tmp_path):
    folder = tmp_path / "s3"
    folder.mkdir()
    made = Store(s3_package, folder)
    for _ in range(200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", made.port)) == 0:
                break
        assert made.process.poll() is None, (folder / "log").read_text()
        time.sleep(0.1)
    yield made
    made.process.terminate()
    made.process.wait(30)


def s3_shop(folder, store, objects="shop/orders/*.csv", options="", more=""):
    text = f's3("{objects}", endpoint: "{store.url}", key_id: id, key: key{", " + options if options else ""})'
    return workflow(folder, text, store.secrets.replace("\n", "; "), more)


def test_objects_are_one_table_and_each_is_fetched_once(run, tmp_path, store):
    made = rows()
    for i in range(4):
        store.put(f"orders/part {i}+é.csv", csv_text(made[i * 100 : (i + 1) * 100]).encode())
    store.put("orders/deeper/no.csv", b"x\n")
    path = s3_shop(tmp_path, store)
    run("run", path, env=store.env)
    assert results_of(run, path) == as_text(run, tmp_path / "text", made)
    files = fetched_files(tmp_path)
    assert len(files) == 4
    assert run("run", path, "--format", "json", env=store.env).json["steps"]["ran"] == 0
    store.put("orders/part 4.csv", csv_text([(1000 + i, *row[1:]) for i, row in enumerate(made[:50])]).encode())
    again = run("run", path, "--format", "json", env=store.env)
    assert {s["name"]: s["cells_ran"] for s in again.json["ran"]}["orders.amount"] == 1
    assert set(fetched_files(tmp_path)) > set(files)


def test_partitions_of_keys_are_columns(run, tmp_path, store):
    made = rows(300)
    for kind in ("web", "shop"):
        store.put(f"by/kind={kind}/rows.csv", csv_text([r for r in made if r[2] == kind], [c for c in COLUMNS if c != "kind"]).encode())
    run("run", s3_shop(tmp_path, store, "shop/by/kind=*/*.csv", more="expect distinct(kind) == 2"), env=store.env)


def test_what_an_s3_store_refuses(run, tmp_path, store):
    store.put("orders/a.csv", csv_text(rows(20)).encode())

    def failed(path, env, *said):
        outcome = run("run", path, "--format", "json", env=env, check=5)
        d = failure(outcome, "E0912")
        for text in said:
            assert text in d["message"] + "\n".join(d["notes"]), d
        assert "wr0ng-key" not in outcome.out + outcome.err and fetched_files(tmp_path) == []

    failed(s3_shop(tmp_path, store), dict(store.env, S3_ID="wr0ng-key"), "refuses", "InvalidAccessKeyId")
    failed(s3_shop(tmp_path, store, "nowhere/*.csv"), store.env, "does not have it", "NoSuchBucket")
    failed(s3_shop(tmp_path, store, "shop/order/*.csv"), store.env, "no object")
    failed(s3_shop(tmp_path, store, "shop"), store.env, "names no objects")


def test_requests_are_signed(run, tmp_path, site):
    """With a checker of our own, since the server of npm believes any signature."""
    key, made = "orders/part=1/a b+é.csv", rows()

    def answer(handler):
        site.status = 200 if is_signed(handler, "id", "right-key", "eu-central-1") else 403
        etag = hashlib.md5(csv_text(made).encode()).hexdigest()
        site.body = csv_text(made).encode()
        if "?" in handler.path:
            site.body = f'<ListBucketResult><Contents><Key>{key}</Key><ETag>&quot;{etag}&quot;</ETag></Contents><IsTruncated>false</IsTruncated></ListBucketResult>'.encode()
        if site.status == 403:
            site.body = b"<Error><Code>SignatureDoesNotMatch</Code></Error>"

    site.answer = answer
    text = f's3("shop/orders/*/*.csv", endpoint: "{site.url}", key_id: env("S3_ID"), key: env("S3_KEY"), region: "eu-central-1")'
    path = workflow(tmp_path, text)
    outcome = run("run", path, "--format", "json", env={"S3_ID": "id", "S3_KEY": "wr0ng-key"}, check=5)
    d = failure(outcome, "E0912")
    assert "refuses" in d["message"] and "SignatureDoesNotMatch" in d["notes"][0] and "wr0ng-key" not in outcome.out + outcome.err
    run("run", path, env={"S3_ID": "id", "S3_KEY": "right-key"})
    assert [asked.split("?")[0] for asked, _ in site.asked] == ["/shop", "/shop", "/shop/orders/part%3D1/a%20b%2B%C3%A9.csv"]
