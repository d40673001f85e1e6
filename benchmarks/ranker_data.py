"""Joined impressions as batches of a ranker."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from benchmarks.joined import Joined
from semantic_id_ranking.contracts.feature_names import context_feature
from semantic_id_ranking.pipeline.join_config import ContextConfig
from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.context_spec import HISTORY_LENGTH
from semantic_id_ranking.trainer.ranker.context_spec import ITEM_AGE_COLUMN
from semantic_id_ranking.trainer.ranker.features import CANDIDATE
from semantic_id_ranking.trainer.ranker.features import CURRENT
from semantic_id_ranking.trainer.ranker.features import Features
from semantic_id_ranking.trainer.ranker.features import HISTORY


@dataclasses.dataclass(frozen=True)
class RankerData:
    """The content of batches.

    Attributes:
        joined: The impressions.
        context: The context features' kinds.
        context_features: Their values: int64 [M] IDs or float32 [M] standardised numbers.
    """

    joined: Joined
    context: ContextSpec
    context_features: Mapping[str, np.ndarray]

    @classmethod
    def create(cls, joined: Joined, columns: ContextConfig) -> "RankerData":
        """Fits the context on the training period, as the Transform graph does.

        Args:
            joined: The impressions.
            columns: The context columns.
        """
        train = ~joined.evaluation
        categorical, features = {}, {}
        for column in columns.categorical:
            name = context_feature(column)
            features[name], categorical[name] = _category_ids(joined.context[column], train)
        for column in columns.numeric:
            features[context_feature(column)] = _z_scores(joined.context[column], train)
        numeric = list(columns.numeric)
        if columns.item_age:
            features[context_feature(ITEM_AGE_COLUMN)] = _z_scores(np.log1p(joined.item_age), train)
            numeric.append(ITEM_AGE_COLUMN)
        features[HISTORY_LENGTH] = _z_scores(np.log1p(joined.history_length), train)
        numeric = (*map(context_feature, numeric), HISTORY_LENGTH)
        return cls(joined, ContextSpec(categorical, numeric), features)

    def batches(
        self,
        rows: np.ndarray,
        tables: Mapping[str, np.ndarray],
        labels: Mapping[str, str],
        batch_size: int,
        shuffle_seed: int | None = None,
        candidate: np.ndarray | None = None,
    ) -> tf.data.Dataset:
        """Batches of the features that `Ranker` describes.

        Args:
            rows: Int [R], the impressions.
            tables: Field of the representation to its values [N + 1, ...]; the last row stands for
                no item.
            labels: Feature name to task name.
            batch_size: Impressions in a batch; the last one may be smaller.
            shuffle_seed: Shuffles anew at every pass, from this seed; None keeps the order.
            candidate: int32 [M], other candidates than the impressions' own.
        """
        joined = self.joined
        columns = {f: tf.constant(self.context_features[f]) for f in self.context_features}
        columns |= {f: tf.constant(joined.labels[task]) for f, task in labels.items()}
        items = {
            CANDIDATE: tf.constant(joined.candidate if candidate is None else candidate),
            CURRENT: tf.constant(joined.current),
            HISTORY: tf.constant(joined.history),
        }
        fields = {field: tf.constant(values) for field, values in tables.items()}

        def gather(batch: tf.Tensor) -> Features:
            features = {name: tf.gather(values, batch) for name, values in columns.items()}
            for role, item in items.items():
                numbers = tf.gather(item, batch)
                for field, values in fields.items():
                    features[f"{role}_{field}"] = tf.gather(values, numbers)
            return features

        dataset = tf.data.Dataset.from_tensor_slices(rows)
        if shuffle_seed is not None:
            dataset = dataset.shuffle(len(rows), seed=shuffle_seed)
        return dataset.batch(batch_size).map(gather, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def item_tables(
    fields: Sequence[str], ids: np.ndarray, sids: np.ndarray, embeddings: np.ndarray
) -> dict[str, np.ndarray]:
    """The fields that a representation reads of the items, with a last row for no item.

    Args:
        fields: `ItemRepresentation.fields`.
        ids: [N] object (bytes).
        sids: int [N, L].
        embeddings: float32 [N, D].

    Returns:
        Field to its values [N + 1, ...].
    """
    values = {
        "item_id": (ids, b""),
        "sid": (sids.astype(np.int64), -1),
        "embedding": (embeddings, 0.0),
    }
    tables = {}
    for field in fields:
        known, absent = values[field]
        row = np.full((1, *known.shape[1:]), absent, known.dtype)
        tables[field] = np.concatenate([known, row])
    return tables


def _category_ids(values: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, int]:
    """IDs int64 [M] of values [M], and how many there are; the last is a missing or new value's."""
    known = train & np.array([value is not None and value != b"" for value in values], bool)
    vocabulary = {value: i for i, value in enumerate(sorted(set(values[known])))}
    ids = [vocabulary.get(value, len(vocabulary)) for value in values]
    return np.array(ids, np.int64), len(vocabulary) + 1


def _z_scores(values: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Standard deviations from the mean of the training period, float32 [M]; 0 where missing."""
    known = values[train & ~np.isnan(values)].astype(np.float64)
    mean, std = (known.mean(), known.std()) if len(known) else (0.0, 0.0)
    return np.nan_to_num((values - mean) / (std or 1.0)).astype(np.float32)
