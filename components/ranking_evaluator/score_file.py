"""Beam: a file of examples, scored by every ranker. No TFX here."""

import os
from collections.abc import Iterator
from collections.abc import Mapping

import apache_beam as beam
import numpy as np
import pyarrow.parquet as pq
import tensorflow as tf
import tensorflow_text  # noqa: F401  registers SentencePiece's ops
from apache_beam.io.filesystems import FileSystems

from semantic_id_ranking.components.ranking_evaluator import prediction_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.feature_names import item_rate
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.evaluation_spec import ITEM_RATE
from semantic_id_ranking.evaluation.predictions import by_user_group
from semantic_id_ranking.evaluation.predictions import Predictions

_BATCH = 1024
#: Rows of the table that are written, and sent on, at once.
_CHUNK = 65_536
_SIGNATURE = "serving_default"

Rows = dict[str, np.ndarray]


class ScoreFile(beam.DoFn):
    """Scores the examples of each file and writes them into a Parquet file of predictions.

    One output a file of the input, with the rows in their order: so the table does not depend on
    the runner. A file that is done twice replaces its output.

    Args:
        models: Model -> folder of its SavedModel; of each model of `spec` but `ITEM_RATE`.
        spec: What is evaluated.
        slices: Slice -> feature and value of the examples in it; None for the one of all.
        folder: Where the outputs go.
        files: Number of files; they come in as (number, path), numbered from 0.
    """

    def __init__(
        self,
        models: Mapping[str, str],
        spec: EvaluationSpec,
        slices: Mapping[str, tuple[str, str] | None],
        folder: str,
        files: int,
    ):
        self._paths = dict(models)
        self._spec = spec
        self._slices = {name: feature for name, feature in slices.items() if feature is not None}
        self._folder = folder
        self._files = files

    def setup(self) -> None:
        """Loads the models, once a worker."""
        # A signature's graph lives as long as its model.
        self._models = {name: tf.saved_model.load(path) for name, path in self._paths.items()}
        text = {feature for feature, _ in self._slices.values()} | {"user_id", "candidate_item_id"}
        self._features = {name: tf.io.FixedLenFeature([], tf.string, "") for name in text}
        self._features["timestamp"] = tf.io.FixedLenFeature([], tf.int64)
        for task in self._spec.tasks:
            self._features[f"label_{task}"] = tf.io.FixedLenFeature([], tf.float32)
            self._features[f"weight_{task}"] = tf.io.FixedLenFeature([], tf.float32, 1.0)
            if ITEM_RATE in self._spec.models:
                self._features[item_rate(task)] = tf.io.FixedLenFeature([], tf.float32)

    def process(self, numbered_file: tuple[int, str]) -> Iterator[tuple[int, Predictions]]:
        """Scores one file.

        Yields:
            Number of a group of users, 0 .. files - 1, and predictions of some of their
            impressions.

        Raises:
            InputError: A model does not answer as a ranker has to.
        """
        number, path = numbered_file
        name = f"predictions-{number:05d}-of-{self._files:05d}.parquet"
        first = 0
        with (
            FileSystems.create(os.path.join(self._folder, name)) as file,
            pq.ParquetWriter(file, prediction_table.schema(self._spec)) as writer,
        ):
            for rows in self._chunks(path):
                writer.write_table(prediction_table.to_table(rows, self._spec))
                block = prediction_table.to_columns(rows, self._spec, number, first)
                yield from by_user_group(block, self._files)
                first += len(rows["timestamp"])

    def _chunks(self, path: str) -> Iterator[Rows]:
        """The columns of a file's table, many batches at a time."""
        batches, count = [], 0
        for examples in tf.data.TFRecordDataset(path, "GZIP").batch(_BATCH).prefetch(2):
            batches.append(self._rows(examples))
            count += len(examples)
            if count >= _CHUNK:
                yield _concatenate(batches)
                batches, count = [], 0
        if batches:
            yield _concatenate(batches)

    def _rows(self, examples: tf.Tensor) -> Rows:
        """A batch's columns of the table."""
        parsed = {
            name: values.numpy()
            for name, values in tf.io.parse_example(examples, self._features).items()
        }
        rows = {
            "user_id": parsed["user_id"],
            "item_id": parsed["candidate_item_id"],
            "timestamp": parsed["timestamp"],
        }
        for name, (feature, value) in self._slices.items():
            rows[f"slice_{name}"] = (parsed[feature] == value.encode()).astype(bool)
        for task in self._spec.tasks:
            rows |= {f"{kind}_{task}": parsed[f"{kind}_{task}"] for kind in ("label", "weight")}
            if ITEM_RATE in self._spec.models:
                rows[f"score_{ITEM_RATE}_{task}"] = parsed[item_rate(task)]
        for model in self._models:
            rows |= self._scores(model, examples)
        return rows

    def _scores(self, model: str, examples: tf.Tensor) -> Rows:
        answer = self._models[model].signatures[_SIGNATURE](examples)
        path, found = self._paths[model], {}
        for task in self._spec.tasks:
            if task not in answer:
                raise InputError(
                    f"{path}: {_SIGNATURE} of the {model} answers {', '.join(sorted(answer))}; an "
                    f"output {task} is needed, for the task of that name"
                )
            scores = answer[task].numpy()
            if scores.size != len(examples) or not np.isfinite(scores).all():
                raise InputError(
                    f"{path}: {_SIGNATURE} of the {model} gives {task} of shape {scores.shape}, "
                    f"{np.isfinite(scores).sum()} of them finite, for {len(examples)} examples; a "
                    "finite number for each is needed"
                )
            found[f"score_{model}_{task}"] = scores.reshape(-1).astype(np.float32)
        return found


def _concatenate(batches: list[Rows]) -> Rows:
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
