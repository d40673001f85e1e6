"""Coverage of the evaluation's intervals: how often a 95 % interval holds the true difference."""

import collections

import numpy as np

from semantic_id_ranking.evaluation import predictions as lib
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.report import make_report
from semantic_id_ranking.evaluation.slice_sums import histograms
from semantic_id_ranking.evaluation.slice_sums import slice_sums

METRICS = ("auc", "gauc", "ndcg_at_10", "log_loss")
_MODELS = {"candidate": 0.8, "random_hash": 1.1}


def coverage(
    slice_name: str,
    repetitions: int,
    users: int = 300,
    items: int = 200,
    each: int = 20,
    population: int = 20_000,
    seed: int = 0,
) -> dict[str, float]:
    """Shares of samples whose interval holds the difference of the population.

    Args:
        slice_name: "all", whose interval is over users: they are drawn anew for each sample, the
            items stay. "new", whose interval is over users and items: both are drawn anew.
        repetitions: Samples.
        users: Of a sample.
        items: Of a sample.
        each: Impressions of a user.
        population: Users, and where they are drawn anew also items, that the true difference is
            taken from.
        seed: Of all draws.

    Returns:
        Metric -> share.
    """
    rng = np.random.default_rng(seed)
    stay = slice_name == "all"
    effects = _effects(rng, items if stay else population)
    truth = _differences(_sample(rng, population, effects, each), slice_name)
    held: dict[str, list[bool]] = collections.defaultdict(list)
    for _ in range(repetitions):
        of_items = effects if stay else _effects(rng, items)
        found = _differences(_sample(rng, users, of_items, each), slice_name)
        for metric in METRICS:
            low, high = found[metric]["low"], found[metric]["high"]
            held[metric].append(low <= truth[metric]["estimate"] <= high)
    return {metric: float(np.mean(of_metric)) for metric, of_metric in held.items()}


def _effects(rng: np.random.Generator, count: int) -> np.ndarray:
    """[count, 1 + models]: how well users or items are liked, and how wrong each model is there."""
    return rng.normal(size=(count, 1 + len(_MODELS)))


def _sample(
    rng: np.random.Generator, users: int, of_items: np.ndarray, each: int
) -> lib.Predictions:
    """Impressions whose users and items both matter, to labels and to models' errors."""
    rows = users * each
    user, item = np.repeat(np.arange(users), each), rng.integers(0, len(of_items), rows)
    effects = _effects(rng, users)[user] + of_items[item]
    logit = effects[:, 0] - 1
    # A digest for each, spread over the clusters.
    digests = (rng.integers(1, 2**63, count, np.uint64) for count in (users, len(of_items)))
    columns = {
        "user": next(digests)[user],
        "item": next(digests)[item],
        "has_user": np.ones(rows, bool),
        "time": rng.integers(0, 3, rows) * lib.DAY,
        lib.slice_column("new"): np.ones(rows, bool),
        lib.label_column("click"): (rng.random(rows) < _sigmoid(logit)).astype(np.float32),
    }
    for number, (model, noise) in enumerate(_MODELS.items(), 1):
        seen = logit + noise * (effects[:, number] + rng.normal(size=rows)) / np.sqrt(3)
        columns[lib.score_column(model, "click")] = _sigmoid(seen).astype(np.float32)
    return columns


def _differences(columns: lib.Predictions, slice_name: str) -> dict[str, dict[str, float]]:
    """Metric -> the difference and its interval, of a sample."""
    slices = tuple(dict.fromkeys(("all", slice_name)))
    spec = EvaluationSpec({"click": "binary"}, tuple(_MODELS), slices)
    found = histograms(columns, spec)
    report = make_report(spec, found, slice_sums(columns, spec, found))
    return report["tasks"]["click"]["slices"][slice_name]["differences"]["random_hash"]


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))
