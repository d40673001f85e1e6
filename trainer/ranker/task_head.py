"""A task's own layers on top of the shared ones."""

import tensorflow as tf

from semantic_id_ranking.contracts.feature_names import escape
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig


class TaskHead(tf.keras.layers.Layer):
    """ReLU layers of `head_widths` units, and a linear one of a single output in float32."""

    def __init__(self, task: TaskConfig, config: RankerConfig):
        """Creates the layers.

        Args:
            task: The task.
            config: Widths of the task's own layers, and their regularisation.
        """
        super().__init__(name=f"head_{escape(task.name)}")
        self._layers = [
            tf.keras.layers.Dense(
                width,
                "relu",
                kernel_regularizer=tf.keras.regularizers.L2(config.l2),
                dtype=config.precision,
            )
            for width in config.head_widths
        ]
        # In float32, whatever the precision of the others.
        self._layers.append(tf.keras.layers.Dense(1))

    def call(self, shared: tf.Tensor) -> tf.Tensor:
        """Raw output.

        Args:
            shared: [B, units] of the shared layers.

        Returns:
            float32 [B], see `TaskObjective`.
        """
        for layer in self._layers:
            shared = layer(shared)
        return shared[:, 0]
