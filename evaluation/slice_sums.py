"""Sums over the impressions of a slice, by cluster: what metrics and intervals are made from."""

import dataclasses
from collections.abc import Iterable
from collections.abc import Mapping

import numpy as np

from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.predictions import CLUSTERS
from semantic_id_ranking.evaluation.predictions import clusters_of
from semantic_id_ranking.evaluation.predictions import DAY
from semantic_id_ranking.evaluation.predictions import in_slice
from semantic_id_ranking.evaluation.predictions import label_column
from semantic_id_ranking.evaluation.predictions import Predictions
from semantic_id_ranking.evaluation.predictions import score_column
from semantic_id_ranking.evaluation.score_histogram import ScoreHistogram
from semantic_id_ranking.evaluation.slices import ALL
from semantic_id_ranking.evaluation.within_groups import ndcg_terms
from semantic_id_ranking.evaluation.within_groups import Ranking
from semantic_id_ranking.evaluation.within_groups import user_auc_terms

#: Depths of nDCG.
DEPTHS = (5, 10)

#: Task, slice and model -> the histogram of a binary task's scores.
Histograms = Mapping[tuple[str, str, str], ScoreHistogram]


@dataclasses.dataclass
class SliceSums:
    """Sums over the impressions of one slice that have a label of one task.

    Attributes:
        users: Users.
        items: uint64 [i], the digests of the items, ascending.
        by_user: Term -> float64 [CLUSTERS], its sums by cluster of users. The terms are `examples`
            and `label`, and of each model, whose name follows: `score`; `log_loss`,
            `positive_placement`, `negative_placement`, `gauc`, `gauc_examples`, `ndcg_at_5`,
            `ndcg_at_10` and `user_days` of a binary task; `squared_error` of a regression.
        by_item: The same by cluster of items; empty for the slice `all`, whose items are not a
            sample.
        days: Day, counted from 1970 in UTC -> float64 [2 + m], the sums of 1, of the labels and of
            each model's scores.
    """

    users: int
    items: np.ndarray
    by_user: dict[str, np.ndarray]
    by_item: dict[str, np.ndarray]
    days: dict[int, np.ndarray]

    def copy(self) -> "SliceSums":
        """One that can be added to without a change of this one."""
        by_user, by_item = (
            {term: values.copy() for term, values in sums.items()}
            for sums in (self.by_user, self.by_item)
        )
        return SliceSums(self.users, self.items, by_user, by_item, dict(self.days))

    def add(self, other: "SliceSums") -> None:
        """Adds the sums over the impressions of other users."""
        self.users += other.users
        self.items = np.union1d(self.items, other.items)
        for mine, others in ((self.by_user, other.by_user), (self.by_item, other.by_item)):
            for name, sums in others.items():
                mine[name] += sums
        for day, sums in other.days.items():
            self.days[day] = self.days.get(day, 0) + sums


def histograms(predictions: Predictions, spec: EvaluationSpec) -> Histograms:
    """The histograms of all binary tasks, slices and models."""
    found = {}
    for task, kind in spec.tasks.items():
        if kind != "binary":
            continue
        labels = predictions[label_column(task)]
        labelled = ~np.isnan(labels)
        for name in spec.slices:
            mask = labelled & in_slice(predictions, name)
            for model in spec.models:
                scores = predictions[score_column(model, task)][mask]
                found[task, name, model] = ScoreHistogram.of(scores, labels[mask])
    return found


def merge_histograms(parts: Iterable[Histograms]) -> Histograms:
    """The histograms of all parts, which are of one `EvaluationSpec`."""
    parts = list(parts)
    return {key: ScoreHistogram.merge([part[key] for part in parts]) for key in parts[0]}


def slice_sums(
    predictions: Predictions, spec: EvaluationSpec, histograms: Histograms
) -> dict[tuple[str, str], SliceSums]:
    """Sums of all tasks and slices.

    Args:
        predictions: All impressions of some users.
        spec: What is evaluated.
        histograms: Of all impressions, of all users.

    Returns:
        Task and slice -> sums.
    """
    found = {}
    clusters = {key: clusters_of(predictions[key]) for key in ("user", "item")}
    day = predictions["time"] // DAY
    user_day = _ranks(predictions["user"], day)
    for task, kind in spec.tasks.items():
        labels = predictions[label_column(task)]
        scores = {model: predictions[score_column(model, task)] for model in spec.models}
        labelled = ~np.isnan(labels)
        rankings = (
            _rankings(predictions, user_day, scores, labelled & predictions["has_user"])
            if kind == "binary"
            else {}
        )
        for name in spec.slices:
            mask = labelled & in_slice(predictions, name)
            terms = (
                _binary_terms(labels, scores, mask, histograms, task, name)
                if kind == "binary"
                else _regression_terms(labels, scores, mask)
            )
            # Only a selection of items makes them clusters beside the users.
            of_slice = {k: c for k, c in clusters.items() if k == "user" or name != ALL}
            sums = {
                key: {term: _by_cluster(cluster[mask], values) for term, values in terms.items()}
                for key, cluster in of_slice.items()
            }
            for model, (by_user, by_day) in rankings.items():
                within = _within_terms(
                    by_user.only(mask, predictions["user"], scores[model]),
                    by_day.only(mask, user_day, scores[model]),
                    labels,
                    of_slice,
                )
                for key, values in within.items():
                    sums[key] |= {f"{term} {model}": value for term, value in values.items()}
            found[task, name] = SliceSums(
                len(np.unique(predictions["user"][mask & predictions["has_user"]])),
                np.unique(predictions["item"][mask]),
                sums["user"],
                sums.get("item", {}),
                _days(day[mask], labels[mask], [scores[model][mask] for model in spec.models]),
            )
    return found


