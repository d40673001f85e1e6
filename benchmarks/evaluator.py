"""CPU time of the evaluation after scoring, against TFMA and scikit-learn, and its intervals.

`make bench-evaluation` evaluates a million synthetic predictions of two models and writes
`benchmarks/out/evaluation.json`. On two cores expect less than 5 µs of CPU an example and model,
about a hundredth of what TFMA takes for AUC alone, and shares of intervals that hold the true
difference, `coverage`, of 0.92 to 0.96 over users and more over users and items, whose intervals
err on the wide side.
"""

import time
from collections.abc import Callable
from typing import Annotated
from typing import Any

import numpy as np
import pandas as pd
import typer
from sklearn.metrics import log_loss
from sklearn.metrics import roc_auc_score

from benchmarks import command
from benchmarks.coverage import coverage
from semantic_id_ranking.evaluation import predictions as lib
from semantic_id_ranking.evaluation import slice_sums
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.report import make_report
from semantic_id_ranking.evaluation.slices import SLICE_FEATURES

_SPEC = EvaluationSpec({"click": "binary"}, ("candidate", "random_hash"))
_POPULARITY = np.array(["head", "torso", "tail"])


def sample(examples: int, seed: int = 0) -> lib.Predictions:
    """Predictions of users with twenty impressions, over items of which some are popular."""
    rng = np.random.default_rng(seed)
    item = np.minimum(rng.pareto(0.5, examples), 50_000).astype(np.int64)
    user = rng.integers(0, max(examples // 20, 1), examples)
    logit = rng.normal(-2, 1, examples)
    popularity = _POPULARITY[np.digitize(item, [3, 100])]
    columns = {
        "user": lib.item_digests(user),
        "item": lib.item_digests(item),
        "has_user": np.ones(examples, bool),
        "time": rng.integers(0, 7 * lib.DAY, examples),
        lib.slice_column("new"): item % 20 == 0,
        lib.slice_column("unseen"): item % 50 == 0,
        lib.label_column("click"): (rng.random(examples) < 1 / (1 + np.exp(-logit))).astype("f4"),
    }
    for name in _POPULARITY:
        columns[lib.slice_column(name)] = popularity == name
    for model, noise in zip(_SPEC.models, (0.5, 1.0), strict=True):
        score = 1 / (1 + np.exp(-logit - noise * rng.normal(size=examples)))
        columns[lib.score_column(model, "click")] = score.astype(np.float32)
    return columns


def evaluate(columns: lib.Predictions, groups: int = 16) -> dict[str, Any]:
    """Everything that RankingEvaluator computes after scoring, in as many groups of users."""
    parts: dict[int, list[lib.Predictions]] = {}
    for number, part in lib.by_user_group(columns, groups):
        parts.setdefault(number, []).append(part)
    blocks = [lib.concatenate(of_group) for of_group in parts.values()]
    histograms = slice_sums.merge_histograms(
        slice_sums.histograms(block, _SPEC) for block in blocks
    )
    first, *others = (slice_sums.slice_sums(block, _SPEC, histograms) for block in blocks)
    for sums in others:
        for key, of_slice in sums.items():
            first[key].add(of_slice)
    return make_report(_SPEC, histograms, first)


def sklearn_metrics(columns: lib.Predictions) -> list[float]:
    """AUC and log-loss of each slice and model."""
    labels, found = columns[lib.label_column("click")], []
    for name in _SPEC.slices:
        mask = lib.in_slice(columns, name)
        for model in _SPEC.models:
            scores = columns[lib.score_column(model, "click")][mask]
            found += [roc_auc_score(labels[mask], scores), log_loss(labels[mask], scores)]
    return found


def tfma_metrics(columns: lib.Predictions) -> Any:
    """AUC and the number of examples of each slice and model, from predictions in a frame."""
    import tensorflow_model_analysis as tfma
    from tensorflow_model_analysis.proto import config_pb2

    frame = pd.DataFrame({"label": columns[lib.label_column("click")]})
    for model in _SPEC.models:
        frame[model] = columns[lib.score_column(model, "click")]
    for name in (*_POPULARITY, "new", "unseen"):
        feature, value = SLICE_FEATURES[name] or ("", "")
        if feature not in frame:
            frame[feature] = "other"
        frame.loc[columns[lib.slice_column(name)], feature] = value
    found = []
    for model in _SPEC.models:
        settings = config_pb2.EvalConfig(
            model_specs=[config_pb2.ModelSpec(label_key="label", prediction_key=model)],
            slicing_specs=[
                config_pb2.SlicingSpec(feature_values=dict([feature] if feature else []))
                for feature in SLICE_FEATURES.values()
            ],
            metrics_specs=[
                config_pb2.MetricsSpec(
                    metrics=[
                        config_pb2.MetricConfig(
                            class_name="AUC", config='{"num_thresholds": 10000}'
                        ),
                        config_pb2.MetricConfig(class_name="ExampleCount"),
                    ]
                )
            ],
        )
        found.append(tfma.analyze_raw_data(frame, settings))
    return found


def cpu_microseconds(work: Callable[[lib.Predictions], Any], columns: lib.Predictions) -> float:
    """CPU time an example and model, µs."""
    begin = time.process_time()
    work(columns)
    seconds = time.process_time() - begin
    return seconds / len(columns["item"]) / len(_SPEC.models) * 1e6


def main(
    examples: Annotated[int, typer.Option(help="Predictions of each model.")] = 1_000_000,
    tfma_examples: Annotated[int, typer.Option(help="Those that TFMA gets.")] = 20_000,
    repetitions: Annotated[int, typer.Option(help="Samples of the coverage simulation.")] = 1000,
    population: Annotated[int, typer.Option(help="Users that its truth is taken from.")] = 20_000,
    output: str = "benchmarks/out/evaluation.json",
) -> None:
    """Measures the evaluation's CPU time and the coverage of its intervals."""
    columns = sample(examples)
    few = lib.select(columns, np.arange(min(tfma_examples, examples)))
    exact = roc_auc_score(columns["label click"], columns["score candidate click"])
    of_all = evaluate(columns)["tasks"]["click"]["slices"]["all"]
    tfma_metrics(lib.select(few, np.arange(10)))  # Imports, which take seconds, do not count.
    report = {
        "examples": examples,
        "models": len(_SPEC.models),
        "slices": len(_SPEC.slices),
        "cpu_us": {
            "evaluation": cpu_microseconds(evaluate, columns),
            "sklearn_auc_and_log_loss": cpu_microseconds(sklearn_metrics, columns),
            "tfma_auc": cpu_microseconds(tfma_metrics, few),
        },
        "tfma_examples": len(few["item"]),
        "auc_error": abs(of_all["models"]["candidate"]["auc"] - exact),
        "repetitions": repetitions,
        "coverage": {
            name: coverage(name, repetitions, population=population) for name in ("all", "new")
        },
    }
    command.write_json(output, report)
    for name, value in report["cpu_us"].items():
        print(f"{name:26s} {value:8.2f} µs of CPU an example and model")
    for name, shares in report["coverage"].items():
        print(f"intervals of slice {name}: {shares}")


if __name__ == "__main__":
    command.run(main)
