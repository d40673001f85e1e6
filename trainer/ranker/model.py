"""The ranker."""

from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf
import tensorflow_recommenders as tfrs

from semantic_id_ranking._compat import keep_autograph_out_of_keras
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.cross import Cross
from semantic_id_ranking.trainer.ranker.features import CANDIDATE
from semantic_id_ranking.trainer.ranker.features import CURRENT
from semantic_id_ranking.trainer.ranker.features import HISTORY
from semantic_id_ranking.trainer.ranker.features import item_features
from semantic_id_ranking.trainer.ranker.features import label_feature
from semantic_id_ranking.trainer.ranker.history_pooling import AttentionHistory
from semantic_id_ranking.trainer.ranker.history_pooling import MeanHistory
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.mixture_of_experts import MixtureOfExperts
from semantic_id_ranking.trainer.ranker.negative_sampling import sample_negatives
from semantic_id_ranking.trainer.ranker.optimizers import scale_loss
from semantic_id_ranking.trainer.ranker.optimizers import unscale_gradients
from semantic_id_ranking.trainer.ranker.representations import ItemRepresentation
from semantic_id_ranking.trainer.ranker.task_head import TaskHead
from semantic_id_ranking.trainer.ranker.task_loss import MeanLoss


class Ranker(tfrs.Model):
    """Multitask ranker over one item representation.

    The same representation sees the candidate, the current item and the history. Their vectors, the
    candidate's products with the other two, and the context go through cross layers and ReLU layers
    that the tasks share, or experts that each task mixes; each task has its head.

    Features are those of `features.item_parsing_spec` for the representation's fields and those of
    `ContextSpec`. The user's features (current item, history, context) have a leading axis of B, as
    many as candidates, or of 1: then one user ranks B candidates and the user's part is computed
    once.

    Reference: Singh et al. (arXiv 2306.08121); the cross layers are DCN-v2's (arXiv
    2008.13535).
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
            moments: Moments of the regression labels by task name.
        """
        keep_autograph_out_of_keras()
        super().__init__()
        moments = moments or {}
        self.representation = representation
        representation.expect_batches(config.batch_size)
        self._context = context
        l2 = tf.keras.regularizers.L2(config.l2)
        self._embeddings = {
            name: tf.keras.layers.Embedding(ids, config.context_dim, name=name)
            for name, ids in context.categorical.items()
        }
        # Only what multiplies matrices: a policy of all layers would round features and labels too.
        self._multiplied_dtype = tf.keras.mixed_precision.Policy(config.precision).compute_dtype
        self._crosses = [
            Cross(kernel_regularizer=l2, dtype=config.precision) for _ in range(config.cross_layers)
        ]
        pooling = {"mean": MeanHistory, "attention": AttentionHistory}
        self._pool_history = pooling[config.history_pooling]()
        widths = list(config.bottom_widths)
        widths[:1] = [round(width * representation.bottom_factor) for width in widths[:1]]
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
        self._heads = [
            TaskHead(task, config, moments.get(task.name, LabelMoments())) for task in tasks
        ]
        self._mean_loss = MeanLoss([task.weight for task in tasks])
        self._examples = tf.keras.metrics.Sum("examples")
        # Every replica returns the metrics of all.
        self.distribute_reduction_method = "first"

    def call(self, features: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Predictions.

        Args:
            features: See the class.

        Returns:
            Task name to float32 [B]: the probability of a binary task, a regression task's value in
            its label's unit.
        """
        raw = self._raw(features)
        return {head.task.name: head.prediction(raw[head.task.name]) for head in self._heads}

    def item_vectors(
        self, features: Mapping[str, tf.Tensor], training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """What the ranker makes of the items.

        Args:
            features: See the class; U, the leading axis of the user's, is B or 1.
            training: Whether this is a training step.

        Returns:
            The candidates' vectors, float32 [B, d]; the current item's, float32 [U, d]; and that of
            the history, float32 [U, d] where it is the mean of the items that there are, [B, d]
            where the candidate attends to them. Zero where there is no item.
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
        candidate, current = vectors[CANDIDATE].all(), vectors[CURRENT].all()
        index = tf.ensure_shape(tf.reshape(vectors[HISTORY].index, shape), static_shape)
        history = vectors[HISTORY]._replace(index=index)
        return candidate, current, self._pool_history(history, candidate)

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
        counts = {}
        if training:
            inputs, counts = sample_negatives(inputs, [head.task for head in self._heads])
        raw = self._raw(inputs, training)
        losses = [
            head.loss(
                inputs[label_feature(head.task)],
                raw[head.task.name],
                training,
                counts.get(head.task.name),
            )
            for head in self._heads
        ]
        self._mean_loss.update_state(losses)
        self._examples.update_state(tf.size(inputs[label_feature(self._heads[0].task)]))
        if training:
            counted = self._of_all_replicas(tf.stack([loss.count for loss in losses]))
            losses = [
                loss._replace(count=count)
                for loss, count in zip(losses, tf.unstack(counted), strict=True)
            ]
        return tf.add_n(
            [head.task.weight * loss.mean for head, loss in zip(self._heads, losses, strict=True)]
        )

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
        tables = self._tables()
        owned = {id(table) for table in tables}
        dense = [weight for weight in self.trainable_variables if id(weight) not in owned]
        gradients = tape.gradient(scaled, [dense, tables])
        gradients = unscale_gradients(gradients, optimizers)
        # Else the step that finds the data at its end counts as one, and decays the weights.
        with tf.control_dependencies([loss]):
            for optimizer, own, weights in zip(optimizers, gradients, [dense, tables], strict=True):
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

    def _tables(self) -> list[tf.Variable]:
        """The embedding tables: the items' and the categorical context's."""
        context = [layer.embeddings for layer in self._embeddings.values()]
        return [*self.representation.tables, *context]

    def _raw(
        self, features: Mapping[str, tf.Tensor], training: bool = False
    ) -> dict[str, tf.Tensor]:
        """Raw outputs [B] by task name."""
        candidate, current, history = self.item_vectors(features, training)
        inputs = [candidate, current, history, candidate * current, candidate * history]
        inputs += [_distinct(layer, features[name]) for name, layer in self._embeddings.items()]
        inputs += [features[name][:, None] for name in self._context.numeric]
        batch = tf.shape(candidate)[0]
        x0 = tf.concat([tf.broadcast_to(x, [batch, x.shape[1]]) for x in inputs], axis=1)
        x0 = tf.cast(x0, self._multiplied_dtype)
        x = x0
        for cross in self._crosses:
            x = cross(x0, x)
        for layer in self._bottom:
            x = layer(x)
        own = self._mixture(x) if self._mixture else [x] * len(self._heads)
        return {head.task.name: head(x) for head, x in zip(self._heads, own, strict=True)}


def _distinct(layer: tf.keras.layers.Embedding, ids: tf.Tensor) -> tf.Tensor:
    """Vectors [B, d] of IDs [B], each row looked up once: see `TableAdagrad`."""
    distinct, index = tf.unique(ids)
    return tf.gather(layer(distinct), index)
