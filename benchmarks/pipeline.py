"""The features and trees of census.mlp as a scikit-learn pipeline over raw records, as one would serve them.

usage: pipeline.py fit TABLE.csv OUT.joblib     fits and keeps it
       pipeline.py time IN.joblib ROWS.json     seconds of single rows in process: one JSON line
"""

import json
import sys
import time

import joblib
import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder, StandardScaler, TargetEncoder

CATEGORIES = ["workclass", "marital-status", "job"]


def features(people):
    out = pd.DataFrame({
        "age": people["age"], "education_num": people["education-num"], "hours": people["hours-per-week"],
        "workclass": people["workclass"].fillna("none"), "marital-status": people["marital-status"],
        "capital_net": people["capital-gain"] - people["capital-loss"], "log_gain": np.log1p(people["capital-gain"].astype(float)),
        "works_overtime": people["hours-per-week"] > 45, "job": people["occupation"].fillna("unknown"),
        "country": people["native-country"].fillna("none"), "age_scaled": people["age"],
    })  # fmt: skip
    return out


def build():
    columns = ColumnTransformer([
        ("country", TargetEncoder(smooth=20, random_state=7), ["country"]),
        ("age", StandardScaler(), ["age_scaled"]),
        ("categories", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), CATEGORIES),
    ], remainder="passthrough")  # fmt: skip
    trees = xgb.XGBClassifier(n_estimators=300, max_depth=6, learning_rate=0.08, tree_method="hist", random_state=7, n_jobs=1)
    return Pipeline([("features", FunctionTransformer(features)), ("columns", columns), ("trees", trees)])


def main():
    if sys.argv[1] == "fit":
        people = pd.read_csv(sys.argv[2], na_values="?", skipinitialspace=True)
        joblib.dump(build().fit(people, people["income_bin"] == ">50K"), sys.argv[3])
        return
    model = joblib.load(sys.argv[2])
    with open(sys.argv[3], encoding="utf-8") as file:
        rows = json.load(file)
    seconds = []
    for row in rows[:50] + rows:
        began = time.perf_counter()
        model.predict_proba(pd.DataFrame([row]))[0, 1]
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"seconds": seconds[50:]}))


if __name__ == "__main__":
    # The classes and functions have to be found by this module's name when the file is loaded again.
    import pipeline

    pipeline.main()
