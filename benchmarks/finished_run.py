"""Joined examples and predictions of a run, as arrays."""

import dataclasses
import glob
import os
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from semantic_id_ranking.components.ranking_evaluator.prediction_table import read_predictions
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.predictions import item_digests
from semantic_id_ranking.evaluation.predictions import Predictions
from semantic_id_ranking.pipeline import component_parameters
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.trainer.ranker.context_spec import HISTORY_LENGTH
from semantic_id_ranking.trainer.ranker.context_transform import ContextTransform
from semantic_id_ranking.trainer.ranker.features import label_feature
from semantic_id_ranking.trainer.ranker.features import label_parsing_spec
from semantic_id_ranking.trainer.ranker.features import read_examples
from semantic_id_ranking.trainer.ranker.features import read_labels

_BATCH = 8192


@dataclasses.dataclass(frozen=True)
class Split:
    """M impressions of a split.

    Attributes:
        features: float32 [M, F], of the context, columns of IDs among them.
        labels: float32 [M, T] of the binary tasks, NaN where there is none.
        time: int64 [M], microseconds since 1970.
        item: uint64 [M], digests of the candidates.
    """

    features: np.ndarray
    labels: np.ndarray
    time: np.ndarray
    item: np.ndarray


class FinishedRun:
    """The artifacts of a run.

    Args:
        folder: Its output folder.
        config: Its configuration.

    Attributes:
        tasks: The binary tasks.
        baselines: What its ranker is compared with.
        categorical: Columns of `Split.features` that are IDs of a vocabulary.
    """

    def __init__(self, folder: str, config: Config):
        self._folder = folder
        self.tasks = [task for task in config.tasks if task.type == "binary"]
        self.baselines = config.baselines
        parameters = component_parameters.ranker(config)["context"]
        graph = tft.TFTransformOutput(self._artifact("Transform/transform_graph"))
        self._context = ContextTransform(graph, **parameters)
        spec = self._context.spec
        self.categorical = list(range(len(spec.categorical)))
        self._names = [*spec.categorical, *spec.numeric, *spec.counters]

    def split(self, name: str) -> Split:
        """Reads the joined examples of `train` or `eval`, in the order of their files."""
        spec = {
            **self._context.parsing_spec,
            **label_parsing_spec(self.tasks),
            HISTORY_LENGTH: tf.io.FixedLenFeature([], tf.float32),
            "timestamp": tf.io.FixedLenFeature([], tf.int64),
            "candidate_item_id": tf.io.FixedLenFeature([], tf.string),
        }

        def columns(raw: dict[str, Any]) -> tuple[tf.Tensor, ...]:
            context = self._context(raw, tf.sequence_mask(raw[HISTORY_LENGTH]))
            features = [tf.cast(context[name], tf.float32) for name in self._names]
            features = [one[:, None] if one.shape.rank == 1 else one for one in features]
            labels = read_labels(raw, self.tasks)
            return (
                tf.concat(features, axis=1),
                tf.stack([labels[label_feature(task)] for task in self.tasks], axis=1),
                raw["timestamp"],
                raw["candidate_item_id"],
            )

        pattern = os.path.join(self._artifact("FeatureJoiner/examples"), f"Split-{name}", "*.gz")
        # One file after the other: predictions are in their order.
        parts = [
            batch
            for path in sorted(glob.glob(pattern))
            for batch in read_examples([path], spec, _BATCH, columns).as_numpy_iterator()
        ]
        features, labels, time, items = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        return Split(features, labels, time, item_digests(items))

    def predictions(self, spec: EvaluationSpec) -> Predictions:
        """The evaluator's predictions, in the order of the examples' files."""
        parts = list(read_predictions(self._artifact("RankingEvaluator/predictions"), spec))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _artifact(self, name: str) -> str:
        versions = glob.glob(os.path.join(self._folder, "artifacts", name, "*"))
        return max(versions, key=lambda path: int(os.path.basename(path)))
