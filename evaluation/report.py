"""Content of `metrics.json`: every metric of every model, task and slice, and the differences."""

import datetime
from collections.abc import Mapping
from typing import Any

import numpy as np

from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.intervals import QUANTILE
from semantic_id_ranking.evaluation.intervals import standard_errors
from semantic_id_ranking.evaluation.metric_names import METRICS
from semantic_id_ranking.evaluation.metrics import ratio_metrics
from semantic_id_ranking.evaluation.slice_sums import Histograms
from semantic_id_ranking.evaluation.slice_sums import SliceSums
from semantic_id_ranking.evaluation.slices import ALL

#: Examples of a class below which a slice carries no claim.
FEW = 50
#: Odds of a positive, relative to those of all impressions, above which, or below whose inverse, a
#: slice carries no claim.
ODDS_RATIO = 2.0

LIMITS = (
    "An interval tells how far a difference depends on which users are in the log, in a slice of "
    "items also on which items; it leaves out the seed that the models were trained with.",
    "Only what an earlier ranker chose to present has a label: items that it rarely presented are "
    "judged by few impressions, and those by users that it chose (exposure bias).",
)


def make_report(
    spec: EvaluationSpec,
    histograms: Histograms,
    sums: Mapping[tuple[str, str], SliceSums],
) -> dict[str, Any]:
    """Computes all metrics.

    Args:
        spec: What is evaluated; its first model is the candidate, the others are compared with it.
        histograms: Of all impressions.
        sums: Task and slice -> the sums over all impressions.

    Returns:
        The content of `metrics.json` but for what is not computed from predictions:

        - `candidate`: name of the candidate, `baselines`: names of the baselines;
        - `tasks`: task -> `type` and `slices`: slice -> `examples`, `positives`, `negatives` (of a
          binary task), `users`, `items`, `caution` (why the slice carries no claim, or null),
          `models` and `differences`;
        - `models`: model -> each metric (null where there is none, then with `why_not`), `ece`,
          `calibration_curve`, `mean_prediction`, `mean_label`, `prediction_over_label`, and `days`:
          date -> `examples`, `mean_prediction`, `mean_label`, `prediction_over_label`;
        - `differences`: other model -> metric -> `estimate` (candidate less other), `low`, `high`
          (95 %; null where they are not known) and `gain` (whether it is "better", "worse" or
          "undecided"; null where the slice carries no claim);
        - `limits`: what an interval leaves out, in words.
    """
    tasks: dict[str, Any] = {}
    for task, kind in spec.tasks.items():
        whole = sums[task, ALL]
        tasks[task] = {
            "type": kind,
            "slices": {
                name: _slice_report(
                    spec,
                    kind,
                    sums[task, name],
                    whole,
                    {model: histograms.get((task, name, model)) for model in spec.models},
                )
                for name in spec.slices
            },
        }
    return {
        "candidate": spec.models[0],
        "baselines": list(spec.baselines),
        "tasks": tasks,
        "limits": list(LIMITS),
    }


def _slice_report(
    spec: EvaluationSpec,
    kind: str,
    sums: SliceSums,
    whole: SliceSums,
    histograms: Mapping[str, Any],
) -> dict[str, Any]:
    counts = _counts(kind, sums)
    caution = _caution(kind, counts, _counts(kind, whole))
    models = {
        model: _model_report(kind, sums, position, model, histograms[model])
        for position, model in enumerate(spec.models)
    }
    candidate, *others = spec.models
    return {
        **counts,
        "users": sums.users,
        "items": len(sums.items),
        "caution": caution,
        "models": models,
        "differences": {
            other: _differences(
                kind, models[candidate], models[other], sums, (candidate, other), caution
            )
            for other in others
        },
    }


def _counts(kind: str, sums: SliceSums) -> dict[str, int]:
    examples = round(float(sums.by_user["examples"].sum()))
    if kind == "regression":
        return {"examples": examples}
    positives = round(float(sums.by_user["label"].sum()))
    return {"examples": examples, "positives": positives, "negatives": examples - positives}


def _caution(kind: str, counts: Mapping[str, int], whole: Mapping[str, int]) -> str | None:
    """Why a slice carries no claim, in words; None where it does."""
    for group in ("examples",) if kind == "regression" else ("positives", "negatives"):
        if counts[group] < FEW:
            return f"{counts[group]} {group}, fewer than {FEW}"
    if kind == "regression":
        return None
    ratio = counts["positives"] / counts["negatives"]
    ratio /= whole["positives"] / whole["negatives"]
    if ratio > ODDS_RATIO or ratio < 1 / ODDS_RATIO:
        return f"odds of a positive {ratio:.2g} times those of all impressions"
    return None


def _model_report(
    kind: str, sums: SliceSums, position: int, model: str, histogram: Any
) -> dict[str, Any]:
    counts = _counts(kind, sums)
    examples = counts["examples"]
    totals = {term: values.sum() for term, values in sums.by_user.items()}
    metrics = {"auc": histogram.auc} if kind == "binary" else {}
    metrics |= {k: _number(v) for k, v in ratio_metrics(kind, totals, model).items()}
    found: dict[str, Any] = {metric: metrics[metric] for metric in METRICS[kind]}
    why_not = None
    if not examples:
        why_not = "no examples"
    elif kind == "binary" and counts["positives"] in (0, examples):
        why_not = f"every label is {int(counts['positives'] > 0)}"
    if why_not:
        found["why_not"] = why_not
    if kind == "binary":
        calibration = histogram.calibration()
        found |= {"ece": calibration["ece"], "calibration_curve": calibration["curve"]}
    return {
        **found,
        **_means(examples, totals[f"score {model}"], totals["label"]),
        "days": {
            _date(day): {
                "examples": int(of_day[0]),
                **_means(of_day[0], of_day[2 + position], of_day[1]),
            }
            for day, of_day in sorted(sums.days.items())
        },
    }


def _means(examples: float, score: float, label: float) -> dict[str, float | None]:
    if not examples:
        return dict.fromkeys(("mean_prediction", "mean_label", "prediction_over_label"))
    return {
        "mean_prediction": float(score / examples),
        "mean_label": float(label / examples),
        "prediction_over_label": float(score / label) if label else None,
    }


def _differences(
    kind: str,
    candidate: Mapping[str, Any],
    other: Mapping[str, Any],
    sums: SliceSums,
    names: tuple[str, str],
    caution: str | None,
) -> dict[str, Any]:
    errors = standard_errors(kind, sums, *names)
    found = {}
    for metric, higher_is_better in METRICS[kind].items():
        if candidate[metric] is None or other[metric] is None:
            found[metric] = dict.fromkeys(("estimate", "low", "high", "gain"))
            continue
        estimate = candidate[metric] - other[metric]
        low, high = (_number(estimate + sign * QUANTILE * errors[metric]) for sign in (-1, 1))
        gain = None
        if caution is None and low is not None and high is not None:
            better, worse = (low > 0, high < 0) if higher_is_better else (high < 0, low > 0)
            gain = "better" if better else "worse" if worse else "undecided"
        found[metric] = {"estimate": estimate, "low": low, "high": high, "gain": gain}
    return found


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _date(day: int) -> str:
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=int(day))).isoformat()
