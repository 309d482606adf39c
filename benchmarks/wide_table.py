"""The table of the benchmark of profiles: wide_table.py ROWS OUT.parquet writes 100 columns; COLUMNS says them."""

import sys


def uniform(k):
    return f"((hash(i * 128 + {k}) >> 12)::DOUBLE / 4503599627370496 + 1e-17)"


def columns():
    """(name, type of the language, SQL of row i)."""
    out = []

    def add(count, name, kind, sql):
        for _ in range(count):
            k = len(out)
            out.append((f"{name}_{k}", kind, sql.replace("{u}", uniform(k)).replace("{v}", uniform(k + 100000)).replace("{h}", f"(hash(i * 128 + {k}) >> 1)")))

    normal = "sqrt(-2 * ln({u})) * cos(2 * pi() * {v})"
    add(10, "share", "float", "{u}")
    add(15, "score", "float", f"100 + 15 * {normal}")
    add(10, "price", "float", f"round(exp(3 + {normal}), 2)")
    add(5, "rating", "float?", f"CASE WHEN {{h}} % 10 = 0 THEN NULL ELSE {normal} END")
    add(10, "age", "int", "({h} % 100)::BIGINT")
    add(5, "shop", "int", "({h} % 5000)::BIGINT")
    add(5, "amount", "int", "({h} % 1000000000)::BIGINT - 500000000")
    add(5, "id", "int", "i::BIGINT")
    add(5, "plan", "category", "'plan ' || ({h} % 5)")
    add(5, "town", "category", "'town ' || ({h} % 500)")
    add(5, "item", "category", "'item ' || floor(1900 * {u} * {u})::BIGINT")
    add(5, "note", "string", "'note ' || ({h} % 100000)")
    add(5, "paid", "bool", "{h} % 3 = 0")
    add(5, "day", "date", "DATE '2020-01-01' + ({h} % 2000)::INTEGER")
    add(5, "at", "timestamp", "TIMESTAMP '2024-01-01' + to_microseconds(({h} % 31536000000000)::BIGINT)")
    return out


COLUMNS = columns()


def main():
    import duckdb

    rows, path = int(sys.argv[1]), sys.argv[2]
    duckdb.sql(f"COPY (SELECT {', '.join(f'{sql} AS {name}' for name, _, sql in COLUMNS)} FROM range({rows}) t(i)) TO '{path}' (FORMAT parquet)")


if __name__ == "__main__":
    main()
