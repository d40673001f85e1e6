"""The optimizers of a ranker."""

from collections.abc import Sequence

import tensorflow as tf

from semantic_id_ranking._compat import adagrad_accumulator
from semantic_id_ranking._compat import keep_repeated_rows
from semantic_id_ranking.trainer.ranker.config import RankerConfig

# Names of weights that are not kernels.
_NOT_DECAYED = ["bias"]

Gradients = Sequence[tf.Tensor | tf.IndexedSlices]


class TableAdagrad(tf.keras.optimizers.Adagrad):
    """Adagrad for tables of which a step looks up each row once, as `Ranker` does.

    A row may come again if all its gradients are zero, which changes nothing.

    Keras adds up the gradients of a row that was looked up several times, at half the cost of the
    whole update. Here that is left to where it is needed: replicas look up the same rows. And it
    updates in many operations; this is TensorFlow's own, in one.
    """

    def __init__(self, learning_rate: float, initial_accumulator: float):
        """Creates the optimizer.

        Args:
            learning_rate: The rate.
            initial_accumulator: What the sums of squared gradients begin with.
        """
        # XLA, which Keras compiles by on a GPU, does not know the operation.
        super().__init__(learning_rate, initial_accumulator, jit_compile=False)
        keep_repeated_rows(
            self, when=lambda: tf.distribute.get_strategy().num_replicas_in_sync == 1
        )

    def update_step(self, grad: tf.Tensor | tf.IndexedSlices, variable: tf.Variable) -> None:
        """Updates a table; see the base class."""
        accumulator = adagrad_accumulator(self, variable)
        state = {
            "var": variable.handle,
            "accum": accumulator.handle,
            "lr": tf.cast(self.learning_rate, variable.dtype),
            "epsilon": tf.constant(self.epsilon, variable.dtype),
        }
        if isinstance(grad, tf.IndexedSlices):
            tf.raw_ops.ResourceSparseApplyAdagradV2(grad=grad.values, indices=grad.indices, **state)
        else:
            tf.raw_ops.ResourceApplyAdagradV2(grad=grad, **state)


def create_optimizers(
    config: RankerConfig,
) -> tuple[tf.keras.optimizers.Optimizer, tf.keras.optimizers.Optimizer]:
    """Makes the optimizers.

    Args:
        config: Their kinds, rates and decay, and the precision that decides on loss scaling.

    Returns:
        That of the dense layers and that of the embedding tables.

    Reference: AdamW: Loshchilov and Hutter (arXiv 1711.05101); loss scaling: Micikevicius et al.
    (arXiv 1710.03740).
    """
    # With a decay, Keras's Adam is its AdamW; without, it is spared the work.
    dense = tf.keras.optimizers.Adam(config.learning_rate, weight_decay=config.weight_decay or None)
    dense.exclude_from_weight_decay(var_names=_NOT_DECAYED)
    if config.table_optimizer == "adam":
        tables = tf.keras.optimizers.Adam(config.table_learning_rate)
    else:
        tables = TableAdagrad(config.table_learning_rate, config.table_initial_accumulator)
    if config.precision == "mixed_float16":
        scaled = tf.keras.mixed_precision.LossScaleOptimizer
        return scaled(dense), scaled(tables)
    return dense, tables


def scale_loss(loss: tf.Tensor, optimizers: Sequence[tf.keras.optimizers.Optimizer]) -> tf.Tensor:
    """Scales a loss so that its gradients do not vanish in float16.

    Args:
        loss: float32 scalar.
        optimizers: Those that train on it; `unscale_gradients` sees to it that they have one scale.

    Returns:
        The loss to differentiate: the same if the optimizers do not scale.
    """
    scaled = [one.get_scaled_loss(loss) for one in optimizers if _scales(one)]
    return scaled[0] if scaled else loss


def unscale_gradients(
    gradients: Sequence[Gradients], optimizers: Sequence[tf.keras.optimizers.Optimizer]
) -> list[Gradients]:
    """Takes the scale off again.

    An optimizer skips a step, and halves its scale, where its own gradients overflow. So that both
    skip and their scales stay equal, an overflow anywhere is made known to every optimizer.

    Args:
        gradients: Of the scaled loss, for each optimizer.
        optimizers: Those that `scale_loss` got.

    Returns:
        Gradients of the loss itself.
    """
    if not any(_scales(one) for one in optimizers):
        return list(gradients)
    unscaled = [
        one.get_unscaled_gradients(own) for one, own in zip(optimizers, gradients, strict=True)
    ]
    values = [_values(one) for own in unscaled for one in own if one is not None]
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(one)) for one in values])
    overflow = tf.where(finite, 0.0, float("nan"))
    return [[_add(one, overflow) for one in own] for own in unscaled]


def _scales(optimizer: tf.keras.optimizers.Optimizer) -> bool:
    return isinstance(optimizer, tf.keras.mixed_precision.LossScaleOptimizer)


def _values(gradient: tf.Tensor | tf.IndexedSlices) -> tf.Tensor:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def _add(
    gradient: tf.Tensor | tf.IndexedSlices | None, number: tf.Tensor
) -> tf.Tensor | tf.IndexedSlices | None:
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(gradient.values + number, gradient.indices, gradient.dense_shape)
    return None if gradient is None else gradient + number
