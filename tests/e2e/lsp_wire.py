"""The language server's side of the wire, in plain Python: frames, requests and answers."""

import json
import os
import subprocess
import threading


def framed(message):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class Wire:
    """A server process. Every read gives up after `patience` seconds: the process is killed, so that a hang is a failed test."""

    def __init__(self, mlpc, patience=20):
        self.process = subprocess.Popen([str(mlpc), "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.patience = patience
        self.count = 0
        self.seen = []  # notifications that came while something else was awaited

    def raw(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, method, params=None, **more):
        self.raw(framed({"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params}), **more}))

    def read(self):
        """The next message; None at the end of the stream."""
        timer = threading.Timer(self.patience, self.process.kill)
        timer.start()
        try:
            length = None
            while True:
                line = self.process.stdout.readline()
                if not line:
                    return None
                if not line.strip():
                    break
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            return json.loads(self.process.stdout.read(length))
        finally:
            timer.cancel()

    def ask(self, method, params=None):
        """The whole answer to a request."""
        self.count += 1
        self.send(method, params, id=self.count)
        while True:
            message = self.read()
            assert message is not None, f"no answer to {method}: {self.process.stderr.read()}"
            if message.get("id") == self.count:
                return message
            self.seen.append(message)

    def notified(self, method):
        for i, message in enumerate(self.seen):
            if message.get("method") == method:
                return self.seen.pop(i)["params"]
        while (message := self.read()) is not None:
            if message.get("method") == method:
                return message["params"]
            self.seen.append(message)
        raise AssertionError(f"no {method}")

    def begin(self, **capabilities):
        answer = self.ask("initialize", {"processId": os.getpid(), "rootUri": None, "capabilities": capabilities})
        self.send("initialized", {})
        return answer["result"]["capabilities"]

    def open(self, text, uri="file:///tmp/a.mlp", version=1):
        self.send("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "mlp", "version": version, "text": text}})
        return self.diagnostics(uri)

    def diagnostics(self, uri="file:///tmp/a.mlp"):
        while True:
            params = self.notified("textDocument/publishDiagnostics")
            if params["uri"] == uri:
                return params["diagnostics"]

    def change(self, changes, uri="file:///tmp/a.mlp", version=2):
        self.send("textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes})

    def at(self, what, position, uri="file:///tmp/a.mlp"):
        answer = self.ask(f"textDocument/{what}", {"textDocument": {"uri": uri}, "position": position})
        assert "result" in answer, answer
        return answer["result"]

    def end(self):
        assert self.ask("shutdown")["result"] is None
        self.send("exit")
        while self.read() is not None:  # a server that nobody listens to would wait with what it still has to say
            pass
        assert self.process.wait(self.patience) == 0

    def close(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except OSError:  # what was not written goes nowhere
                pass


def place(text, needle, skip=0, offset=0):
    """Position (UTF-16) of the `skip`-th occurrence of a text."""
    at = -1
    for _ in range(skip + 1):
        at = text.index(needle, at + 1)
    at += offset
    line = text.rfind("\n", 0, at) + 1
    return {"line": text.count("\n", 0, at), "character": len(text[line:at].encode("utf-16-le")) // 2}


def sliced(text, span):
    """What a range (UTF-16) covers."""
    def offset(position):
        lines = text.split("\n")
        before = sum(len(line) + 1 for line in lines[: position["line"]])
        return before + len(lines[position["line"]].encode("utf-16-le")[: position["character"] * 2].decode("utf-16-le"))
    return text[offset(span["start"]):offset(span["end"])]
