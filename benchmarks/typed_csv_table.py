"""Makes a CSV file of twenty typed columns, the same bytes for the same number of rows. usage: typed_csv_table.py ROWS FILE.csv"""

import sys

import duckdb

COLUMNS = """
    i AS id,
    18 + h(1) % 70 AS age,
    h(2) % 12 AS items,
    (h(3) % 2000001)::BIGINT - 1000000 AS delta,
    h(4) % 1000000000 AS code,
    h(5) % 100000 AS units,
    round((h(6) % 1000000) / 100, 2) AS price,
    round((h(7) % 100000000) / 100, 2) AS amount,
    round((h(8) % 180000000) / 1e6 - 90, 6) AS lat,
    round((h(9) % 360000000) / 1e6 - 180, 6) AS lon,
    (h(10) % 1000000007)::DOUBLE / 1000000007 AS share,
    ln(1 + (h(11) % 1000000007) / 1000003) AS score,
    CASE WHEN h(12) % 10 > 0 THEN round((h(13) % 100000) / 1000, 3) END AS rating,
    ['basic', 'plus', 'pro'][(1 + h(14) % 3)::INTEGER] AS plan,
    'region ' || (h(15) % 12) AS region,
    'city-' || lpad((h(16) % 400)::VARCHAR, 3, '0') AS city,
    'order ' || hex(h(17)) AS note,
    h(18) % 3 = 0 AS active,
    DATE '2015-01-01' + (h(19) % 3650)::INTEGER AS day,
    TIMESTAMP '2020-01-01 00:00:00' + to_seconds((h(20) % 150000000)::BIGINT) AS at
"""


def main():
    rows, path = int(sys.argv[1]), sys.argv[2]
    database = duckdb.connect()
    database.execute("CREATE MACRO draw(i, column_number) AS hash(i * 64 + column_number)")
    columns = COLUMNS.replace("h(", "draw(i, ")
    database.execute(f"COPY (SELECT {columns} FROM range({rows}) AS r(i) ORDER BY i) TO '{path}' (FORMAT csv, HEADER true)")


main()
