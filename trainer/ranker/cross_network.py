"""The default network of a ranker."""

from collections.abc import Iterable
from collections.abc import Sequence

import tensorflow as tf

from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.cross import Cross
from semantic_id_ranking.trainer.ranker.history_pooling import AttentionHistory
from semantic_id_ranking.trainer.ranker.history_pooling import MeanHistory
from semantic_id_ranking.trainer.ranker.mixture_of_experts import MixtureOfExperts
from semantic_id_ranking.trainer.ranker.ranker_inputs import RankerInputs
from semantic_id_ranking.trainer.ranker.ranker_inputs import spread
from semantic_id_ranking.trainer.ranker.task_head import TaskHead


class CrossNetwork(tf.keras.layers.Layer):
    """Cross layers and ReLU layers that the tasks share, and a head a task.

    Candidate, current item, pooled history, the candidate's products with the other two, the
    signals of the history and the context go through the cross layers, then through one stack of
    ReLU layers or through experts that each task mixes. A linear map of signals and context is
    added to each task's raw output. The user's part is computed once for all candidates.

    Attributes:
        takes_groups: True: see `RankerInputs`.

    Reference: the cross layers are DCN-v2's (arXiv 2008.13535).
    """

    takes_groups = True

    def __init__(self, config: RankerConfig, tasks: Sequence[TaskConfig]):
        """Creates the layers.

        Args:
            config: Their kinds, widths, regularisation and precision.
            tasks: What to predict.
        """
        super().__init__(name="network")
        l2 = tf.keras.regularizers.L2(config.l2)
        # Only what multiplies matrices: a policy of all layers would round features and labels too.
        self._multiplied_dtype = tf.keras.mixed_precision.Policy(config.precision).compute_dtype
        self._crosses = [
            Cross(kernel_regularizer=l2, dtype=config.precision) for _ in range(config.cross_layers)
        ]
        pooling: dict[str, type[tf.keras.layers.Layer]] = {
            "mean": MeanHistory,
            "attention": AttentionHistory,
        }
        self._pool_history = pooling[config.history_pooling]()
        widths = config.bottom_widths
        self._bottom, self._mixture = [], None
        if config.bottom == "mmoe":
            self._mixture = MixtureOfExperts(
                len(tasks), config.experts, widths, l2, config.precision
            )
        else:
            self._bottom = [
                tf.keras.layers.Dense(width, "relu", kernel_regularizer=l2, dtype=config.precision)
                for width in widths
            ]
        self._names = [task.name for task in tasks]
        self._heads = [TaskHead(task, config) for task in tasks]
        # From zero, so that the network is at first what it is without.
        self._direct = tf.keras.layers.Dense(
            len(tasks), use_bias=False, kernel_initializer="zeros", name="direct"
        )

    def call(self, inputs: RankerInputs, training: bool = False) -> dict[str, tf.Tensor]:
        """Raw outputs.

        Args:
            inputs: Item vectors and context.
            training: Makes no difference.

        Returns:
            Task name to float32 [B], see `TaskObjective`.
        """
        del training
        candidate, current = inputs.candidate, inputs.current
        history, signals = self._pool_history(inputs)
        batch = tf.shape(candidate)[0]

        def rows(parts: Iterable[tf.Tensor]) -> tf.Tensor:
            if inputs.grouped:
                return tf.concat([spread(x, batch) for x in parts], axis=1)
            return tf.concat([tf.broadcast_to(x, [batch, x.shape[1]]) for x in parts], axis=1)

        plain = rows([signals, *inputs.context.values()])
        direct = self._direct(plain)
        if inputs.grouped:
            current, history = spread(current, batch), spread(history, batch)
        x0 = rows([candidate, current, history, candidate * current, candidate * history, plain])
        x0 = tf.cast(x0, self._multiplied_dtype)
        x = x0
        for cross in self._crosses:
            x = cross(x0, x)
        for layer in self._bottom:
            x = layer(x)
        own = self._mixture(x) if self._mixture else [x] * len(self._heads)
        outputs = zip(self._names, self._heads, own, tf.unstack(direct, axis=1), strict=True)
        return {name: head(x) + added for name, head, x, added in outputs}
