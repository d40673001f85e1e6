"""Trains a ranker on tf.data datasets; TFX is not needed."""

import dataclasses
import time
from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf
from absl import logging

from trainer.ranker.config import RankerConfig
from trainer.ranker.config import TaskConfig
from trainer.ranker.context_spec import ContextSpec
from trainer.ranker.label_moments import LabelMoments
from trainer.ranker.model import Ranker
from trainer.ranker.representations import ItemRepresentation


@dataclasses.dataclass(frozen=True)
class Training:
    """A trained ranker and what its training came to.

    Attributes:
        model: The ranker.
        loss: Mean training loss over the last epoch's examples, without regularisation.
        examples: Examples in an epoch.
        seconds: Wall time of all epochs.
        evaluation: Loss and metrics on the evaluation data after the last epoch; empty without such
            data.
    """

    model: Ranker
    loss: float
    examples: int
    seconds: float
    evaluation: Mapping[str, float]


class _Progress(tf.keras.callbacks.Callback):
    """Says each epoch's loss."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        epochs = self.params["epochs"]
        logging.info("ranker: epoch %d of %d, loss %.4f", epoch + 1, epochs, logs["loss"])


def train(
    train_data: tf.data.Dataset,
    representation: ItemRepresentation,
    context: ContextSpec,
    tasks: Sequence[TaskConfig],
    config: RankerConfig,
    moments: Mapping[str, LabelMoments],
    eval_data: tf.data.Dataset | None = None,
    log_directory: str | None = None,
) -> Training:
    """Trains a ranker.

    Args:
        train_data: One epoch of batches: the features that `Ranker` describes and `label_<task>`
            float32 [B] a task.
        representation: How an item becomes a vector.
        context: The context features.
        tasks: What to predict.
        config: The network and its training.
        moments: Moments of the regression labels by task name, from `LabelMoments.measure`.
        eval_data: Batches of the same form, evaluated after every epoch.
        log_directory: Where TensorBoard logs go; None writes none.

    Returns:
        The model and the summary of its training.

    Raises:
        ValueError: `train_data` is empty.
    """
    tf.keras.utils.set_random_seed(config.seed)
    model = Ranker(representation, context, tasks, config, moments)
    model.compile(
        optimizer=tf.keras.optimizers.Adam(config.learning_rate),
        table_optimizer=tf.keras.optimizers.Adagrad(
            config.table_learning_rate, config.table_initial_accumulator
        ),
    )
    callbacks = [_Progress()]
    if log_directory is not None:
        callbacks.append(tf.keras.callbacks.TensorBoard(log_directory, write_graph=False))
    start = time.monotonic()
    history = model.fit(
        train_data,
        epochs=config.epochs,
        validation_data=eval_data,
        callbacks=callbacks,
        verbose=0,
    ).history
    seconds = time.monotonic() - start
    return Training(
        model=model,
        loss=float(history["loss"][-1]),
        examples=int(history["examples"][-1]),
        seconds=seconds,
        evaluation={
            name.removeprefix("val_"): float(values[-1])
            for name, values in history.items()
            if name.startswith("val_")
        },
    )
