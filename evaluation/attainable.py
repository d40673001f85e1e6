"""The truth of a simulated log as one more model, and how much of it rankers reach."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.evaluation.predictions import Predictions
from semantic_id_ranking.evaluation.predictions import score_column

#: Name of the model that predicts what is expected of each label.
TRUTH = "truth"
#: Metrics that say how much is reached, and what a model has that knows nothing.
CHANCE = {"auc": 0.5, "gauc": 0.5, "normalized_entropy": 1.0}

_EVENT = ["user", "item", "time"]


def with_truth(predictions: Predictions, truth: Mapping[str, np.ndarray], name: str) -> Predictions:
    """Adds what is expected of each label as the score of a model `TRUTH`.

    Args:
        predictions: Of n impressions.
        truth: Of m impressions, in any order: `user`, `item` and `time` as in predictions, and of
            each task, under its name, what is expected of its label.
        name: Of the truth, for the message.

    Raises:
        InputError: The truth lacks an impression.
    """
    tasks = [column for column in truth if column not in _EVENT]
    wanted = pd.DataFrame({key: predictions[key] for key in _EVENT})
    # Impressions of one user and item at one instant have one truth.
    known = pd.DataFrame(dict(truth)).drop_duplicates(_EVENT)
    found = wanted.merge(known, how="left", on=_EVENT, indicator=True)
    lacking = int((found["_merge"] == "left_only").sum())
    if lacking:
        raise InputError(
            f"{name}: lacks {lacking} of the {len(found)} evaluated impressions; give the truth of "
            "the impressions of that run"
        )
    scores = {score_column(TRUTH, task): found[task].to_numpy(np.float32) for task in tasks}
    return {**predictions, **scores}


def shares_reached(models: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    """How much of what the truth has over a model that knows nothing each model has.

    Args:
        models: Model -> its metrics on one slice, as of `make_report`; `TRUTH` is one of them.

    Returns:
        Model other than the truth -> metric -> 1 for as much as the truth; None where it is not
        defined. There are no metrics of a regression.

    Example:
        >>> shares_reached({"truth": {"auc": 1.0}, "ranker": {"auc": 0.75}, "random": {"auc": 0.5}})
        {'ranker': {'auc': 0.5}, 'random': {'auc': 0.0}}
    """
    best = models[TRUTH]
    return {
        model: {
            metric: _share(metrics[metric], best[metric], chance)
            for metric, chance in CHANCE.items()
            if metric in metrics
        }
        for model, metrics in models.items()
        if model != TRUTH
    }


def _share(value: float | None, best: float | None, chance: float) -> float | None:
    if value is None or best is None or best == chance:
        return None
    return (value - chance) / (best - chance)
