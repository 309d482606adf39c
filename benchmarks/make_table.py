"""Makes a table in the shape of the census of 1994: the same columns, invented rows from a fixed seed.

usage: make_table.py ROWS OUT.csv
"""

import math
import random
import sys

WORK = ["Private", "Self-emp", "Federal-gov", "Local-gov", "State-gov", "Without-pay"]
EDUCATION = ["none", "school", "college", "Bachelors", "Masters", "Doctorate"]
MARITAL = ["Married-civ-spouse", "Never-married", "Divorced", "Widowed", "Separated"]
JOBS = [f"job-{i:02d}" for i in range(14)]
RELATION = ["Husband", "Wife", "Own-child", "Unmarried", "Not-in-family"]
RACE = ["a", "b", "c", "d", "e"]
COUNTRIES = [f"country-{i:02d}" for i in range(41)]
HEADER = [
    "age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship", "race", "sex",
    "capital-gain", "capital-loss", "hours-per-week", "native-country", "income_bin",
]  # fmt: skip


def main():
    rows, out = int(sys.argv[1]), sys.argv[2]
    draw = random.Random(1994)
    with open(out, "w", encoding="utf-8") as file:
        file.write(", ".join(HEADER) + "\n")
        for _ in range(rows):
            age = min(90, max(17, int(draw.gauss(38, 13))))
            education = draw.randint(1, 16)
            hours = min(99, max(1, int(draw.gauss(40, 12))))
            gain = int(math.exp(draw.gauss(8.3, 1))) if draw.random() < 0.08 else 0
            loss = int(draw.gauss(1900, 300)) if draw.random() < 0.05 else 0
            marital, job, country = draw.randrange(5), draw.randrange(14), min(40, int(draw.expovariate(0.4)))
            male = draw.random() < 0.67
            score = -5.2 + 0.03 * age + 0.27 * education + 0.025 * hours + 0.0003 * gain + 0.0005 * loss
            score += (1.6 if marital == 0 else 0) + 0.06 * (job - 7) + 0.3 * math.sin(country) + (0.2 if male else 0) - 0.0006 * (age - 48) ** 2
            over = draw.random() < 1 / (1 + math.exp(-score))
            fields = [
                age, "?" if draw.random() < 0.056 else draw.choice(WORK), draw.randint(12_000, 900_000), EDUCATION[education * 5 // 16], education,
                MARITAL[marital], "?" if draw.random() < 0.057 else JOBS[job], draw.choice(RELATION), draw.choice(RACE),
                "Male" if male else "Female", gain, loss, hours, "?" if draw.random() < 0.018 else COUNTRIES[country], ">50K" if over else "<=50K",
            ]  # fmt: skip
            file.write(", ".join(map(str, fields)) + "\n")


main()
