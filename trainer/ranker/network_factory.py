"""The function that makes a ranker's network."""

import importlib
from collections.abc import Callable
from collections.abc import Sequence

import tensorflow as tf
from absl import logging

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.cross_network import CrossNetwork

NetworkFactory = Callable[[RankerConfig, Sequence[TaskConfig]], tf.keras.layers.Layer]
"""Makes a network, anew at every call.

Args:
    config: The ranker's configuration. `bottom_widths` are those that the representation asks for.
    tasks: What to predict.

Returns:
    A Keras layer, subclassed or a model, of `call(inputs: RankerInputs, training: bool)`. It
    returns for each task, by its name, float32 [B]: log-odds of a binary task; of a regression, the
    label in standard deviations from its mean. Loss, weights of positives, correction for sampled
    negatives, metrics and units are not its business.

Example:
    ```
    class TwoTower(tf.keras.layers.Layer):
        def __init__(self, config, tasks):
            super().__init__()
            self._user = tf.keras.layers.Dense(config.embedding_dim)
            self._biases = {task.name: tf.keras.layers.Dense(1) for task in tasks}

        def call(self, inputs, training=False):
            match = inputs.candidate * self._user(inputs.current)
            return {name: layer(match)[:, 0] for name, layer in self._biases.items()}
    ```
"""


def network_factory(model: str | None) -> NetworkFactory:
    """Finds the function by its name.

    Args:
        model: `RankerConfig.model`, the dotted name of a function or a class; None: `CrossNetwork`.

    Returns:
        The function.

    Raises:
        InputError: It cannot be imported, or is nothing to call.
    """
    if model is None:
        return CrossNetwork
    module, _, name = model.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name, None)
    except Exception as error:
        reason = " ".join(str(error).split())
        # The code that failed is the user's: the log has the traceback.
        logging.exception("ranker.model %s cannot be imported", model)
        raise InputError(
            f"ranker.model: {model} cannot be imported ({type(error).__name__}: {reason}); "
            "install its package where the pipeline runs, or put its folder on PYTHONPATH"
        ) from error
    if not callable(found):
        what = f"is of type {type(found).__name__}" if found is not None else f"is not in {module}"
        raise InputError(
            f"ranker.model: {model} {what}; name a function of (config, tasks) that returns a "
            "Keras layer"
        )
    return found
