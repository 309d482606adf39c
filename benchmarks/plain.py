"""The same work as census.mlp, written as one would with pandas, scikit-learn and xgboost.

usage: plain.py TABLE.csv ROUNDS

Reads, cleans, makes the features (target encoding cross-fitted on the training rows), splits, trains boosted trees and a logistic
regression, and gives the figures with bootstrap intervals of ROUNDS resamples (0: none). Prints one JSON line.
"""

import json
import resource
import sys
import time

began = time.perf_counter()

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import xgboost as xgb  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score  # noqa: E402
from sklearn.model_selection import KFold, train_test_split  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402

SEED = 7


def encode(train_x, train_y, all_x, smoothing):
    """Mean of the label per category, shrunk; training rows get the mean of the other folds."""
    def means(x, y):
        overall = y.mean()
        groups = y.groupby(x).agg(["sum", "count"])
        return (groups["sum"] + smoothing * overall) / (groups["count"] + smoothing), overall

    table, overall = means(train_x, train_y)
    out = all_x.map(table).astype(float).fillna(overall)
    for fit, held in KFold(5, shuffle=True, random_state=SEED).split(train_x):
        table, overall = means(train_x.iloc[fit], train_y.iloc[fit])
        out.loc[train_x.index[held]] = train_x.iloc[held].map(table).astype(float).fillna(overall)
    return out


def interval(metric, y, p, draws):
    if not draws:
        return None
    values = [metric(y[rows], p[rows]) for rows in draws]
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))


def main():
    path, rounds = sys.argv[1], int(sys.argv[2])
    people = pd.read_csv(path, na_values="?", skipinitialspace=True)
    assert people["age"].between(0, 120).all() and people["hours-per-week"].between(1, 99).all()
    y = people["income_bin"] == ">50K"
    x = pd.DataFrame({
        "age": people["age"], "education_num": people["education-num"], "hours": people["hours-per-week"],
        "workclass": people["workclass"].fillna("none").astype("category"),
        "marital": people["marital-status"].astype("category"),
        "capital_net": people["capital-gain"] - people["capital-loss"],
        "log_gain": np.log1p(people["capital-gain"]),
        "works_overtime": people["hours-per-week"] > 45,
        "job": people["occupation"].fillna("unknown").astype("category"),
    })  # fmt: skip
    train, rest = train_test_split(people.index, train_size=0.7, stratify=y, random_state=SEED)
    valid, _ = train_test_split(rest, train_size=0.5, stratify=y[rest], random_state=SEED)
    country = people["native-country"].fillna("none")
    x["country"] = encode(country[train], y[train].astype(float), country, 20)
    mean, std = people["age"][train].mean(), people["age"][train].std()
    x["age_scaled"] = (people["age"] - mean) / std

    boosted = xgb.XGBClassifier(
        n_estimators=300, max_depth=6, learning_rate=0.08, tree_method="hist", enable_categorical=True, random_state=SEED
    )
    boosted.fit(x.loc[train], y[train])
    categories = ["workclass", "marital", "job"]
    numbers = [c for c in x.columns if c not in categories]
    plain = make_pipeline(
        ColumnTransformer([("scale", StandardScaler(), numbers), ("encode", OneHotEncoder(handle_unknown="ignore"), categories)]),
        LogisticRegression(max_iter=200),
    )
    plain.fit(x.loc[train], y[train])

    truth = y[valid].to_numpy()
    generator = np.random.default_rng(SEED)
    draws = [generator.integers(0, len(truth), len(truth)) for _ in range(rounds)]
    p = boosted.predict_proba(x.loc[valid])[:, 1]
    q = plain.predict_proba(x.loc[valid])[:, 1]
    figures = {"auc": roc_auc_score(truth, p), "plain_auc": roc_auc_score(truth, q)}
    for name, metric in (("auc", roc_auc_score), ("log_loss", log_loss), ("brier", brier_score_loss)):
        figures[f"{name}_interval"] = interval(metric, truth, p, draws)
    figures["plain_auc_interval"] = interval(roc_auc_score, truth, q, draws)
    for sex in ("Male", "Female"):
        rows = (people.loc[valid, "sex"] == sex).to_numpy()
        ty, tp = truth[rows], p[rows]
        draws_of = [generator.integers(0, len(ty), len(ty)) for _ in range(rounds)]
        figures[f"auc_{sex}"] = roc_auc_score(ty, tp)
        for name, metric in (("auc", roc_auc_score), ("log_loss", log_loss), ("brier", brier_score_loss)):
            figures[f"{name}_{sex}_interval"] = interval(metric, ty, tp, draws_of)
    figures["seconds_inside"] = time.perf_counter() - began
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures))


main()
