"""Checkpoints of a training, from which it goes on after an interruption."""

import tempfile
from collections.abc import Iterator

import tensorflow as tf


class Checkpoints(tf.keras.callbacks.Callback):
    """Saves a training every so many steps, and resumes it at the step that was saved last.

    Saved are the weights, the optimizers' state, the metrics of the epoch so far and the position
    in the data. A resumed training gives the result of an uninterrupted one, up to what is drawn at
    random within a step; its data has to come in an order that a seed decides.
    """

    def __init__(
        self, model: tf.keras.Model, directory: str, steps: int | None, is_chief: bool = True
    ):
        """Finds the last checkpoint.

        Args:
            model: Compiled; it need not be built.
            directory: Where the checkpoints are. All processes of a training have to see it.
            steps: Steps between two checkpoints; None saves at the ends of epochs.
            is_chief: Whether this process writes them. The others take part and throw theirs away:
                metrics are added up over the processes.
        """
        super().__init__()
        # Keras need not fetch the metrics after each step.
        self._supports_tf_logs = True
        self._every = steps
        self._epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._checkpoint = tf.train.Checkpoint(model=model, epoch=self._epoch, step=self._step)
        written = directory
        if not is_chief:
            # It is removed with its object.
            self._thrown_away = tempfile.TemporaryDirectory()
            written = self._thrown_away.name
        self._manager = tf.train.CheckpointManager(self._checkpoint, written, max_to_keep=1)
        self._last = tf.train.latest_checkpoint(directory)
        self._within_epoch = False

    def spans(self, data: tf.data.Dataset, epochs: int) -> Iterator[tuple[range, tf.data.Dataset]]:
        """The remaining epochs and their data.

        Args:
            data: An epoch, of as many elements as steps.
            epochs: Epochs of the whole training.

        Yields:
            Epochs, and the data of each of them.
        """
        if self._last is None:
            yield range(epochs), data
            return
        position = tf.train.Checkpoint(epoch=self._epoch, step=self._step)
        position.restore(self._last).expect_partial()
        epoch, step = int(self._epoch), int(self._step)
        # A dataset that shuffles draws its next order when an iterator is made. Keras makes one
        # that it does not use; of those below, only when they are used.
        for _ in range(epoch):
            iter(data)
        rest = data.skip(step)
        self._within_epoch = step > 0 and next(iter(rest), None) is not None
        if self._within_epoch:
            yield range(epoch, epoch + 1), _made_on_use(rest)
        else:
            iter(data)
        if step:
            epoch += 1
        if epoch < epochs:
            yield range(epoch, epochs), _made_on_use(data)

    def restore(self) -> None:
        """Restores the last checkpoint; weights that are yet to be made get theirs when made."""
        if self._last is not None:
            self._checkpoint.restore(self._last)
            self._last = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Restores, now that Keras has reset the metrics."""
        self.restore()
        if not self._within_epoch:
            self.model.reset_metrics()
            self._step.assign(0)
        self._within_epoch = False
        self._epoch.assign(epoch)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Saves every so many steps."""
        if self._every is not None:
            self._step.assign_add(1)
            if int(self._step) % self._every == 0:
                self._manager.save()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Saves, if there is no saving within epochs."""
        if self._every is None:
            self._epoch.assign(epoch + 1)
            self._manager.save()


def _made_on_use(data: tf.data.Dataset) -> tf.data.Dataset:
    """The same data, of which an iterator is made when its first element is asked for."""
    return tf.data.Dataset.range(1).flat_map(lambda _: data)
