"""Programs that no person writes: deep, long, large, of nothing but mistakes. `mlpc` answers each with a code and exit status 1 (or accepts it where
nothing is wrong), in bounded time and memory, and what it says stays readable."""

import os
import resource
import subprocess

import pytest

MB = 1 << 20
MANY = 100_000
MISTAKEN = MANY if "MLP_SOAK" in os.environ else 20_000
SANITIZED = "MLP_SANITIZED" in os.environ
MOST_CPU = 10 if not SANITIZED else 120  # seconds
MOST_MEMORY = 2048 * MB
HEAD = "workflow limits\n"
TABLE = 'data d from csv("a.csv") { a : int; m : int?; t : bool }\n'


def of(expression, kind="int"):
    return f"{HEAD}param x : {kind} = {expression}\n"


def feature(expression):
    return f"{HEAD}{TABLE}feature f of d {{ b = {expression} }}\n"


def chain(count, line, head, first, backwards=False):
    """Declarations of which each needs the one before; backwards: written after it."""
    lines = [line(i) for i in range(1, count)]
    return HEAD + head + "".join(([*reversed(lines), first] if backwards else [first, *lines]))


# name: (text, code that has to come first, or None where the program is right)
DEEP = {
    "parentheses": (of("(" * MANY + "1" + ")" * MANY), "E0105"),
    "open parentheses": (of("(" * MANY), "E0107"),
    "closing parentheses": (of(")" * MANY), "E0107"),
    "brackets": (of("[" * MANY + "1" + "]" * MANY), "E0105"),
    "braces": (HEAD + "feature f of d " + "{" * MANY + "}" * MANY + "\n", "E0105"),
    "open braces": (HEAD + TABLE + "feature f of d {\n" * MANY, "E0107"),
    "sets": (of("1 in (" * MANY + "1" + ")" * MANY, "bool"), "E0105"),
    "calls": (of("exp(" * MANY + "1" + ")" * MANY, "float"), "E0105"),
    "types": (of("1", "list(" * MANY + "int" + ")" * MANY), "E0105"),
    "not": (of("not " * MANY + "true", "bool"), "E0105"),
    "minus": (of("- " * MANY + "1"), "E0105"),
    "glued minus": (of("-" * MANY + "1"), "E0105"),
    "powers": (of("2.0 ^ " * MANY + "2.0", "float"), "E0105"),
    "defaults": (feature("m ?? " * MANY + "1"), "E0105"),
    "sums": (feature("a + " * MANY + "1"), "E0105"),
    "and": (feature("t and " * MANY + "t"), "E0105"),
    "comparisons": (feature("a < " * MANY + "1"), "E0105"),
    "then": (of("if true then " * MANY + "1" + " else 2" * MANY), "E0105"),
    "else": (of("if true then 1 else " * MANY + "2"), "E0105"),
    "conditions": (of("if " * MANY + "true" + " then true else false" * MANY, "bool"), "E0105"),
    "path": (of("a" + ".a" * MANY), "E0110"),
    "set of many": (of("1 in (" + "1, " * MANY + "1)", "bool"), "E0304"),
    "stages": (HEAD + TABLE + "data e = d\n" + "    | where a > 0\n" * MANY, "E0105"),
    "as many stages as may be": (HEAD + TABLE + "data e = d\n" + "    | where a > 0\n" * 1_000 + "feature f of e { a; }\n", None),
    "functions": (chain(20_000, lambda i: f"fn f{i}(x: int) -> int = f{i - 1}(x) + 1\n", "", "fn f0(x: int) -> int = x\n"), "E0105"),
    "functions that grow": (chain(60, lambda i: f"fn f{i}(x: int) -> int = f{i - 1}(x) + f{i - 1}(x)\n", "", "fn f0(x: int) -> int = x\n"), "E0105"),
    "columns": (chain(20_000, lambda i: f"b{i} = b{i - 1} + 1\n", TABLE + "feature f of d {\n", "b0 = a\n") + "}\n", None),
    "columns backwards": (chain(20_000, lambda i: f"b{i} = b{i - 1} + 1\n", TABLE + "feature f of d {\n", "b0 = a\n", True) + "}\n", "E0105"),
    "a few columns backwards": (chain(200, lambda i: f"b{i} = b{i - 1} + 1\n", TABLE + "feature f of d {\n", "b0 = a\n", True) + "}\n", None),
    "tables": (chain(2_000, lambda i: f"data d{i} = d{i - 1}\n    | where a > 0\n", "", TABLE.replace("data d ", "data d0 ")), None),
    "tables backwards": (chain(5_000, lambda i: f"data d{i} = d{i - 1}\n    | where a > 0\n", "", TABLE.replace("data d ", "data d0 "), True), "E0105"),
    "params backwards": (chain(20_000, lambda i: f"param p{i} : int = p{i - 1}\n", "", "param p0 : int = 1\n", True), "E0105"),
}
LARGE = {
    "comments": (HEAD + "# comment comment comment\n" * (50 * MB // 26 - 1), None),
    "blanks": (HEAD + " " * (50 * MB - 100), None),
    "lines": (HEAD + "\n" * (50 * MB - 100), None),
    "a text": (of('"' + "a" * (50 * MB - 100) + '"', "string"), None),
    "one sum": (of("1" + " + 1" * ((50 * MB - 100) // 4)), "E0109"),
    "declarations": (HEAD + "".join(f"param p{i} : int = 1\n" for i in range(2_300_000)), "E0109"),
    "as many declarations as may be": (HEAD + "".join(f"param p{i} : int = 1\n" for i in range(330_000)), None),
    "as many columns as may be": (HEAD + 'data d from csv("a.csv") {\n' + "".join(f"c{i} : int\n" for i in range(490_000)) + "}\n", None),
    "as long a sum as may be": (feature("a" + " + a" * 990_000), "E0105"),
    "strange characters": (HEAD + "! " * (25 * MB - 100), "E0102"),
    "as many strange characters as may be": (HEAD + "! " * 1_900_000, "E0102"),
    "comments of other languages": (HEAD + "/*\n" * (50 * MB // 3 - 100), "E0101"),
    "minus signs": (HEAD + "--x" * 600_000, "E0101"),
    "quotes of other languages": (HEAD + "' " * (25 * MB - 100), "E0102"),
    "lines of strange characters": (HEAD + "!\n" * (25 * MB - 100), "E0102"),
    "more than 50 MB": (HEAD + "#" * (51 * MB), "E0109"),
}
MISTAKES = {
    "words": (HEAD + "x y z\n" * MISTAKEN, "E0101"),
    "unknown columns": (HEAD + TABLE + "feature f of d {\n" + "".join(f"b{i} = nix{i}\n" for i in range(MISTAKEN)) + "}\n", "E0203"),
    "unknown names": (HEAD + "".join(f"param p{i} : int = nix\n" for i in range(MISTAKEN)), "E0201"),
    "unknown tables": (HEAD + "".join(f"feature f{i} of nix {{ }}\n" for i in range(MISTAKEN)), "E0201"),
    "unknown types": (HEAD + 'data d from csv("a.csv") {\n' + "".join(f"b{i} : nix{i}\n" for i in range(MISTAKEN)) + "}\n", "E0201"),
    "unknown functions": (HEAD + TABLE + "feature f of d {\n" + "".join(f"b{i} = nix{i}(a)\n" for i in range(MISTAKEN)) + "}\n", "E0204"),
    "names declared twice": (HEAD + "param p : int = 1\n" * MISTAKEN, "E0202"),
    "columns declared twice": (HEAD + 'data d from csv("a.csv") {\n' + "a : int\n" * MISTAKEN + "}\n", "E0202"),
    "on one line": (HEAD + TABLE + "feature f of d { " + "; ".join(f"x{i} = nix" for i in range(MISTAKEN)) + " }\n", "E0203"),
    "on one line, not ASCII": (HEAD + TABLE + "feature f of d { " + "; ".join(f"ä{i} = nix" for i in range(MISTAKEN)) + " }\n", "E0203"),
}
LONG = {
    "a name of 1 MB": (f"{HEAD}param {'n' * MB} : int = 1\n", "E0110"),
    "an unknown name of 1 MB": (of("n" * MB), "E0110"),
    "two quoted names of 1 MB": (f'{HEAD}data d from csv("a.csv") {{ `{"n" * MB}` : int\n abc : int }}\nfeature f of d {{ x = `{"m" * MB}` }}\n', "E0110"),
    "a name as long as may be": (f"{HEAD}param {'n' * 255} : int = 1\n", None),
    "a line of 5 MB": (feature(" " * (5 * MB) + "nix"), "E0203"),
    "a number of 1 MB": (of("1" * MB), "E0104"),
    "a bad number of 1 MB": (of("1x" * (MB // 2)), "E0104"),
    "a text of 1 MB that is not closed": (of('"' + "x" * MB, "string"), "E0103"),
    "a path of 1 MB": (HEAD + f'import "{"x" * MB}.mlp" as other\n', "E0901"),
    "a zero byte": (of("\0 1"), "E0106"),
    "no UTF-8": (of('"\udcff\udcfe"', "string"), "E0106"),
}


def limited():
    resource.setrlimit(resource.RLIMIT_CPU, (8 * MOST_CPU, 8 * MOST_CPU))
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (2 * MOST_MEMORY, 2 * MOST_MEMORY))


@pytest.fixture
def measured(mlpc_bin, tmp_path):
    """measured(text, *args) -> (exit status, stdout, stderr) of `mlpc args file`, after its time and memory were looked at."""

    def call(text, *args):
        if text is not None:
            (tmp_path / "w.mlp").write_bytes(text.encode("utf-8", "surrogateescape"))
        out, err = tmp_path / "out", tmp_path / "err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen([str(mlpc_bin), *args, "w.mlp"], cwd=tmp_path, stdout=stdout, stderr=stderr, preexec_fn=limited, env={**os.environ, "NO_COLOR": "1"})
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert used.ru_utime + used.ru_stime < MOST_CPU, "too long"
        assert SANITIZED or used.ru_maxrss * 1024 < MOST_MEMORY, "too much memory"
        return process.returncode, out.read_text("utf-8"), err.read_text("utf-8")

    return call


def check(measured, text, code):
    status, out, err = measured(text, "check")
    if code is None:
        assert (status, err) == (0, "")
        return
    assert status == (5 if code == "E0901" else 1)
    assert err.startswith(f"error[{code}]: "), err[:200]
    assert "= help: " in err and err.rstrip().endswith(("error", "errors"))
    assert len(err) < 100_000 and max(len(line) for line in err.splitlines()) < 1_000


@pytest.mark.parametrize("name", DEEP)
def test_deep(measured, name):
    check(measured, *DEEP[name])


@pytest.mark.parametrize("name", LARGE)
def test_large(measured, name):
    check(measured, *LARGE[name])


@pytest.mark.parametrize("name", MISTAKES)
def test_a_hundred_thousand_mistakes(measured, name):
    text, code = MISTAKES[name]
    check(measured, text, code)
    for line in measured(None, "check")[2].splitlines():
        if line.endswith(" errors"):
            assert int(line.split()[0]) >= MISTAKEN - 1


@pytest.mark.parametrize("name", ["unknown columns", "on one line", "on one line, not ASCII"])
@pytest.mark.parametrize("form", ["json", "sarif"])
def test_a_hundred_thousand_mistakes_for_programs(measured, name, form):
    status, out, _ = measured(MISTAKES[name][0], "check", "--format", form)
    assert status == 1
    assert out.count('"E0203"') >= MISTAKEN and out.endswith("}\n")


@pytest.mark.parametrize("name", LONG)
def test_long(measured, name):
    check(measured, *LONG[name])


@pytest.mark.parametrize("name", ["parentheses", "not", "sums", "else", "columns", "columns backwards"])
def test_formatting_is_bounded_too(measured, name):
    text, code = DEEP[name]
    assert measured(text, "fmt", "--check")[0] in (0, 1)


def test_imports_in_a_circle_and_in_a_long_row(run, tmp_path):
    (tmp_path / "self.mlp").write_text('import "self.mlp" as me\n')
    assert "error[E0205]: `self.mlp` imports itself" in run("check", "self.mlp", check=1).err
    for i in range(300):
        (tmp_path / f"m{i}.mlp").write_text(f'import "m{(i + 1) % 300}.mlp" as next\nparam p{i} : int = 1\n')
    assert "error[E0105]: imports inside one another" in run("check", "m0.mlp", check=1).err
    for i in range(50):
        (tmp_path / f"m{i}.mlp").write_text(f'import "m{(i + 1) % 50}.mlp" as next\nparam p{i} : int = 1\n')
    err = run("check", "m0.mlp", check=1).err
    assert "error[E0205]: `m0.mlp` imports itself: " in err and err.count("error[") == 1