def log_losses(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Log-losses of predicted probabilities, float64 [n].

    Args:
        labels: [n] 0 or 1.
        scores: [n], probabilities; kept from 0 and 1 by the float64 epsilon.
    """
    epsilon = np.finfo(np.float64).eps
    chance = np.where(labels > 0, scores.astype(np.float64), 1 - scores.astype(np.float64))
    return -np.log(np.clip(chance, epsilon, 1 - epsilon))


def _binary_terms(
    labels: np.ndarray,
    scores: Mapping[str, np.ndarray],
    mask: np.ndarray,
    histograms: Histograms,
    task: str,
    name: str,
) -> dict[str, np.ndarray]:
    """Terms of each impression under the mask that look at no other impression of a user."""
    labels = labels[mask]
    positive = (labels > 0).astype(np.float64)
    terms = {"examples": np.ones(len(labels)), "label": positive}
    for model, values in scores.items():
        chosen = values[mask]
        placement = np.nan_to_num(histograms[task, name, model].placements(chosen, labels))
        terms |= {
            f"score {model}": chosen.astype(np.float64),
            f"log_loss {model}": log_losses(labels, chosen),
            f"positive_placement {model}": placement * positive,
            f"negative_placement {model}": placement * (1 - positive),
        }
    return terms


def _regression_terms(
    labels: np.ndarray, scores: Mapping[str, np.ndarray], mask: np.ndarray
) -> dict[str, np.ndarray]:
    labels = labels[mask].astype(np.float64)
    terms = {"examples": np.ones(len(labels)), "label": labels}
    for model, values in scores.items():
        chosen = values[mask].astype(np.float64)
        terms |= {f"score {model}": chosen, f"squared_error {model}": (chosen - labels) ** 2}
    return terms


def _rankings(
    predictions: Predictions,
    user_day: np.ndarray,
    scores: Mapping[str, np.ndarray],
    counts: np.ndarray,
) -> dict[str, tuple[Ranking, Ranking]]:
    """Each model's rankings of the impressions that count: by user, and by user and day."""
    return {
        model: (
            Ranking.of(predictions["user"], values).only(counts, predictions["user"], values),
            Ranking.of(user_day, values).only(counts, user_day, values),
        )
        for model, values in scores.items()
    }


def _within_terms(
    by_user: Ranking,
    by_day: Ranking,
    labels: np.ndarray,
    clusters: Mapping[str, np.ndarray],
) -> dict[str, dict[str, np.ndarray]]:
    """Sums, by each kind of cluster, of the terms that compare the impressions of a user."""
    terms = user_auc_terms(by_user, labels)
    counts = ~np.isnan(terms)
    rows, terms = by_user.order[counts], terms[counts]
    gains = {depth: ndcg_terms(by_day, labels, depth) for depth in DEPTHS}
    positive = labels[by_day.order] > 0
    positives = by_day.order[positive]
    found = {}
    for key, cluster in clusters.items():
        found[key] = {
            "gauc": _by_cluster(cluster[rows], terms),
            "gauc_examples": _by_cluster(cluster[rows], np.ones(len(rows))),
        }
        of_positive = cluster[positives]
        for depth, (gain, share) in gains.items():
            found[key] |= {
                f"ndcg_at_{depth}": _by_cluster(of_positive, gain[positive]),
                "user_days": _by_cluster(of_positive, share[positive]),
            }
    return found


def _by_cluster(cluster: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Float64 [CLUSTERS], sums of values."""
    # Of no values at all, NumPy's are integers.
    return np.bincount(cluster, values, CLUSTERS).astype(np.float64, copy=False)


def _days(day: np.ndarray, labels: np.ndarray, scores: list[np.ndarray]) -> dict[int, np.ndarray]:
    days, index = np.unique(day, return_inverse=True)
    index = index.reshape(-1)
    columns = [np.ones(len(day)), labels, *scores]
    sums = np.stack([np.bincount(index, column, len(days)) for column in columns], axis=1)
    return dict(zip(days.tolist(), sums, strict=True))


def _ranks(*keys: np.ndarray) -> np.ndarray:
    """int64 [n]: equal numbers for equal keys, ascending in them."""
    order = np.lexsort(keys[::-1])
    changes = np.zeros(len(order), bool)
    for key in keys:
        changes[1:] |= key[order[1:]] != key[order[:-1]]
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.cumsum(changes)
    return ranks
