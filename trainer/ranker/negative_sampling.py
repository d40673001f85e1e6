"""Sampling of the impressions of a training batch, by task."""

from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf

from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.features import Features
from semantic_id_ranking.trainer.ranker.features import label_feature


def sample_negatives(
    inputs: Mapping[str, tf.Tensor], tasks: Sequence[TaskConfig]
) -> tuple[Features, dict[str, tf.Tensor]]:
    """Samples the negatives of each task at its `train_negative_rate`.

    An impression's one draw holds for all tasks: what counts at a low rate counts at a higher one.
    So most impressions that are negative everywhere count nowhere, and are dropped.

    Args:
        inputs: Features and `label_<task>`, of a leading axis B all of them. A label is NaN where
            there is none, and never counts.
        tasks: The tasks; a regression, as a task of rate 1, counts every impression with a label.

    Returns:
        The inputs of the M <= B impressions that count for a task at least, in their order; and for
        each task of a rate below 1, by name, whether they count for it: bool [M].
    """
    sampled = [task for task in tasks if task.train_negative_rate < 1]
    if not sampled:
        return dict(inputs), {}
    labels = {task.name: inputs[label_feature(task)] for task in sampled}
    draw = tf.random.uniform(tf.shape(labels[sampled[0].name]))
    counts = {
        task.name: ~tf.math.is_nan(labels[task.name])
        & ((labels[task.name] == 1) | (draw < task.train_negative_rate))
        for task in sampled
    }
    if len(sampled) < len(tasks):
        return dict(inputs), counts
    kept = tf.reduce_any(tf.stack(list(counts.values())), axis=0)
    features = {name: tf.boolean_mask(values, kept) for name, values in inputs.items()}
    return features, {name: tf.boolean_mask(count, kept) for name, count in counts.items()}
