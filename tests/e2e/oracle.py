"""Small workflows over CSV files with an evaluator of their own, to tell by brute force which cells an edit could change.

A column is a tree over other columns. The oracle evaluates every column of every file and remembers each (code, contents of
the inputs) that was ever computed: a cell has to be computed when its pair is new, and only then. Nothing here knows keys,
digests or plans.
"""

import copy
import random

TYPES = ("int", "float", "bool")


def lift(function):
    """Missing where an argument is."""
    return lambda *args: None if any(a is None for a in args) else function(*args)


def kleene_and(a, b):
    return False if a is False or b is False else None if a is None or b is None else True


def kleene_or(a, b):
    return True if a is True or b is True else None if a is None or b is None else False


# name: (result, types of the arguments, how it is written, meaning)
FORMS = {
    "int_add": ("int", ("int", "int"), "({} + {})", lift(lambda a, b: a + b)),
    "int_sub": ("int", ("int", "int"), "({} - {})", lift(lambda a, b: a - b)),
    "int_max": ("int", ("int", "int"), "max({}, {})", lift(max)),
    "int_abs": ("int", ("int",), "abs({})", lift(abs)),
    "int_or": ("int", ("int", "int"), "({} ?? {})", lambda a, b: b if a is None else a),
    "int_if": ("int", ("bool", "int", "int"), "(if ({} ?? false) then {} else {})", lambda c, a, b: a if c else b),
    "float_add": ("float", ("float", "float"), "({} + {})", lift(lambda a, b: a + b)),
    "float_mul": ("float", ("float", "float"), "({} * {})", lift(lambda a, b: a * b)),
    "float_div": ("float", ("float", "float"), "({} / {})", lift(lambda a, b: None if b == 0 else a / b)),
    "float_of": ("float", ("int",), "float({})", lift(float)),
    "float_min": ("float", ("float", "float"), "min({}, {})", lift(min)),
    "float_or": ("float", ("float", "float"), "({} ?? {})", lambda a, b: b if a is None else a),
    "bool_lt": ("bool", ("int", "int"), "({} < {})", lift(lambda a, b: a < b)),
    "bool_ge": ("bool", ("float", "float"), "({} >= {})", lift(lambda a, b: a >= b)),
    "bool_and": ("bool", ("bool", "bool"), "({} and {})", kleene_and),
    "bool_or": ("bool", ("bool", "bool"), "({} or {})", kleene_or),
    "bool_known": ("bool", ("float",), "({} is known)", lambda a: a is not None),
}
TWICE = {"int": "int_max", "float": "float_min", "bool": "bool_and"}  # f(x, x) is x


class Column:
    """A column: read from the files (`tree` is None) or computed. `where` is the table or the view."""

    def __init__(self, name, type_, where, tree=None):
        self.name, self.type, self.where, self.tree = name, type_, where, tree


def references(tree):
    """Columns in a tree."""
    if tree[0] == "column":
        return {tree[1]}
    if tree[0] == "constant":
        return set()
    return set().union(*(references(t) for t in tree[2]))


def size(tree):
    return 1 + (sum(size(t) for t in tree[2]) if tree[0] == "form" else 0)


def evaluate(tree, row):
    if tree[0] == "column":
        return row[tree[1]]
    if tree[0] == "constant":
        return tree[1]
    return FORMS[tree[1]][3](*(evaluate(t, row) for t in tree[2]))


def constant_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def exactly(values):
    """Values that can be compared as what they are: 1, 1.0 and True differ."""
    return tuple((type(v).__name__, repr(v)) for v in values)


