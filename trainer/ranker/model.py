"""The ranker."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf
import tensorflow_recommenders as tfrs

from semantic_id_ranking._compat import keep_autograph_out_of_keras
from semantic_id_ranking.contracts.feature_names import history_label
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.features import CANDIDATE
from semantic_id_ranking.trainer.ranker.features import CURRENT
from semantic_id_ranking.trainer.ranker.features import HISTORY
from semantic_id_ranking.trainer.ranker.features import item_features
from semantic_id_ranking.trainer.ranker.features import label_feature
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.negative_sampling import sample_negatives
from semantic_id_ranking.trainer.ranker.network_factory import network_factory
from semantic_id_ranking.trainer.ranker.optimizers import scale_loss
from semantic_id_ranking.trainer.ranker.optimizers import unscale_gradients
from semantic_id_ranking.trainer.ranker.ranker_inputs import GroupedInputs
from semantic_id_ranking.trainer.ranker.ranker_inputs import HistoryLabels
from semantic_id_ranking.trainer.ranker.ranker_inputs import RankerInputs
from semantic_id_ranking.trainer.ranker.representations.item_representation import (
    ItemRepresentation,
)
from semantic_id_ranking.trainer.ranker.representations.item_representation import ItemVectors
from semantic_id_ranking.trainer.ranker.shared_codes import shared_codes
from semantic_id_ranking.trainer.ranker.task_loss import MeanLoss
from semantic_id_ranking.trainer.ranker.task_objective import TaskObjective


class Ranker(tfrs.Model):
    """Multitask ranker over one item representation.

    The same representation sees the candidate, the current item and the history. A network makes
    each task's raw output of their vectors and of the context: `RankerConfig.model`, or
    `CrossNetwork`. Loss, metrics and the unit of what is served are `TaskObjective`'s.

    Features are those of `features.item_parsing_spec` for the representation's fields, those of
    `ContextSpec` and, of every task or of none, `history_label(task)`. The user's features (current
    item, history, context) have a leading axis of B, as many as candidates, or of 1: then one user
    ranks B candidates and the user's part is computed once.

    Reference: Singh et al. (arXiv 2306.08121).
    """

    def __init__(
        self,
        representation: ItemRepresentation,
        context: ContextSpec,
        tasks: Sequence[TaskConfig],
        config: RankerConfig,
        moments: Mapping[str, LabelMoments] | None = None,
    ):
        """Creates the layers.

        Args:
            representation: How an item becomes a vector.
            context: The context features.
            tasks: What to predict.
            config: The network.
            moments: Moments of labels by task name.
        """
        keep_autograph_out_of_keras()
        super().__init__()
        moments = moments or {}
        self.representation = representation
        representation.expect_batches(config.batch_size)
        self._context = context
        self._embeddings = {
            name: tf.keras.layers.Embedding(ids, config.context_dim, name=name)
            for name, ids in context.categorical.items()
        }
        widths = list(config.bottom_widths)
        widths[:1] = [round(width * representation.bottom_factor) for width in widths[:1]]
        widened = dataclasses.replace(config, bottom_widths=tuple(widths))
        self.network = network_factory(config.model)(widened, tasks)
        by_task = {task.name: moments.get(task.name, LabelMoments()) for task in tasks}
        self._moments = by_task
        self._objectives = [TaskObjective(task, by_task[task.name]) for task in tasks]
        self._mean_loss = MeanLoss([task.weight for task in tasks])
        self._examples = tf.keras.metrics.Sum("examples")
        # Every replica returns the metrics of all.
        self.distribute_reduction_method = "first"

    def call(
        self, features: Mapping[str, tf.Tensor], grouped: bool = False
    ) -> dict[str, tf.Tensor]:
        """Predictions.

        Args:
            features: See the class.
            grouped: Whether the user's leading axis is that of U users with B / U candidates each,
                side by side.

        Returns:
            Task name to float32 [B]: the probability of a binary task, a regression task's value in
            its label's unit.
        """
        raw = self._raw(features, grouped=grouped)
        return {one.task.name: one.prediction(raw[one.task.name]) for one in self._objectives}

    def network_inputs(
        self, features: Mapping[str, tf.Tensor], training: bool = False, grouped: bool = False
    ) -> RankerInputs:
        """The inputs of the network.

        Args:
            features: See the class.
            training: Whether this is a training step.
            grouped: As for `call`.

        Returns:
            Vectors of the items and of the context; U, the leading axis of the user's, is that of
            the features.
        """
        fields = self.representation.fields
        roles = {
            role: item_features(features, role, fields) for role in (CANDIDATE, CURRENT, HISTORY)
        }
        of_history = roles[HISTORY][fields[0]]
        shape, static_shape = tf.shape(of_history)[:2], of_history.shape[:2]
        roles[HISTORY] = {
            field: tf.reshape(values, [-1, *values.shape[2:]])
            for field, values in roles[HISTORY].items()
        }
        vectors = self.representation.by_role(roles, training)
        index = tf.ensure_shape(tf.reshape(vectors[HISTORY].index, shape), static_shape)
        candidate, history = vectors[CANDIDATE].all(), vectors[HISTORY]._replace(index=index)
        if "sid" in fields:
            sid, past = features[f"{CANDIDATE}_sid"], features[f"{HISTORY}_sid"]
            shared = shared_codes(sid, past, history.present, grouped)
        else:
            shared = tf.zeros([tf.shape(candidate)[0], shape[1]])
        kind = GroupedInputs if grouped else RankerInputs
        return kind(
            candidate=candidate,
            current=vectors[CURRENT].all(),
            history=history,
            history_labels=self._history_labels(features, history),
            shared_codes=shared,
            context={
                **{name: _distinct(one, features[name]) for name, one in self._embeddings.items()},
                **{name: features[name][:, None] for name in self._context.numeric},
                **{name: features[name] for name in self._context.counters},
            },
        )

    def _history_labels(
        self, features: Mapping[str, tf.Tensor], history: ItemVectors
    ) -> HistoryLabels:
        if any(history_label(task) not in features for task in self._moments):
            none = tf.zeros([*tf.unstack(tf.shape(history.index)), 0])
            return HistoryLabels(none, none > 0)
        scores = [
            (features[history_label(task)] - one.mean) / one.std
            for task, one in self._moments.items()
        ]
        values = tf.stack(scores, axis=2)
        known = tf.math.is_finite(values)
        return HistoryLabels(tf.where(known, values, 0.0), known)

    def compute_loss(self, inputs: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Weighted sum of the tasks' mean losses over the batch, each over what counts for it.

        Replicas of a training step share a batch and may have different numbers of impressions that
        count, and none at all: each returns what its own add, and the optimizers add up the
        gradients.

        Args:
            inputs: The features and `label_<task>` float32 [B], NaN where there is none.
            training: Whether this is a training step: metrics are updated in evaluation only,
                negatives are sampled in training only.

        Returns:
            float32 scalar.
        """
        counts: dict[str, tf.Tensor] = {}
        if training:
            inputs, counts = sample_negatives(inputs, [one.task for one in self._objectives])
        raw = self._raw(inputs, training)
        losses = [
            one.loss(
                inputs[label_feature(one.task)],
                raw[one.task.name],
                training,
                counts.get(one.task.name),
            )
            for one in self._objectives
        ]
        self._mean_loss.update_state(losses)
        self._examples.update_state(tf.size(inputs[label_feature(self._objectives[0].task)]))
        if training:
            counted = self._of_all_replicas(tf.stack([loss.count for loss in losses]))
            losses = [
                loss._replace(count=count)
                for loss, count in zip(losses, tf.unstack(counted), strict=True)
            ]
        weights = [one.task.weight for one in self._objectives]
        return tf.add_n([w * loss.mean for w, loss in zip(weights, losses, strict=True)])

    def compile(
        self,
        optimizer: tf.keras.optimizers.Optimizer,
        table_optimizer: tf.keras.optimizers.Optimizer,
        **kwargs: object,
    ) -> None:
        """Sets the optimizers.

        Args:
            optimizer: Trains the dense layers.
            table_optimizer: Trains the embedding tables, of which a step touches a few rows.
            **kwargs: Passed to Keras.
        """
        super().compile(optimizer=optimizer, **kwargs)
        self.table_optimizer = table_optimizer

    @property
    def context_tables(self) -> dict[str, tf.Variable]:
        """The embedding tables of the categorical context, by feature."""
        return {name: layer.embeddings for name, layer in self._embeddings.items()}

    def weights_by_optimizer(self) -> tuple[list[tf.Variable], list[tf.Variable]]:
        """The weights that `optimizer` trains, and the tables, which `table_optimizer` trains."""
        tables = [*self.representation.tables, *self.context_tables.values()]
        owned = {id(table) for table in tables}
        dense = [weight for weight in self.trainable_variables if id(weight) not in owned]
        return dense, tables

    def train_step(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One step of both optimizers.

        Args:
            inputs: A batch, as for `compute_loss`.

        Returns:
            `loss`, the mean over the epoch's examples so far, without regularisation, and
            `examples`, their number.
        """
        optimizers = [self.optimizer, self.table_optimizer]
        with tf.GradientTape() as tape:
            loss = self.compute_loss(inputs, training=True)
            replicas = self.distribute_strategy.num_replicas_in_sync
            total = tf.add_n([loss, *(one / replicas for one in self.losses)])
            scaled = scale_loss(total, optimizers)
        trained = self.weights_by_optimizer()
        gradients = tape.gradient(scaled, trained)
        gradients = unscale_gradients(gradients, optimizers)
        # Else the step that finds the data at its end counts as one, and decays the weights.
        with tf.control_dependencies([loss]):
            for optimizer, own, weights in zip(optimizers, gradients, trained, strict=True):
                if weights:
                    optimizer.apply_gradients(zip(own, weights, strict=True))
        return {"loss": self._mean_loss.result(), "examples": self._examples.result()}

    def test_step(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Evaluates one batch.

        Args:
            inputs: A batch, as for `compute_loss`.

        Returns:
            `loss`, `examples` and a metric a task, over the examples so far.
        """
        self.compute_loss(inputs, training=False)
        return {metric.name: metric.result() for metric in self.metrics}

    def _of_all_replicas(self, counts: tf.Tensor) -> tf.Tensor:
        """Numbers of this replica, added up over all."""
        if self.distribute_strategy.num_replicas_in_sync == 1:
            return counts
        replica = tf.distribute.get_replica_context()
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, counts)

    def _raw(
        self, features: Mapping[str, tf.Tensor], training: bool = False, grouped: bool = False
    ) -> dict[str, tf.Tensor]:
        """Raw outputs [B] by task name."""
        inputs = self.network_inputs(features, training, grouped)
        if grouped and not getattr(self.network, "takes_groups", False):
            inputs = inputs.broadcast()
        return self.network(inputs, training=training)


def _distinct(layer: tf.keras.layers.Embedding, ids: tf.Tensor) -> tf.Tensor:
    """Vectors [B, d] of IDs [B], each row looked up once: see `TableAdagrad`."""
    distinct, index = tf.unique(ids)
    return tf.gather(layer(distinct), index)
