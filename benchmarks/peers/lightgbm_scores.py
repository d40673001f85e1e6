"""LightGBM on arrays of features, run in the peers' environment.

Reads a folder with `requests.json`, `{"tasks": [name, ...], "categorical": [column, ...]}`; of each
split, `train` and `eval`: `features_<split>.npy` float32 [M, F], `time_<split>.npy` int64 [M], and
`labels_<split>.npy` float32 [M, tasks], NaN where there is none. Writes `scores.npy` float32
[M, tasks] for the split `eval`, and `results.json`, the settings that each task chose.

The settings and the number of trees are those with the lowest log-loss on the last tenth of the
training impressions; then a model is trained on all of them.
"""

import json
import os
import sys

import lightgbm
import numpy as np

_VALIDATION = 0.1
# Leaves, and impressions in a leaf.
_SETTINGS = ((15, 50), (31, 50), (63, 200), (31, 500))
_TREES, _PATIENCE = 1000, 30


def main(folder: str) -> None:
    """Trains and scores one task after the other."""
    arrays = {
        name: np.load(os.path.join(folder, f"{name}.npy"))
        for name in ("features_train", "features_eval", "labels_train", "time_train")
    }
    with open(os.path.join(folder, "requests.json"), encoding="utf-8") as file:
        request = json.load(file)
    features, time = arrays["features_train"], arrays["time_train"]
    early = time < np.quantile(time, 1 - _VALIDATION)
    chosen, scores = {}, []
    for column, task in enumerate(request["tasks"]):
        labels = arrays["labels_train"][:, column]
        known = ~np.isnan(labels)

        def data(
            rows: np.ndarray, labels: np.ndarray = labels, known: np.ndarray = known
        ) -> lightgbm.Dataset:
            used = rows & known
            return lightgbm.Dataset(
                features[used], labels[used], categorical_feature=request["categorical"]
            )

        tried = []
        for leaves, in_leaf in _SETTINGS:
            settings = {
                "objective": "binary",
                "learning_rate": 0.05,
                "num_leaves": leaves,
                "min_child_samples": in_leaf,
                "feature_fraction": 0.8,
                "bagging_fraction": 0.8,
                "bagging_freq": 1,
                "seed": 0,
                "verbose": -1,
            }
            stop = lightgbm.early_stopping(_PATIENCE, verbose=False)
            model = lightgbm.train(
                settings, data(early), _TREES, valid_sets=[data(~early)], callbacks=[stop]
            )
            loss = model.best_score["valid_0"]["binary_logloss"]
            tried.append((loss, model.best_iteration, settings))
        loss, trees, settings = min(tried, key=lambda one: one[0])
        model = lightgbm.train(settings, data(np.ones(len(time), bool)), trees)
        scores.append(model.predict(arrays["features_eval"]))
        chosen[task] = {"trees": trees, "leaves": settings["num_leaves"], "log_loss": loss}
    np.save(os.path.join(folder, "scores.npy"), np.stack(scores, axis=1).astype(np.float32))
    with open(os.path.join(folder, "results.json"), "w", encoding="utf-8") as file:
        json.dump(chosen, file)


if __name__ == "__main__":
    main(sys.argv[1])
