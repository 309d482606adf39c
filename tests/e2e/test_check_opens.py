"""`mlpc check` opens the workflow and what it imports: no data file, no folder, no store. The kernel says what was opened (inotify)."""

import ctypes
import os
import pathlib
import struct

import pytest

IN_OPEN = 0x20
ROWS = "id,age,left\n" + "".join(f"{i},{20 + i % 50},{'true' if i % 3 else 'false'}\n" for i in range(200))
WORKFLOW = """workflow opens
import "other.mlp" as other
data people from csv("people.csv") { id : int @key; age : int; left : bool @label }
data parts from csv("part_*.csv") { id : int @key; age : int }
feature f of people { age; older = other.twice(age) }
train m of f { predict left; split random 70/15/15; model logistic { }; seed 1 }
"""
OTHER = 'data far from csv("far.csv") { a : int }\nfn twice(x: int) -> int = 2 * x\n'


class Opened:
    """The names in a folder that were opened while it was watched; "." is the folder itself."""

    def __init__(self, folder):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK)
        if self.fd < 0 or libc.inotify_add_watch(self.fd, os.fsencode(folder), IN_OPEN) < 0:
            pytest.skip("the kernel does not say what is opened (inotify)")

    def names(self):
        names = set()
        while True:
            try:
                events = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                os.close(self.fd)
                return names
            at = 0
            while at < len(events):
                length = struct.unpack_from("iIII", events, at)[3]
                names.add(events[at + 16 : at + 16 + length].rstrip(b"\0").decode() or ".")
                at += 16 + length


def opened(run, folder, *args, check=0):
    watch = Opened(folder)
    run(*args, cwd=folder, check=check)
    return watch.names()


@pytest.fixture
def folder(tmp_path):
    for name, text in {"w.mlp": WORKFLOW, "other.mlp": OTHER, "people.csv": ROWS, "far.csv": "a\n1\n", "part_1.csv": "id,age\n1,2\n", "mlp.lock": ""}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_run_opens_its_data(run, folder):
    """The observation itself: without it the next tests would prove nothing."""
    assert "people.csv" in opened(run, folder, "run", "w.mlp")


@pytest.mark.parametrize("options", [[], ["--format", "json"], ["--format", "sarif"], ["--quiet"], ["--emit", "hir"]], ids=lambda options: " ".join(options) or "text")
def test_check_opens_the_workflow_and_its_imports_alone(run, folder, options):
    assert opened(run, folder, "check", "w.mlp", *options) == {"w.mlp", "other.mlp"}


def test_a_wrong_workflow_and_fix_open_no_data(run, folder):
    (folder / "w.mlp").write_text(WORKFLOW.replace("older = ", "older = agee + "))
    assert opened(run, folder, "check", "w.mlp", check=1) == {"w.mlp", "other.mlp"}
    assert not {"people.csv", "part_1.csv", "far.csv"} & opened(run, folder, "check", "--fix", "w.mlp", check=1)


def test_data_that_are_not_there_or_never_end_are_no_mistake(run, folder):
    (folder / "people.csv").unlink()
    os.mkfifo(folder / "people.csv")  # whoever opens it waits for ever
    (folder / "part_1.csv").unlink()
    run("check", "w.mlp", cwd=folder)


def test_the_workflows_of_the_contract_need_no_data(run, shared, tmp_path):
    files = sorted(shared.glob("workflows/**/*.mlp"))
    assert files
    for file in files:
        alone = tmp_path / f"alone_{file.stem}"
        alone.mkdir()
        (alone / file.name).write_bytes(pathlib.Path(file).read_bytes())
        assert opened(run, alone, "check", file.name) == {file.name}
