"""What tests of sources share: one workflow over one table, whatever the table comes from."""

import random
import time

# The same rows everywhere; note has what text files make hard, and is missing in one of eleven rows.
COLUMNS = ["id", "amount", "kind", "note", "day", "paid"]

WORKFLOW = """workflow shop
{declarations}
data orders from {source} {{
    id     : int @key
    amount : float in 0..1_000
    kind   : category("web", "shop")
    note   : string? @ignore
    day    : date
    paid   : bool @label
    {more}
}}
feature seen of orders {{ amount, kind; spring = month(day) in (3, 4, 5) }}
train payer of seen {{ predict paid; split random 70/15/15 by id seed 1; model gbdt {{ trees: 5 }}; seed 1 }}
evaluate payer {{ metrics auc }}
"""


def workflow(folder, source, declarations="", more="", name="shop.mlp"):
    path = folder / name
    path.write_text(WORKFLOW.format(source=source, declarations=declarations, more=more), encoding="utf-8")
    return path


def rows(count=400, seed=1):
    """Tuples in the order of COLUMNS, as Python values."""
    draw = random.Random(seed)
    made = []
    for i in range(1, count + 1):
        amount = round(draw.uniform(0, 1000), 2)
        note = None if i % 11 == 0 else "" if i % 7 == 0 else f'{i} "quoted", and\na line; é'
        day = f"2024-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}"
        made.append((i, amount, draw.choice(["web", "shop"]), note, day, draw.random() < 0.2 + amount / 2000))
    return made


def failure(outcome, code):
    """The one diagnostic of a code of a `--format json` run."""
    found = [d for d in outcome.json["diagnostics"] if d["code"] == code]
    assert len(found) == 1, outcome
    return found[0]


def everything_below(folder):
    """The bytes of all files below a folder."""
    return b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


def fetched_files(folder):
    """The names of the files that were fetched for the workflow of a folder."""
    return sorted(p.name for p in (folder / ".mlp" / "fetched").rglob("*") if p.is_file())


def calls_and_steps(run, path, called):
    """ran() -> how often the Python function wrote into the file `called` in a run, and how many steps ran; nothing does any more when this returns."""

    def ran():
        outcome = run("run", path, "--format", "json")
        size = called.stat().st_size if called.exists() else 0
        called.unlink(missing_ok=True)
        return size, outcome.json["steps"]["ran"]

    assert ran()[0] == 1
    time.sleep(2.1)
    ran()  # the version of Python is remembered by a program that is old enough
    assert ran() == (0, 0)
    return ran
