"""What is fitted with the label must not tell it: noise stays noise."""

import random

import pytest

from made import write_csv

NOISE = """workflow noise
data rows from csv("noise.csv") {{
    c1, c2, c3 : category
    y          : bool @label
}}
feature seen of rows {{
    e1 = target_encode(c1, smoothing: {smoothing})
    e2 = target_encode(c2, smoothing: {smoothing})
    e3 = target_encode(c3, smoothing: {smoothing})
}}
split parts of rows random 60/20/20 seed 1
train m of seen {{ predict y; split parts; model {model}; seed 1 }}
evaluate m {{ metrics auc }}
"""


@pytest.mark.parametrize("model", ["gbdt { trees: 60, depth: 4, learning_rate: 0.1 }", "logistic { l2: 1.0 }"], ids=["gbdt", "logistic"])
@pytest.mark.parametrize("smoothing", [0, 10])
def test_target_encoding_of_noise_does_not_help_on_noise(run, tmp_path, model, smoothing):
    draw = random.Random(8)
    # 300 values a column: about 20 training rows each, enough to learn the training labels by heart
    rows = [[f"a{draw.randrange(300)}", f"b{draw.randrange(300)}", f"c{draw.randrange(300)}", draw.choice(["true", "false"])] for _ in range(12_000)]
    write_csv(tmp_path / "noise.csv", ["c1", "c2", "c3", "y"], rows)
    (tmp_path / "noise.mlp").write_text(NOISE.format(model=model, smoothing=smoothing), encoding="utf-8")
    auc = run("run", tmp_path / "noise.mlp", "--format", "json").json["metrics"]["m"]["auc"]["value"]
    assert abs(auc - 0.5) <= 0.03
