"""Small evaluated logs, as columns of predictions."""

import numpy as np

from semantic_id_ranking.evaluation import predictions as lib
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec

SPEC = EvaluationSpec(
    {"click": "binary", "watch": "regression"},
    ("candidate", "random_hash"),
    baselines=("random_hash",),
)


def world(rows=3000, users=60, items=40, seed=0, decimals=2, without_user=0.05):
    """Predictions whose users and items differ, with ties, masked labels and users left out."""
    rng = np.random.default_rng(seed)
    user, item = rng.integers(0, users, rows), rng.integers(0, items, rows)
    logit = rng.normal(size=users)[user] + rng.normal(size=items)[item] - 1
    labels = (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(np.float32)
    masked = rng.random(rows) < 0.1
    popularity = np.array(["head", "torso", "tail"])[np.minimum(item * 5 // items, 2)]
    names = np.array([b"user%d" % u for u in user], object)
    names[rng.random(rows) < without_user] = b""
    digests, has_user = lib.user_digests(names, 3, 0)
    columns = {
        "user": digests,
        "has_user": has_user,
        "item": lib.item_digests(np.array([b"item%d" % i for i in item], object)),
        "time": rng.integers(0, 3 * lib.DAY, rows),
        lib.slice_column("new"): item % 7 == 0,
        lib.slice_column("unseen"): item % 11 == 0,
        lib.label_column("click"): np.where(masked, np.nan, labels).astype(np.float32),
        lib.label_column("watch"): (10 * rng.random(rows)).astype(np.float32),
    }
    for name in ("head", "torso", "tail"):
        columns[lib.slice_column(name)] = popularity == name
    for model, noise in (("candidate", 1.0), ("random_hash", 1.5)):
        seen = logit + noise * rng.normal(size=rows) + 0.5 * rng.normal(size=users)[user]
        score = np.clip(np.round(1 / (1 + np.exp(-seen)), decimals), 0.01, 0.99)
        columns[lib.score_column(model, "click")] = score.astype(np.float32)
        watch = columns["label watch"] + noise * rng.normal(size=rows)
        columns[lib.score_column(model, "watch")] = watch.astype(np.float32)
    return columns
