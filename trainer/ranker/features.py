"""Joined examples: parsing specification and input function."""

import math
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from semantic_id_ranking.contracts.feature_names import history_label
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.config import TaskConfig

CANDIDATE = "candidate"
CURRENT = "current"
HISTORY = "history"
ROLES = (CANDIDATE, CURRENT, HISTORY)

# Serialized examples, of about 1 KB each, that a shuffle draws from.
_SHUFFLE_BUFFER = 100_000

Features = dict[str, tf.Tensor]


def label_feature(task: TaskConfig) -> str:
    """Name of a task's label among the joined examples' features."""
    return f"label_{task.name}"


def weight_feature(task: TaskConfig) -> str:
    """Name, among the joined examples' features, of whether there is a label of a task: 1 or 0."""
    return f"weight_{task.name}"


def item_features(features: Mapping[str, tf.Tensor], role: str, fields: Sequence[str]) -> Features:
    """The fields of one role's items.

    Args:
        features: Features named `<role>_<field>`.
        role: `CANDIDATE`, `CURRENT` or `HISTORY`.
        fields: The fields that a representation reads.
    """
    return {field: features[f"{role}_{field}"] for field in fields}


def item_parsing_spec(fields: Sequence[str], space: SidSpace) -> dict[str, object]:
    """Parsing specification of the items, for `tf.io.parse_example`.

    Args:
        fields: The fields that a representation reads.
        space: The SID space, of L levels and embeddings of length D.

    Returns:
        Specifications of `candidate_sid` [B, L], `current_sid` [B, L] and `history_sid` [B, T, L],
        int64, -1 where there is no item; of `candidate_item_id` [B], `current_item_id` [B] and
        `history_item_id` [B, T], strings, empty where there is no item; and of
        `candidate_embedding` [B, D], `current_embedding` [B, D] and `history_embedding` [B, T, D],
        float32, zero where there is no item. T is the longest history of the batch and may be 0.
    """
    spec = {}
    for field in fields:
        shape, dtype, absent = _field_kind(field, space)
        spec[f"{CANDIDATE}_{field}"] = tf.io.FixedLenFeature(shape, dtype)
        spec[f"{CURRENT}_{field}"] = tf.io.FixedLenFeature(
            shape, dtype, np.full(shape, absent).tolist()
        )
        spec[f"{HISTORY}_{field}"] = tf.io.FixedLenSequenceFeature(
            shape, dtype, allow_missing=True, default_value=absent
        )
    return spec


def item_tensor_specs(fields: Sequence[str], space: SidSpace) -> dict[str, tf.TensorSpec]:
    """The items of a request that ranks N candidates for one user.

    Args:
        fields: The fields that a representation reads.
        space: The SID space, of L levels and embeddings of length D.

    Returns:
        For `sid`, int64: `candidate_sid` [N, L], `current_sid` [1, L], `history_sid` [1, T, L]; for
        `embedding`, float32, the same with D instead of L; for `item_id`, string, the same
        without the last axis.
    """
    specs = {}
    for field in fields:
        shape, dtype, _ = _field_kind(field, space)
        for role, axes in ((CANDIDATE, [None]), (CURRENT, [1]), (HISTORY, [1, None])):
            name = f"{role}_{field}"
            specs[name] = tf.TensorSpec([*axes, *shape], dtype, name)
    return specs


def _field_kind(field: str, space: SidSpace) -> tuple[list[int], tf.DType, int | float | str]:
    """Shape, type and the value that stands for no item, of one item's field."""
    if field == "embedding":
        return [space.require_embedding_dim()], tf.float32, 0.0
    kinds: dict[str, tuple[list[int], tf.DType, int | str]] = {
        "sid": ([space.levels], tf.int64, -1),
        "item_id": ([], tf.string, ""),
    }
    return kinds[field]


def history_label_parsing_spec(tasks: Sequence[str]) -> dict[str, object]:
    """Parsing specification of the labels of the history's impressions.

    Args:
        tasks: Names of tasks.

    Returns:
        Specifications of `history_label(task)` [B, T], float32, NaN where there is none; T is that
        of `item_parsing_spec`.
    """
    spec = tf.io.FixedLenSequenceFeature([], tf.float32, allow_missing=True, default_value=math.nan)
    return dict.fromkeys(map(history_label, tasks), spec)


def history_label_tensor_specs(tasks: Sequence[str]) -> dict[str, tf.TensorSpec]:
    """The same labels in a request that ranks candidates for one user: float32 [1, T] each."""
    return {name: tf.TensorSpec([1, None], tf.float32, name) for name in map(history_label, tasks)}


def label_parsing_spec(tasks: Sequence[TaskConfig]) -> dict[str, object]:
    """Parsing specification of the labels and their weights: float32 [B] a task, both.

    A weight is 1, or 0 where an impression has no label of the task; `read_labels` wants both.
    """
    spec = {}
    for task in tasks:
        spec[label_feature(task)] = tf.io.FixedLenFeature([], tf.float32)
        spec[weight_feature(task)] = tf.io.FixedLenFeature([], tf.float32, 1.0)
    return spec


def read_labels(parsed: Mapping[str, tf.Tensor], tasks: Sequence[TaskConfig]) -> Features:
    """The labels by their features, float32 [B]; NaN where an impression has none.

    Args:
        parsed: What `label_parsing_spec` reads.
        tasks: The tasks.
    """
    return {
        label_feature(task): tf.where(
            parsed[weight_feature(task)] > 0, parsed[label_feature(task)], math.nan
        )
        for task in tasks
    }


def read_examples(
    patterns: Sequence[str],
    spec: Mapping[str, object],
    batch_size: int,
    transform: Callable[[Features], Features] | None = None,
    shuffle_seed: int | None = None,
    split: Callable[[tf.data.Dataset], tf.data.Dataset] | None = None,
) -> tf.data.Dataset:
    """Input function over gzipped TFRecord files of tf.train.Example.

    Args:
        patterns: File patterns.
        spec: What `tf.io.parse_example` reads.
        batch_size: Examples in a batch; the last one may be smaller.
        transform: Applied to each parsed batch.
        shuffle_seed: Shuffles anew at every pass, from this seed; None keeps the files' order.
        split: Takes this process's part of batches of serialized examples; None: all.

    Returns:
        Batches, as dictionaries of tensors.

    Raises:
        FileNotFoundError: No file matches.
    """
    files = sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
    if not files:
        raise FileNotFoundError(f"no file matches {', '.join(patterns)}")
    dataset = tf.data.TFRecordDataset(files, "GZIP", num_parallel_reads=min(len(files), 8))
    if shuffle_seed is not None:
        dataset = dataset.shuffle(_SHUFFLE_BUFFER, seed=shuffle_seed)

    def parse(serialized: tf.Tensor) -> Features:
        features = tf.io.parse_example(serialized, spec)
        return features if transform is None else transform(features)

    dataset = dataset.batch(batch_size)
    if split is not None:
        dataset = split(dataset)
    return dataset.map(parse, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
