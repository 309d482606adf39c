"""The layer check: reads every #include and fails on an arrow that docs/architecture.md does not
list, and on a third-party library outside of its place."""

import fnmatch
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOTS = ("kernels", "compiler", "runtime", "cli")
PAGE = "docs/architecture.md"
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)

# Written at build time; whoever may include them is seen by the build.
GENERATED = ("gen/*", "native_names.h", "MlpLexer.h", "MlpParser.h")
# Generated headers that bring ANTLR with them.
GENERATED_GRAMMAR = ("gen/grammar/*", "MlpLexer.h", "MlpParser.h")
STD = re.compile(r"[a-z0-9_]+$")  # <vector>, <cstdint>
POSIX = (
    "sys/*.h", "netinet/*.h", "arpa/*.h", "linux/*.h", "asm/*.h",
    "*intrin.h", "arm_neon.h", "cpuid.h", "dirent.h", "dlfcn.h", "elf.h", "fcntl.h", "fenv.h", "float.h", "fnmatch.h", "ftw.h",
    "glob.h", "inttypes.h", "langinfo.h", "limits.h", "link.h", "malloc.h", "math.h", "netdb.h", "poll.h",
    "pthread.h", "pwd.h", "sched.h", "semaphore.h", "signal.h", "spawn.h", "stddef.h", "stdint.h", "stdio.h",
    "stdlib.h", "string.h", "termios.h", "time.h", "unistd.h", "utime.h", "execinfo.h", "errno.h",
)  # fmt: skip


