"""A ranker of one's own: a Deep Interest Network.

The weight of a history entry is an MLP's of the entry, the candidate and their product; the history
is the weighted sum. It joins candidate, current item and context in an MLP that the tasks share.

Reference: Zhou et al., Deep Interest Network for Click-Through Rate Prediction (arXiv 1706.06978).
"""

from collections.abc import Sequence

import tensorflow as tf

from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.ranker_inputs import RankerInputs


class DinRanker(tf.keras.layers.Layer):
    """Makes the network: the function that `ranker.model` names."""

    def __init__(self, config: RankerConfig, tasks: Sequence[TaskConfig]):
        """Creates the layers.

        Args:
            config: `bottom_widths` are followed; other fields on layers are not.
            tasks: What to predict.
        """
        super().__init__()
        self._attention = tf.keras.Sequential(
            [tf.keras.layers.Dense(32, "relu"), tf.keras.layers.Dense(1)]
        )
        self._shared = tf.keras.Sequential(
            [tf.keras.layers.Dense(width, "relu") for width in config.bottom_widths]
        )
        self._outputs = {task.name: tf.keras.layers.Dense(1) for task in tasks}

    def call(self, inputs: RankerInputs, training: bool = False) -> dict[str, tf.Tensor]:
        """Raw outputs.

        Args:
            inputs: Item vectors and context.
            training: Makes no difference: no layer drops anything.

        Returns:
            Task name to float32 [B]: log-odds, or standard deviations from the label's mean.
        """
        # One user may rank many candidates: now everything has as many rows as candidates.
        inputs = inputs.broadcast()
        candidate, history = inputs.candidate, inputs.history.all()
        target = tf.broadcast_to(candidate[:, None], tf.shape(history))
        scores = self._attention(tf.concat([history, target, history * target], axis=2))
        # Padding gets no weight; without softmax, a strong interest weighs more than a weak one.
        weights = tf.where(inputs.history.present[:, :, None], tf.sigmoid(scores), 0.0)
        interest = tf.reduce_sum(weights * history, axis=1)
        parts = [candidate, inputs.current, interest, candidate * interest]
        shared = self._shared(tf.concat([*parts, *inputs.context.values()], axis=1))
        return {name: layer(shared)[:, 0] for name, layer in self._outputs.items()}
