"""Loss of a task over the impressions that count, and its mean over many batches."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf


class TaskLoss(NamedTuple):
    """Loss of a task over a batch.

    Attributes:
        total: float32 scalar, sum over the impressions that count.
        count: float32 scalar, their number.
    """

    total: tf.Tensor
    count: tf.Tensor

    @property
    def mean(self) -> tf.Tensor:
        """Scalar; 0 where no impression counts."""
        return tf.math.divide_no_nan(self.total, self.count)


class MeanLoss(tf.keras.metrics.Metric):
    """Weighted sum of the tasks' mean losses, each over what counted for it so far."""

    def __init__(self, weights: Sequence[float], name: str = "loss"):
        """Makes the metric.

        Args:
            weights: Weight of each task.
            name: Name of the metric.
        """
        super().__init__(name)
        self._weights = tf.constant(list(weights), tf.float32)
        self._total = self.add_weight("total", [len(weights)], initializer="zeros")
        self._count = self.add_weight("count", [len(weights)], initializer="zeros")

    def update_state(self, losses: Sequence[TaskLoss]) -> None:
        """Adds a batch: one loss a task."""
        self._total.assign_add(tf.stack([loss.total for loss in losses]))
        self._count.assign_add(tf.stack([loss.count for loss in losses]))

    def result(self) -> tf.Tensor:
        """Scalar; a task that nothing counted for adds 0."""
        means = tf.math.divide_no_nan(self._total, self._count)
        return tf.reduce_sum(self._weights * means)

    def reset_state(self) -> None:
        """Forgets what was added."""
        for variable in (self._total, self._count):
            variable.assign(tf.zeros_like(variable))
