"""Training of a ranker on tf.data datasets, without TFX."""

import dataclasses
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf
from absl import logging

from semantic_id_ranking.contracts.feature_names import history_label
from semantic_id_ranking.trainer.ranker.check_network import check_network
from semantic_id_ranking.trainer.ranker.checkpoints import Checkpoints
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.distribution import Distribution
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.model import Ranker
from semantic_id_ranking.trainer.ranker.optimizers import create_optimizers
from semantic_id_ranking.trainer.ranker.representations.item_representation import (
    ItemRepresentation,
)


@dataclasses.dataclass(frozen=True)
class Training:
    """A trained ranker and the metrics of its training.

    Attributes:
        model: The ranker.
        loss: Mean training loss over the last epoch's examples, without regularisation.
        examples: Examples in an epoch.
        seconds: Wall time of the epochs; of a resumed training, since then.
        evaluation: Loss and metrics on the evaluation data after the last epoch; empty without such
            data.
    """

    model: Ranker
    loss: float
    examples: int
    seconds: float
    evaluation: Mapping[str, float]


class _Progress(tf.keras.callbacks.Callback):
    """Logs each epoch's loss."""

    def __init__(self, epochs: int):
        super().__init__()
        self._epochs = epochs

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> None:
        logging.info("ranker: epoch %d of %d, loss %.4f", epoch + 1, self._epochs, logs["loss"])


def train(
    train_data: tf.data.Dataset,
    representation: ItemRepresentation,
    context: ContextSpec,
    tasks: Sequence[TaskConfig],
    config: RankerConfig,
    moments: Mapping[str, LabelMoments],
    eval_data: tf.data.Dataset | None = None,
    log_directory: str | None = None,
    checkpoint_directory: str | None = None,
    distribution: Distribution | None = None,
    warm_start: Callable[[Ranker], None] | None = None,
) -> Training:
    """Trains a ranker.

    Args:
        train_data: One epoch of batches: the features that `Ranker` describes and `label_<task>`
            float32 [B] a task; where several processes train, this one's part of each batch, as
            `Distribution.split` makes it.
        representation: How an item becomes a vector.
        context: The context features.
        tasks: What to predict.
        config: The network and its training.
        moments: Moments of the regression labels by task name, from `LabelMoments.measure`.
        eval_data: Batches of the same form, evaluated after every epoch.
        log_directory: Where TensorBoard logs go; None writes none.
        checkpoint_directory: Where checkpoints go every `checkpoint_steps`. A training goes on from
            one that it finds there; whoever has no more need of them removes them. None writes
            none.
        distribution: That of the configuration, where it had to be made earlier.
        warm_start: Called with the ranker, built and compiled, before the first step; gives it
            weights and optimizers to go on from.

    Returns:
        The model and the summary of its training.

    Raises:
        InputError: `config.model` names no function that makes a network.
        ValueError: `train_data` is empty.
    """
    distribution = distribution or Distribution(config.distribution)
    labelled_history = history_label(tasks[0].name) in train_data.element_spec
    check_network(config, tasks, context, labelled_history)
    tf.keras.utils.set_random_seed(config.seed)
    with distribution.strategy.scope():
        model = create_ranker(
            train_data, representation, context, tasks, config, moments, warm_start
        )
    callbacks = [_Progress(config.epochs)]
    if log_directory is not None and distribution.is_chief:
        callbacks.append(tf.keras.callbacks.TensorBoard(log_directory, write_graph=False))
    spans: Iterable[tuple[range, tf.data.Dataset]] = [(range(config.epochs), train_data)]
    checkpoints = None
    if checkpoint_directory is not None:
        steps = None if distribution.asynchronous else config.checkpoint_steps
        checkpoints = Checkpoints(model, checkpoint_directory, steps, distribution.is_chief)
        callbacks.insert(0, checkpoints)
        spans = checkpoints.spans(train_data, config.epochs)
    start = time.monotonic()
    logs: dict[str, float] = {}
    for epochs, data in spans:
        logs = distribution.fit(model, data, eval_data, epochs, callbacks)
    if checkpoints is not None and not logs:
        # The last checkpoint was that of the last step.
        checkpoints.restore()
        logs = {metric.name: float(metric.result()) for metric in model.metrics}
        if eval_data is not None:
            evaluation = distribution.evaluate(model, eval_data)
            logs |= {f"val_{name}": value for name, value in evaluation.items()}
    return Training(
        model=model,
        loss=logs["loss"],
        examples=int(logs["examples"]),
        seconds=time.monotonic() - start,
        evaluation={
            name.removeprefix("val_"): value
            for name, value in logs.items()
            if name.startswith("val_")
        },
    )


def create_ranker(
    data: tf.data.Dataset,
    representation: ItemRepresentation,
    context: ContextSpec,
    tasks: Sequence[TaskConfig],
    config: RankerConfig,
    moments: Mapping[str, LabelMoments],
    warm_start: Callable[[Ranker], None] | None = None,
) -> Ranker:
    """Makes a ranker that can be trained, in the scope of the current strategy.

    Args:
        data: Batches that it is called with; only their form is read.
        representation: As of `train`.
        context: As of `train`.
        tasks: As of `train`.
        config: As of `train`.
        moments: As of `train`.
        warm_start: As of `train`; None leaves weights to be made at the first call.

    Returns:
        The ranker, compiled.
    """
    model = Ranker(representation, context, tasks, config, moments)
    optimizer, table_optimizer = create_optimizers(config)
    model.compile(optimizer, table_optimizer)
    if warm_start is not None:
        # Weights are made at the first call.
        model(_blank_batch(data))
        warm_start(model)
    return model


def _blank_batch(data: tf.data.Dataset) -> dict[str, tf.Tensor]:
    """A batch of one example of zeros and empty strings; `data` is not read."""
    return {
        name: tf.zeros([size or 1 for size in spec.shape], spec.dtype)
        for name, spec in data.element_spec.items()
    }
