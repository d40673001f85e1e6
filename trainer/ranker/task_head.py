"""A task's own layers on top of the shared ones."""

import tensorflow as tf
import tensorflow_recommenders as tfrs

from trainer.ranker.config import RankerConfig
from trainer.ranker.config import TaskConfig
from trainer.ranker.label_moments import LabelMoments


class TaskHead(tf.keras.layers.Layer):
    """Layers, loss, metric and unit of one task.

    A binary head learns log-odds. A regression head learns the label in standard deviations from
    its mean, so that a label with a large unit or a long tail weighs no more in the multitask loss
    than any other.
    """

    def __init__(self, task: TaskConfig, config: RankerConfig, moments: LabelMoments):
        """Creates the layers.

        Args:
            task: The task.
            config: Widths of the task's own layers, and their regularisation.
            moments: Moments of a regression label; not used by a binary task.
        """
        super().__init__(name=f"head_{task.name}")
        self.task = task
        self._moments = moments
        self._layers = [
            tf.keras.layers.Dense(
                width, "relu", kernel_regularizer=tf.keras.regularizers.L2(config.l2)
            )
            for width in config.head_widths
        ]
        self._layers.append(tf.keras.layers.Dense(1))
        # Reduction is left to `loss`: Keras cannot average over the replicas of a custom training
        # step.
        if task.type == "binary":
            loss = tf.keras.losses.BinaryCrossentropy(from_logits=True, reduction="none")
            metric = tf.keras.metrics.AUC(from_logits=True, name=f"{task.name}_auc")
        else:
            loss = tf.keras.losses.MeanSquaredError(reduction="none")
            metric = tf.keras.metrics.RootMeanSquaredError(name=f"{task.name}_rmse_in_std")
        self._ranking = tfrs.tasks.Ranking(loss=loss, metrics=[metric])

    def call(self, shared: tf.Tensor) -> tf.Tensor:
        """Raw output.

        Args:
            shared: float32 [B, units] of the shared layers.

        Returns:
            float32 [B]: log-odds, or standard deviations from the mean.
        """
        for layer in self._layers:
            shared = layer(shared)
        return shared[:, 0]

    def prediction(self, raw: tf.Tensor) -> tf.Tensor:
        """Raw output [B] as a probability, or in the label's unit."""
        if self.task.type == "binary":
            return tf.sigmoid(raw)
        return self._moments.mean + self._moments.std * raw

    def loss(self, labels: tf.Tensor, raw: tf.Tensor, training: bool) -> tf.Tensor:
        """Mean loss over the batch.

        Args:
            labels: float32 [B] in the label's unit.
            raw: float32 [B], what `call` returned.
            training: In training, the metric is not updated.

        Returns:
            float32 scalar, unweighted.
        """
        if self.task.type == "regression":
            labels = (labels - self._moments.mean) / self._moments.std
        losses = self._ranking(labels[:, None], raw[:, None], compute_metrics=not training)
        return tf.reduce_mean(losses)