class Workflow:
    """A table in files, a view of it, and what was computed so far."""

    def __init__(self, draw):
        self.draw = draw
        self.columns = {}  # id: Column
        self.next_id = 0
        self.files = []  # lists of {id: value}
        self.layout = 0  # white space, comments and order; no meaning
        self.computed = set()
        for type_, count in (("int", 3), ("float", 3), ("bool", 1)):
            for _ in range(count):
                self.add(type_, "rows")
        for _ in range(draw.randint(3, 5)):
            self.append_file()
        for where in ("rows", "rows", "seen", "seen", "seen", "seen", "seen", "seen"):
            self.add_computed(where)

    # ---- what it is made of ----
    def add(self, type_, where, tree=None):
        self.next_id += 1
        id_ = self.next_id
        self.columns[id_] = Column(f"{type_[0]}{id_}", type_, where, tree)
        return id_

    def add_computed(self, where):
        type_ = self.draw.choice(TYPES)
        known = [i for i, c in self.columns.items() if where == "seen" or c.where == "rows"]
        return self.add(type_, where, self.make_tree(type_, 3, known))

    def make_tree(self, type_, depth, known):
        """A tree of this type; each has a constant that no other tree has, so that no two columns are the same code."""
        leaves = [i for i in known if self.columns[i].type == type_]
        if depth == 0:
            if leaves:
                return ("column", self.draw.choice(leaves))
            return self.make_constant(type_)
        name = self.draw.choice([n for n, form in FORMS.items() if form[0] == type_])
        tree = ("form", name, tuple(self.make_tree(t, depth - 1, known) for t in FORMS[name][1]))
        if depth < 3:
            return tree
        if not references(tree):
            return self.make_tree(type_, depth, known)
        if type_ == "bool":
            return ("form", "bool_or", (tree, ("form", "bool_lt", (self.make_tree("int", 0, known), self.make_constant("int")))))
        return ("form", f"{type_}_add", (tree, self.make_constant(type_)))

    def make_constant(self, type_):
        value = {"int": self.draw.randint(1, 10**6), "float": self.draw.randint(1, 10**6) / 64 + 0.5, "bool": True}[type_]
        return ("constant", value)

    def sources(self):
        return [i for i, c in self.columns.items() if c.tree is None]

    def make_row(self):
        row = {}
        for i in self.sources():
            kind = self.columns[i].type
            value = {"int": self.draw.randint(-9, 9), "float": self.draw.randint(-99, 99) / 8, "bool": self.draw.random() < 0.5}[kind]
            row[i] = None if self.draw.random() < 0.1 else value
        return row

    def append_file(self):
        self.files.append([self.make_row() for _ in range(self.draw.randint(15, 40))])

    # ---- how it is written ----
    def text_of(self, tree):
        if tree[0] == "column":
            return self.columns[tree[1]].name
        if tree[0] == "constant":
            return constant_text(tree[1])
        return FORMS[tree[1]][2].format(*(self.text_of(t) for t in tree[2]))

    def program(self):
        draw = random.Random(self.layout)
        table = [f"{c.name} : {c.type}? as \"s{i}\"" for i, c in self.columns.items() if c.tree is None]
        table += [f"{c.name} : {c.type}? = {self.text_of(c.tree)}" for c in self.columns.values() if c.tree and c.where == "rows"]
        table.append("label : bool = label_text == \"yes\" @label")
        table.append("label_text : string @ignore")
        view = [f"{c.name} = {self.text_of(c.tree)}" for c in self.columns.values() if c.where == "seen"]
        blocks = []
        for head, entries in (('data rows from csv("part_*.csv")', table), ("feature seen of rows", view)):
            if self.layout:
                draw.shuffle(entries)
            pad = " " * draw.randint(2, 6)
            remark = f"{pad}# remark {self.layout}\n" if self.layout else ""
            blocks.append(head + " {\n" + remark + "".join(f"{pad}{e}\n" for e in entries) + "}\n")
        blocks.append("train m of seen { predict label; split random 60/20/20; model gbdt { trees: 2, depth: 2 }; seed 1 }\n")
        if self.layout:
            draw.shuffle(blocks)
        return "workflow oracle\n\n" + "\n".join(blocks)

    def csv(self, rows):
        def text(value):
            return "" if value is None else constant_text(value)

        ids = self.sources()
        lines = [",".join([f"s{i}" for i in ids] + ["label_text"])]
        # the label follows from the position alone, so that edits of values leave it
        lines += [",".join([text(row[i]) for i in ids] + ["yes" if n % 3 == 0 else "no"]) for n, row in enumerate(rows)]
        return "\n".join(lines) + "\n"

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        for n, rows in enumerate(self.files):
            path = folder / f"part_{n:02d}.csv"
            text = self.csv(rows)
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
        (folder / "oracle.mlp").write_text(self.program(), encoding="utf-8")
        return folder / "oracle.mlp"

    # ---- what has to be computed ----
    def qualified(self, id_):
        column = self.columns[id_]
        return f"{column.where}.{column.name}"

    def cells(self):
        """Of each column and file: what its value is made from."""
        values = []
        for rows in self.files:
            done = copy.deepcopy(rows)
            for id_ in self.in_order():
                if self.columns[id_].tree:
                    for row in done:
                        row[id_] = evaluate(self.columns[id_].tree, row)
            values.append(done)
        made = {}
        for id_, column in self.columns.items():
            for n, rows in enumerate(values):
                if column.tree is None:
                    made[id_, n] = ("read", id_, column.type, self.csv(self.files[n]))
                else:
                    inputs = sorted(references(column.tree))
                    code = self.shape(column.tree, inputs)
                    made[id_, n] = ("kernel", code, len(rows), tuple(exactly(row[i] for row in rows) for i in inputs))
        return made, values

    def shape(self, tree, inputs):
        """The code without names: columns by their types and place among the inputs."""
        if tree[0] == "column":
            return ("input", inputs.index(tree[1]), self.columns[tree[1]].type)
        if tree[0] == "constant":
            return (type(tree[1]).__name__, tree[1])
        return (tree[1], *(self.shape(t, inputs) for t in tree[2]))

    def in_order(self):
        """Ids, each behind those that it reads."""
        done = []

        def visit(id_):
            if id_ not in done:
                for other in sorted(references(self.columns[id_].tree) if self.columns[id_].tree else ()):
                    visit(other)
                done.append(id_)

        for id_ in self.columns:
            visit(id_)
        return done

    def to_compute(self):
        """{qualified name: number of cells that have to be computed}, and takes them as computed."""
        made, _ = self.cells()
        counts = {}
        fresh = set()
        for (id_, _), pair in made.items():
            if pair not in self.computed:
                counts[self.qualified(id_)] = counts.get(self.qualified(id_), 0) + 1
                fresh.add(pair)
        self.computed |= fresh
        return counts

    def downstream(self, ids):
        """Columns that read these, directly or not, and these."""
        reached = set(ids)
        for id_ in self.in_order():
            tree = self.columns[id_].tree
            if tree and references(tree) & reached:
                reached.add(id_)
        return reached

    # ---- edits: each changes the workflow, and gives (what was done, columns whose code was edited) ----
    def computed_columns(self):
        return [i for i, c in self.columns.items() if c.tree]

    def edit_constant(self):
        id_ = self.draw.choice(self.computed_columns())
        kind, name, args = self.columns[id_].tree
        fresh = self.make_constant("int" if name == "bool_or" else self.columns[id_].type)
        if name == "bool_or" and args[1][0] == "form" and args[1][1] == "bool_lt":
            args = (args[0], ("form", "bool_lt", (args[1][2][0], fresh)))
        else:
            args = (args[0], fresh) if len(args) == 2 and name.endswith("_add") else args
        changed = (kind, name, args)
        if changed == self.columns[id_].tree:
            return self.edit_tree()
        self.columns[id_].tree = changed
        return f"constant of {self.qualified(id_)}", {id_}

    def edit_tree(self):
        id_ = self.draw.choice(self.computed_columns())
        after = self.downstream({id_})
        where = self.columns[id_].where
        known = [i for i, c in self.columns.items() if i not in after and (where == "seen" or c.where == "rows")]
        self.columns[id_].tree = self.make_tree(self.columns[id_].type, 3, known)
        return f"code of {self.qualified(id_)}", {id_}

    def edit_without_effect(self):
        id_ = self.draw.choice(self.computed_columns())
        column = self.columns[id_]
        if size(column.tree) > 200:
            return self.edit_tree()
        column.tree = ("form", TWICE[column.type], (column.tree, column.tree))
        return f"code of {self.qualified(id_)}, same values", {id_}

    def rename(self):
        id_ = self.draw.choice(list(self.columns))
        before = self.qualified(id_)
        self.columns[id_].name = f"renamed_{self.next_id}_{self.draw.randrange(1000)}"
        return f"{before} renamed to {self.qualified(id_)}", set()

    def add_column(self):
        id_ = self.add_computed("seen")
        return f"{self.qualified(id_)} added", {id_}

    def remove_column(self):
        used = set().union(*(references(c.tree) for c in self.columns.values() if c.tree))
        free = [i for i in self.computed_columns() if i not in used and self.columns[i].where == "seen"]
        if len(free) < 2:
            return self.add_column()
        id_ = self.draw.choice(free)
        name = self.qualified(id_)
        del self.columns[id_]
        return f"{name} removed", set()

    def change_value(self):
        n = self.draw.randrange(len(self.files))
        rows = self.files[n]
        id_ = self.draw.choice(self.sources())
        row = self.draw.choice(rows)
        before = row[id_]
        while row[id_] == before:
            row[id_] = self.make_row()[id_]
        return f"a value of {self.qualified(id_)} in file {n}", set()

    def append_row(self):
        n = self.draw.randrange(len(self.files))
        self.files[n].append(self.make_row())
        return f"a row in file {n}", set()

    def add_file(self):
        self.append_file()
        return "a file", set()

    def lay_out(self):
        self.layout += 1
        return "white space, comments, order", set()

    def edit(self):
        return self.draw.choice([
            self.edit_constant, self.edit_constant, self.edit_tree, self.edit_tree, self.edit_without_effect, self.edit_without_effect,
            self.rename, self.rename, self.add_column, self.remove_column, self.change_value, self.change_value, self.append_row,
            self.add_file, self.lay_out,
        ])()  # fmt: skip
