"""A PostgreSQL server of the tests' own: a real one, on a port of the loopback, run by a user without rights."""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

PASSWORD = "Tr0ub4dor-secret"
BINARIES = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """`url` has the password of the user `shopkeeper`, who owns the database `bazaar`."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        # PostgreSQL refuses to run as root.
        self.user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self.url = f"postgresql://shopkeeper:{PASSWORD}@127.0.0.1:{self.port}/bazaar"

    def _run(self, program, *args, **more):
        done = subprocess.run([BINARIES[-1] / program, *args], capture_output=True, text=True, cwd=self.folder, **self.user, **more)
        assert done.returncode == 0, (program, args, done.stdout, done.stderr)
        return done.stdout

    def initialise(self):
        (self.folder / "pw").write_text(PASSWORD, encoding="utf-8")
        (self.folder / "pw").chmod(0o644)
        self._run("initdb", "-D", self.folder / "data", "-U", "shopkeeper", "--auth=scram-sha-256", f"--pwfile={self.folder}/pw", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")

    def start(self):
        self.process = subprocess.Popen(
            [BINARIES[-1] / "postgres", "-D", self.folder / "data", "-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}",
             "-c", "fsync=off", "-c", "max_connections=20", "-c", "log_statement=all"],
            stdout=open(self.folder / "log", "ab"), stderr=subprocess.STDOUT, cwd=self.folder, **self.user,
        )  # fmt: skip
        for _ in range(300):
            if self.process.poll() is not None:
                break
            with contextlib.suppress(AssertionError):
                self.sql("SELECT 1", database="postgres")
                return
            time.sleep(0.1)
        pytest.fail((self.folder / "log").read_text(errors="replace"))

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)  # at once: what it holds is thrown away
        self.process.wait(60)

    def sql(self, text, database="bazaar", stdin=None):
        env = dict(os.environ, PGPASSWORD=PASSWORD)
        args = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "shopkeeper", "-d", database, "-v", "ON_ERROR_STOP=1", "-qAt", "-c", text]
        done = subprocess.run([BINARIES[-1] / "psql", *args], capture_output=True, text=True, env=env, input=stdin)
        assert done.returncode == 0, (text, done.stderr)
        return done.stdout.strip()

    def log(self):
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")


@contextlib.contextmanager
def postgres_server():
    if not BINARIES or not (BINARIES[-1] / "initdb").exists():
        pytest.skip("PostgreSQL is not installed (scripts/setup.sh)")
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("there is no user `postgres` who could run the server")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mlp-pg-"))
    server = Server(folder)
    try:
        folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        server.initialise()
        server.start()
        server.sql("CREATE DATABASE bazaar", database="postgres")
        yield server
    finally:
        if server.process and server.process.poll() is None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
