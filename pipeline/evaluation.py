"""The Evaluator's configuration: metrics, slices and thresholds, in TFMA's terms."""

import json
from typing import Any

from tensorflow_model_analysis.proto import config_pb2

from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import ThresholdConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig

#: Slice name -> feature and value of the joined examples; None is all of them.
SLICE_FEATURES: dict[str, tuple[str, str] | None] = {
    "all": None,
    "new": ("slice_age", "new"),
    "unseen": ("slice_seen", "unseen"),
    "head": ("slice_popularity", "head"),
    "torso": ("slice_popularity", "torso"),
    "tail": ("slice_popularity", "tail"),
}

CANDIDATE = "candidate"
BASELINE = "baseline"

#: Task type -> the name of its metric in reports, and TFMA's.
METRICS = {"binary": ("auc", "AUC"), "regression": ("rmse", "RootMeanSquaredError")}


def eval_config(config: Config) -> config_pb2.EvalConfig:
    """Builds TFMA's configuration: candidate against baseline, task by task, slice by slice."""
    features: dict[str, Any] = {}
    # A weight is 0 where an impression has no label of the task: it counts in no metric of it.
    for kind, feature in (("label", "label"), ("example_weight", "weight")):
        keys = {task.name: f"{feature}_{task.name}" for task in config.tasks}
        # TFMA unwraps the output of a model that has but one, and would not find it by its name.
        several = len(keys) > 1
        features |= (
            {f"{kind}_keys": keys} if several else {f"{kind}_key": next(iter(keys.values()))}
        )
    models = [
        config_pb2.ModelSpec(
            name=name,
            is_baseline=name == BASELINE,
            model_type="tf_generic",
            signature_name="serving_default",
            **features,
        )
        for name in (CANDIDATE, BASELINE)
    ]
    return config_pb2.EvalConfig(
        model_specs=models,
        slicing_specs=[_slicing(name) for name in SLICE_FEATURES],
        metrics_specs=[_metrics(task, config) for task in config.tasks],
    )


def output_name(task: TaskConfig, config: Config) -> str:
    """The name of a task's output in TFMA: its own, or none where it is the only one."""
    return task.name if len(config.tasks) > 1 else ""


def _slicing(name: str) -> config_pb2.SlicingSpec:
    feature = SLICE_FEATURES[name]
    return config_pb2.SlicingSpec(feature_values=dict([feature]) if feature else {})


def _metrics(task: TaskConfig, config: Config) -> config_pb2.MetricsSpec:
    _, class_name = METRICS[task.type]
    settings = {"num_thresholds": 10_000} if task.type == "binary" else {}
    thresholds = [t for t in config.effective_thresholds if t.task == task.name]
    metric = config_pb2.MetricConfig(
        class_name=class_name,
        config=json.dumps(settings),
        per_slice_thresholds=[_of_slice(t.slice, _threshold(task, t)) for t in thresholds],
    )
    # Of a slice in which every label is missing, TFMA makes an AUC and an RMSE of 0.
    some = config_pb2.MetricThreshold(
        value_threshold=config_pb2.GenericValueThreshold(lower_bound={"value": 1})
    )
    slices = dict.fromkeys(t.slice for t in thresholds)
    count = config_pb2.MetricConfig(
        class_name="ExampleCount", per_slice_thresholds=[_of_slice(name, some) for name in slices]
    )
    return config_pb2.MetricsSpec(
        output_names=[name] if (name := output_name(task, config)) else [],
        metrics=[
            metric,
            count,
            config_pb2.MetricConfig(class_name="MeanLabel"),
        ],
    )


def _of_slice(
    name: str, threshold: config_pb2.MetricThreshold
) -> config_pb2.PerSliceMetricThreshold:
    return config_pb2.PerSliceMetricThreshold(slicing_specs=[_slicing(name)], threshold=threshold)


def _threshold(task: TaskConfig, threshold: ThresholdConfig) -> config_pb2.MetricThreshold:
    higher_is_better = task.type == "binary"
    result = config_pb2.MetricThreshold()
    if threshold.value is not None:
        if higher_is_better:
            result.value_threshold.lower_bound.value = threshold.value
        else:
            result.value_threshold.upper_bound.value = threshold.value
    if threshold.change is not None:
        change = result.change_threshold
        change.absolute.value = threshold.change if higher_is_better else -threshold.change
        change.direction = (
            config_pb2.MetricDirection.HIGHER_IS_BETTER
            if higher_is_better
            else config_pb2.MetricDirection.LOWER_IS_BETTER
        )
    return result
