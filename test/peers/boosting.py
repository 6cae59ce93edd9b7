"""Metrics of scikit-learn's boosted trees and forests on the tables in samples/data, as the fixture Offline.Tests/Fixtures/boosting.json.

Every fifth row is held out, five times over. Run with Debian's python3-sklearn (1.2.1): /usr/bin/python3 test/peers/boosting.py
"""
import json
import pathlib

import numpy as np
from sklearn.ensemble import (HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor)
from sklearn.metrics import r2_score, roc_auc_score

root = pathlib.Path(__file__).resolve().parents[2]
cancer = np.loadtxt(root / "samples/data/breast_cancer.csv", delimiter=",", skiprows=1)
digits = np.loadtxt(root / "samples/data/optdigits.csv", delimiter=",")

# As FastTree's and FastForest's defaults are, where scikit-learn has the setting.
boosting = dict(max_iter=100, max_leaf_nodes=20, learning_rate=0.2, min_samples_leaf=10, early_stopping=False)
forest = dict(n_estimators=100, max_leaf_nodes=20, min_samples_leaf=10, random_state=1)
tables = {
    "cancer": (cancer[:, :-1], cancer[:, -1], True),
    "odd": (digits[:, :-1], digits[:, -1] % 2, True),
    "digit": (digits[:, :-1], digits[:, -1], False),
}

fixture = {}
for name, (x, y, binary) in tables.items():
    models = {
        "FastTree": HistGradientBoostingClassifier(**boosting) if binary else HistGradientBoostingRegressor(**boosting),
        "FastForest": RandomForestClassifier(**forest) if binary else RandomForestRegressor(max_features=0.5, **forest),
    }
    for kind, model in models.items():
        metrics = []
        for fold in range(5):
            test = np.arange(len(y)) % 5 == fold
            model.fit(x[~test], y[~test])
            score = model.predict_proba(x[test])[:, 1] if binary else model.predict(x[test])
            metrics.append(float((roc_auc_score if binary else r2_score)(y[test], score)))
        fixture[f"{kind} {name}"] = metrics
        print(kind, name, np.mean(metrics))

(root / "test/Offline.Tests/Fixtures/boosting.json").write_text(json.dumps(fixture))
