"""Distribution strategies of a training."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import tensorflow as tf

_TO_THE_END = {"steps_per_epoch": -1, "validation_steps": -1}


class Distribution:
    """Spreads a training over devices, as `RankerConfig.distribution` says.

    `mirrored` and `multi_worker_mirrored` take the steps of a single process: all replicas together
    work on one batch of `batch_size`, and the gradients are added up. Under `parameter_server`
    every worker takes steps of its own on batches of `batch_size`, and the weights change under its
    hands.

    Make it before anything else of TensorFlow runs: the workers of a cluster have to be known from
    the start.

    Attributes:
        strategy: TensorFlow's strategy.
        is_chief: Whether this process writes the results.
    """

    def __init__(
        self, name: Literal["none", "mirrored", "multi_worker_mirrored", "parameter_server"]
    ):
        """Joins the cluster of the environment variable TF_CONFIG, if there is to be one.

        In a worker or a parameter server of `parameter_server` it serves the chief and never
        returns.

        Args:
            name: The kind.

        Raises:
            ValueError: TF_CONFIG describes no cluster, but there is to be one.
        """
        self._index, self._processes, self._replicas = 0, 1, 1
        if name == "none":
            self.strategy = tf.distribute.get_strategy()
        elif name == "mirrored":
            self.strategy = tf.distribute.MirroredStrategy()
        else:
            resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
            cluster = resolver.cluster_spec().as_dict()
            if "worker" not in cluster:
                raise ValueError(
                    f"distribution {name} finds no workers; describe the cluster in TF_CONFIG"
                )
            if name == "multi_worker_mirrored":
                self.strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
                chiefs = len(cluster.get("chief", []))
                self._processes = chiefs + len(cluster["worker"])
                self._index = resolver.task_id + chiefs * (resolver.task_type == "worker")
                self._replicas = self.strategy.num_replicas_in_sync // self._processes
            else:
                self._processes = len(cluster["worker"])
                self.strategy = _parameter_server(resolver)
        self.is_chief = self._index == 0

    @property
    def asynchronous(self) -> bool:
        """Whether every worker takes steps of its own."""
        return isinstance(self.strategy, tf.distribute.ParameterServerStrategy)

    def split(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        """Takes this process's part of every batch.

        All processes read all batches, in the same order; with n replicas in all, each replica
        takes every n-th example of a batch. Applied to serialized examples, it spares a process the
        parsing of the others'.

        Args:
            batches: Tensors with one leading axis, of the global batch size.

        Returns:
            Batches for one replica after the other of this process; the same if it is the only one.
        """
        if self._processes == 1 or self.asynchronous:
            return batches
        first, total = self._index * self._replicas, self._processes * self._replicas

        def parts(batch: object) -> tf.data.Dataset:
            mine = tf.data.Dataset.range(first, first + self._replicas)
            return mine.map(lambda i: tf.nest.map_structure(lambda x: x[i::total], batch))

        return batches.flat_map(parts)

    def fit(
        self,
        model: tf.keras.Model,
        data: tf.data.Dataset,
        eval_data: tf.data.Dataset | None,
        epochs: range,
        callbacks: Sequence[tf.keras.callbacks.Callback],
    ) -> dict[str, float]:
        """Trains.

        Args:
            model: Made and compiled in the scope of the strategy.
            data: An epoch of batches, as `split` gives them.
            eval_data: Batches of the same kind, evaluated after every epoch.
            epochs: Which ones.
            callbacks: Keras's.

        Returns:
            The last epoch's metrics, those of the evaluation with the prefix "val_".
        """
        if self.asynchronous:
            return self._fit_asynchronously(model, data, eval_data, epochs, callbacks)
        spans, options = [epochs], {}
        if self._processes > 1:
            # Keras does not start a distributed data set again, and has to be told that nobody
            # knows where it ends. A data set of one process is started once more than it is read.
            spans, options = [range(epoch, epoch + 1) for epoch in epochs], _TO_THE_END
            iter(data)
        for span in spans:
            history = model.fit(
                self._distributed(data),
                initial_epoch=span.start,
                epochs=span.stop,
                validation_data=self._distributed(eval_data),
                callbacks=list(callbacks),
                verbose=0,
                **options,
            ).history
        return {name: float(values[-1]) for name, values in history.items()}

    def _fit_asynchronously(
        self,
        model: tf.keras.Model,
        data: tf.data.Dataset,
        eval_data: tf.data.Dataset | None,
        epochs: range,
        callbacks: Sequence[tf.keras.callbacks.Callback],
    ) -> dict[str, float]:
        """Trains as `fit`, where an epoch is as many steps of all workers as there are batches.

        Each worker goes round its own part of the batches.
        """
        steps = int(data.reduce(np.int64(0), lambda count, _: count + 1))
        graph = tf.raw_ops.DatasetToGraphV2(
            input_dataset=tf.data.experimental.to_variant(data), strip_device_assignment=True
        )

        def worker_batches(context: tf.distribute.InputContext) -> tf.data.Dataset:
            del context
            batches = tf.data.experimental.from_variant(
                tf.raw_ops.DatasetFromGraph(graph_def=graph), data.element_spec
            )
            worker = tf.distribute.coordinator.experimental_get_current_worker_index()
            return batches.shard(self._processes, tf.cast(worker, tf.int64)).repeat()

        history = model.fit(
            tf.keras.utils.experimental.DatasetCreator(worker_batches),
            initial_epoch=epochs.start,
            epochs=epochs.stop,
            steps_per_epoch=steps,
            callbacks=list(callbacks),
            verbose=0,
        ).history
        logs = {name: float(values[-1]) for name, values in history.items()}
        if eval_data is not None:
            logs |= {f"val_{k}": v for k, v in self.evaluate(model, eval_data).items()}
        return logs

    def evaluate(self, model: tf.keras.Model, data: tf.data.Dataset) -> dict[str, float]:
        """Evaluates.

        Args:
            model: As for `fit`.
            data: Batches, as `split` gives them.

        Returns:
            The metrics.
        """
        if self.asynchronous:
            # Here, on the chief: a worker that dies could be evaluated twice.
            model.reset_metrics()
            step = tf.function(model.test_step)
            for batch in data:
                logs = step(batch)
            return {name: float(value) for name, value in logs.items()}
        steps = -1 if self._processes > 1 else None
        return model.evaluate(self._distributed(data), steps=steps, verbose=0, return_dict=True)

    def _distributed(self, batches: tf.data.Dataset | None) -> object:
        if batches is None or self._processes == 1:
            return batches
        return self.strategy.distribute_datasets_from_function(lambda context: batches)


def _parameter_server(
    resolver: tf.distribute.cluster_resolver.ClusterResolver,
) -> tf.distribute.Strategy:
    """The chief's strategy; serves it in any other process."""
    if resolver.task_type in ("worker", "ps"):
        server = tf.distribute.Server(
            resolver.cluster_spec(),
            job_name=resolver.task_type,
            task_index=resolver.task_id,
            protocol="grpc",
            start=True,
        )
        server.join()
    return tf.distribute.ParameterServerStrategy(resolver)
