"""Loss, metrics and served output of a task."""

import math

import tensorflow as tf
import tensorflow_recommenders as tfrs

from semantic_id_ranking.contracts.feature_names import escape
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.task_loss import TaskLoss


class TaskObjective(tf.keras.layers.Layer):
    """Loss, metric and unit of one task; no weights.

    The raw output of a binary task is log-odds: those among the weighted positives and the sampled
    negatives that it is trained on, from which those of all impressions differ by a constant. That
    of a regression is the label in standard deviations from its mean, so that a label with a large
    unit or a long tail weighs no more in the multitask loss than any other.
    """

    def __init__(self, task: TaskConfig, moments: LabelMoments):
        """Creates loss and metric.

        Args:
            task: The task.
            moments: Moments of the label of a regression or of a balanced binary task; not used by
                another.
        """
        super().__init__(name=f"objective_{escape(task.name)}")
        self.task = task
        self._moments = moments
        # Reduction is left to `loss`: Keras cannot average over the replicas of a custom training
        # step.
        if task.type == "binary":
            loss = tf.keras.losses.BinaryCrossentropy(from_logits=True, reduction="none")
            metric = tf.keras.metrics.AUC(from_logits=True, name=f"{task.name}_auc")
        else:
            loss = tf.keras.losses.MeanSquaredError(reduction="none")
            metric = tf.keras.metrics.RootMeanSquaredError(name=f"{task.name}_rmse_in_std")
        self._ranking = tfrs.tasks.Ranking(loss=loss, metrics=[metric])
        self._positive_weight = _positive_weight(task, moments.mean)
        # From the log-odds that are learnt to those of the impressions in the input file, and to
        # those of the impressions that were logged.
        self._to_file = math.log(task.train_negative_rate / self._positive_weight)
        self._to_log = self._to_file + math.log(task.data_negative_rate)

    def prediction(self, raw: tf.Tensor) -> tf.Tensor:
        """Raw output [B] as a probability, or in the label's unit."""
        if self.task.type == "binary":
            return tf.sigmoid(_shifted(raw, self._to_log))
        return self._moments.mean + self._moments.std * raw

    def loss(
        self,
        labels: tf.Tensor,
        raw: tf.Tensor,
        training: bool,
        counts: tf.Tensor | None = None,
    ) -> TaskLoss:
        """Loss of the batch, of weighted positives in training.

        Args:
            labels: float32 [B] in the label's unit; NaN where there is none, which counts nowhere.
            raw: float32 [B], the network's output of the task.
            training: In training, the metric is not updated.
            counts: bool [B], the impressions that count; None: all that have a label.

        Returns:
            The loss, without the task's weight.
        """
        known = tf.logical_not(tf.math.is_nan(labels))
        labels = tf.where(known, labels, 0.0)
        counts = tf.cast(known if counts is None else known & counts, tf.float32)
        if self.task.type == "regression":
            labels = (labels - self._moments.mean) / self._moments.std
        elif not training:
            raw = _shifted(raw, self._to_file)
        losses = self._ranking(
            labels[:, None], raw[:, None], counts[:, None], compute_metrics=not training
        )
        if training and self._positive_weight != 1:
            losses *= tf.where(labels == 1, self._positive_weight, 1.0)
        return TaskLoss(tf.reduce_sum(losses), tf.reduce_sum(counts))


def _positive_weight(task: TaskConfig, positives: float) -> float:
    """Weight of a positive's loss.

    Args:
        task: The task.
        positives: Their share of the training impressions, for a balanced task.
    """
    if task.positive_weight != "balanced":
        return task.positive_weight
    # Labels that never vary cannot be balanced.
    return task.train_negative_rate * (1 - positives) / positives if 0 < positives < 1 else 1.0


def _shifted(raw: tf.Tensor, offset: float) -> tf.Tensor:
    """Log-odds shifted by a constant; the same tensor where there is none."""
    return raw + offset if offset else raw
