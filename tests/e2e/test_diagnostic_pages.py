"""Every code has a page with an example of what is wrong and of its mend, and a test that it is told where it should be.

A page holds blocks of code. Programs: ```mlp wrong gives exactly the code of the page, ```mlp right gives nothing; they are checked behind
the comment `<!-- with … -->` above them. Sessions: the files of blocks such as ```csv FILE are there, ```sh wrong ends with a command that
says the code, and ```sh right, run in the same folder after it, with one that does not.
"""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "diagnostics"
CODES = dict(re.findall(r'^MLP_CODE\((\w+), \w+, "(.*)"\)$', (ROOT / "compiler/diag/codes.def").read_text(), flags=re.M))
# What no user can bring about in this version; the page says so.
WITHOUT_EXAMPLE = {"W0901", "E0805"}
BLOCK = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", flags=re.S | re.M)


def page(code):
    return (PAGES / f"{code}.md").read_text(encoding="utf-8")


def blocks(code):
    """(language, word behind it, text) of the blocks of a page; programs with what stands before them."""
    text = page(code)
    hidden = re.search(r"<!-- with\n(.*?)-->", text, flags=re.S)
    for language, word, body in BLOCK.findall(text):
        if language == "mlp" and word in ("wrong", "right") and hidden:
            body = hidden.group(1) + "\n" + body
        yield language, word, body


def examples(language):
    return [code for code in CODES if code not in WITHOUT_EXAMPLE and any(b[0] == language and b[1] == "wrong" for b in blocks(code))]


def test_every_code_has_a_page_and_every_page_a_code():
    assert {path.stem for path in PAGES.glob("*.md")} == set(CODES)
    for code, title in CODES.items():
        assert page(code).startswith(f"# {code}: {title}\n\n"), code
        assert f"- [{code}](diagnostics/{code}.md): {title}\n" in (ROOT / "docs/diagnostics.md").read_text(encoding="utf-8"), code


def test_every_page_says_what_it_means_and_shows_an_example():
    for code in CODES:
        prose = re.sub(r"<!--.*?-->|^```.*?^```$|^#[^\n]*$", "", page(code), flags=re.S | re.M)
        assert len(prose.split()) >= 25, f"{code}: the page says too little"
        words = [word for _, word, _ in blocks(code)]
        if code in WITHOUT_EXAMPLE:
            assert "no example" in page(code), code
        else:
            assert words.count("wrong") == 1 and words.count("right") == 1, f"{code}: an example has a wrong and a right form"


def test_every_code_is_told_in_a_test():
    told = "".join(path.read_text(encoding="utf-8", errors="replace") for path in (ROOT / "tests/golden").rglob("*.diag"))
    for folder in ("e2e", "unit", "property"):
        told += "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / folder).iterdir() if path.suffix in (".py", ".cpp") and path.name != "test_diagnostic_pages.py")
    sessions = set(examples("sh"))  # these are end-to-end tests themselves
    assert [code for code in CODES if code not in told and code not in sessions] == []


@pytest.mark.parametrize("code", examples("mlp"))
def test_the_program_of_a_page_gives_its_code_and_its_mend_none(run, tmp_path, code):
    for language, word, text in blocks(code):
        if language != "mlp" or word not in ("wrong", "right"):
            continue
        path = tmp_path / f"{word}.mlp"
        path.write_text(text, encoding="utf-8")
        outcome = run("check", path, "--format", "json", check=None)
        found = [d["code"] for d in outcome.json["diagnostics"]]
        assert found == ([code] if word == "wrong" else []), f"{word}:\n{text}\n{outcome}"


@pytest.fixture
def session(mlpc_bin, tmp_path):
    """session(script) -> the exit status and the output of its last command, in a folder where `mlpc` is on the path."""
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "mlpc").symlink_to(mlpc_bin)
    (tmp_path / "here").mkdir()

    def call(script):
        lines = script.strip().splitlines()
        *before, last = lines if not lines[-1].startswith("kill ") else lines[:-1]
        after = lines[len(before) + 1 :]
        text = "\n".join([*before, "exec >last.txt 2>&1", last, "status=$?", *after, "exit $status"])
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MLP_")}
        environment["PATH"] = f"{tmp_path / 'path'}:{environment['PATH']}"
        done = subprocess.run(["bash", "-c", text], cwd=tmp_path / "here", env=environment, capture_output=True, text=True, timeout=120)
        said = tmp_path / "here" / "last.txt"
        return done.returncode, said.read_text(encoding="utf-8", errors="replace") if said.exists() else done.stdout + done.stderr

    session = call
    session.folder = tmp_path / "here"
    return session


@pytest.mark.parametrize("code", examples("sh"))
def test_the_session_of_a_page_gives_its_code_and_its_mend_none(session, code):
    for language, word, text in blocks(code):
        if language != "sh" and word not in ("wrong", "right"):
            (session.folder / word).write_text(text, encoding="utf-8")
    for language, word, text in blocks(code):
        if language != "sh":
            continue
        status, said = session(text)
        if word == "wrong":
            assert f"[{code}]" in said, f"{word}:\n{text}\n{said}"
            assert (status != 0) == (code[0] == "E") or code == "W0803", f"exit status {status}\n{said}"
        else:
            # 6 is a breach, which is told now
            assert "[E" not in said and f"[{code}]" not in said and status in (0, 6), f"{word}, exit status {status}:\n{text}\n{said}"