def fenced_block(name):
    """`left: right right` lines of the block ```NAME of the architecture page."""
    text = (ROOT / PAGE).read_text()
    match = re.search(rf"^```{name}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert match, f"{PAGE} has no block ```{name}"
    rules = {}
    for line in match.group(1).splitlines():
        if line.strip():
            left, colon, right = line.partition(":")
            assert colon, f"{PAGE}: `{line}` has no colon"
            assert left not in rules, f"{PAGE}: `{left}` is listed twice"
            rules[left.strip()] = right.split()
    return rules


def matches(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def room_of(path, rooms):
    """The innermost listed folder that holds `path`, or None."""
    inside = [room for room in rooms if path.startswith(room + "/")]
    return max(inside, key=len, default=None)


class Tree:
    """All sources under `root` and what they include: {path: ([quoted], [angled])}."""

    def __init__(self, root):
        self.includes = {}
        for top in ROOTS:
            for file in sorted((root / top).rglob("*")):
                if file.suffix in (".h", ".hpp", ".cpp", ".cc", ".inc"):
                    found = INCLUDE.findall(file.read_text(encoding="utf-8", errors="replace"))
                    self.includes[str(file.relative_to(root))] = (
                        [quoted for quoted, _ in found if quoted],
                        [angled for _, angled in found if angled],
                    )

    def third_party(self, path):
        """Headers of others that `path` itself includes."""
        quoted, angled = self.includes[path]
        outside = [h for h in angled if not STD.match(h) and not matches(h, POSIX)]
        return outside + ["antlr4-runtime.h" for h in quoted if matches(h, GENERATED_GRAMMAR)]


def arrow_errors(tree, arrows):
    errors = []
    for path, (quoted, _) in tree.includes.items():
        room = room_of(path, arrows)
        if room is None:
            errors.append(f"{path}: its folder is not in the list of arrows")
            continue
        for header in quoted:
            if matches(header, GENERATED):
                continue
            target = room_of(header, arrows)
            if target is None:
                errors.append(f'{path}: #include "{header}" does not start at the root of the tree')
            elif target != room and "*" not in arrows[room] and target not in arrows[room]:
                errors.append(f'{path}: #include "{header}" needs an arrow {room}: {target}')
    return errors


def third_party_errors(tree, places):
    errors = []
    for path in tree.includes:
        for header in tree.third_party(path):
            rules = [files for pattern, files in places.items() if fnmatch.fnmatchcase(header, pattern)]
            if not rules:
                errors.append(f"{path}: <{header}> is in no list of allowed headers")
            elif not any(matches(path, files) for files in rules):
                errors.append(f"{path}: <{header}> is allowed only in {' '.join(sum(rules, []))}")
    return errors


def leaking_header_errors(tree, arrows):
    """Third-party headers (save fmt) in a header that another room includes, also through others."""
    reached = {}  # header -> the file of another room through which it is seen
    queue = []
    for path, (quoted, _) in tree.includes.items():
        for header in quoted:
            if header in tree.includes and room_of(header, arrows) != room_of(path, arrows):
                if header not in reached:
                    reached[header] = path
                    queue.append(header)
    while queue:
        header = queue.pop()
        for inner in tree.includes[header][0]:
            if inner in tree.includes and inner not in reached:
                reached[inner] = reached[header]
                queue.append(inner)
    return [
        f"{header}: <{library}> reaches {reached[header]}; keep it in a .cpp"
        for header in sorted(reached)
        for library in tree.third_party(header)
        if not library.startswith("fmt/")
    ]


def cycle_errors(arrows):
    """A cycle of rooms, but for those that may know all."""
    errors, done = [], set()

    def visit(room, trail):
        if room in trail:
            errors.append("a circle of rooms: " + " -> ".join(trail[trail.index(room) :] + [room]))
        elif room not in done:
            for target in arrows.get(room, []):
                if target != "*":
                    visit(target, trail + [room])
            done.add(room)

    for room in arrows:
        visit(room, [])
    return errors


def declared_deps(path):
    """DEPS of a folder's CMakeLists.txt, or None when it declares no room."""
    text = re.sub(r"#.*", "", path.read_text())
    match = re.search(r"mlp_(?:room|module)\(([^)]*)\)", text)
    if not match:
        return None
    words, deps, on = match.group(1).split(), [], False
    for word in words:
        if word in ("DEPS", "PRIVATE_LIBS", "EXCLUDE", "SOURCES", "USES_STDLIB", "TARGET", "HOST"):
            on = word == "DEPS"
        elif on:
            deps.append(word)
    return deps


def fail_with(errors):
    if errors:
        pytest.fail("\n".join(errors), pytrace=False)


ARROWS = fenced_block("arrows")
PLACES = fenced_block("third-party")
TREE = Tree(ROOT)


def test_every_include_follows_an_arrow():
    fail_with(arrow_errors(TREE, ARROWS))


def test_third_party_headers_stay_in_their_place():
    fail_with(third_party_errors(TREE, PLACES))


def test_no_third_party_header_crosses_rooms():
    fail_with(leaking_header_errors(TREE, ARROWS))


def test_the_arrows_have_no_circle():
    fail_with(cycle_errors(ARROWS))


def test_the_compiler_does_not_know_the_runtime():
    allowed = {"kernels"} | {f"compiler/{name}" for name in ("support", "diag", "types", "expr", "plan")}
    for room, targets in ARROWS.items():
        for target in targets:
            if room.startswith("compiler/"):
                assert not target.startswith("runtime/"), f"{room}: {target}"
            elif room.startswith("runtime/") and room != "runtime/embed":  # sits on top, as the command line does
                assert target in allowed or target.startswith("runtime/"), f"{room}: {target}"


@pytest.mark.parametrize("room", [room for room in ARROWS if "*" not in ARROWS[room]])
def test_cmake_says_the_same(room):
    path = ROOT / room / "CMakeLists.txt"
    deps = declared_deps(path) if path.exists() else None
    if deps is None:
        pytest.skip(f"{room} is not built by mlp_room")
    assert sorted(deps) == sorted(ARROWS[room]), f"{room}/CMakeLists.txt and {PAGE} differ"


# The check checks itself: each wrong tree gives exactly its error.


def tree_of(tmp_path, files):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return Tree(tmp_path)


def test_finds_a_missing_arrow(tmp_path):
    tree = tree_of(tmp_path, {
        "compiler/diag/a.cpp": '#include "runtime/column/column.h"\n#include "gen/native_names.h"\n',
        "cli/main.cpp": '#include "compiler/diag/a.h"\n  #  include "a.h"\n',
    })  # fmt: skip
    assert arrow_errors(tree, ARROWS) == [
        'compiler/diag/a.cpp: #include "runtime/column/column.h" needs an arrow compiler/diag: runtime/column',
        'cli/main.cpp: #include "a.h" does not start at the root of the tree',
    ]


def test_finds_a_library_out_of_place(tmp_path):
    tree = tree_of(tmp_path, {
        "compiler/plan/dump.cpp": "#include <vector>\n#include <unistd.h>\n#include <nlohmann/json.hpp>\n",
        "compiler/plan/scorer_json.cpp": "#include <nlohmann/json.hpp>\n",
        "compiler/syntax/parse.h": '#include "gen/grammar/MlpParser.h"\n',
        "runtime/io/x.cpp": "#include <curl/curl.h>\n",
    })  # fmt: skip
    errors = third_party_errors(tree, PLACES)
    assert [error.split(":")[0] for error in errors] == [
        "compiler/plan/dump.cpp", "compiler/syntax/parse.h", "runtime/io/x.cpp",
    ]  # fmt: skip


def test_finds_a_library_that_leaks_through_a_header(tmp_path):
    tree = tree_of(tmp_path, {
        "runtime/column/parallel.h": '#include "runtime/column/arena.h"\n#include <fmt/format.h>\n',
        "runtime/column/arena.h": "#include <tbb/task_arena.h>\n",
        "runtime/column/private.h": "#include <tbb/task_arena.h>\n",
        "runtime/interp/loop.cpp": '#include "runtime/column/parallel.h"\n',
    })  # fmt: skip
    assert leaking_header_errors(tree, ARROWS) == [
        "runtime/column/arena.h: <tbb/task_arena.h> reaches runtime/interp/loop.cpp; keep it in a .cpp"
    ]


def test_finds_a_circle():
    assert cycle_errors({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["a circle of rooms: b -> c -> b"]


def test_every_native_object_is_declared_in_the_standard_library():
    """The linker finds a declaration without a definition; a definition without a declaration is found here (functions: by the compiler)."""
    kinds = {"Transform": "transform", "Model": "model", "Metric": "metric", "Drift": "drift", "Aggregate": "aggregate"}
    declared = {kind: set() for kind in kinds.values()}
    for path in sorted((ROOT / "stdlib").glob("*.mlp")):
        for entry in re.split(r"\n(?=##|(?:fn|operator|transform|model|metric|drift|aggregate|source)\b)", path.read_text()):
            head = re.search(r"^(transform|model|metric|drift|aggregate) (\w+)", entry, re.MULTILINE)
            if head:
                symbol = re.search(r'native\("(\w+)"\)', entry)
                declared[head.group(1)].add(symbol.group(1) if symbol else head.group(2))
    defined = {kind: set() for kind in kinds.values()}
    for path in sorted((ROOT / "runtime" / "learn").rglob("*.cpp")):
        for kind, name in re.findall(r"^constinit const (?:learn::)?Native(\w+) (\w+)", path.read_text(), re.MULTILINE):
            defined[kinds[kind]].add(name)
    assert all(defined.values()), defined
    assert {kind: sorted(names - declared[kind]) for kind, names in defined.items()} == {kind: [] for kind in defined}
