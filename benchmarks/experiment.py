"""Rankers on a data set, without TFX: training on one period, predictions for the next."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from benchmarks.data_set import DataSet
from benchmarks.joined import join
from benchmarks.ranker_data import item_tables
from benchmarks.ranker_data import RankerData
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.features import label_feature
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.representations import RepresentationConfig
from semantic_id_ranking.trainer.ranker.train import train
from semantic_id_ranking.trainer.ranker.train import Training
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

_PREDICT_BATCH = 8192


class Experiment:
    """A data set, joined once, on which rankers of many kinds are trained by the pipeline's code.

    Attributes:
        data: The data set.
        joined: Its impressions with histories.
        ranker_data: Their batches.
        train_rows: int64 [R], the impressions of the training period.
        evaluation_rows: int64 [E], those of the evaluation period.
    """

    def __init__(self, data: DataSet):
        """Joins.

        Args:
            data: The data set.
        """
        self.data = data
        self.joined = join(data)
        self.ranker_data = RankerData.create(self.joined, data.config.context)
        self.train_rows = np.flatnonzero(~data.impressions.evaluation)
        self.evaluation_rows = np.flatnonzero(data.impressions.evaluation)

    def train(
        self,
        sids: np.ndarray,
        resources: SidTokenizer,
        representation_config: RepresentationConfig,
        config: RankerConfig,
    ) -> "TrainedRanker":
        """Trains a ranker on the training period.

        Args:
            sids: int32 [N, L], Semantic IDs of the items.
            resources: Their space, and what else the representation needs.
            representation_config: How the ranker sees an item.
            config: The network and its training.

        Raises:
            ValueError: The representation cannot be made of this configuration and resources.
        """
        representation = representation_config.create(config.embedding_dim, resources)
        items, tasks = self.data.items, self.data.config.tasks
        tables = item_tables(representation.fields, items.ids, sids, items.embeddings)
        labels = {label_feature(task): task.name for task in tasks}
        training = train(
            self.ranker_data.batches(
                self.train_rows, tables, labels, config.batch_size, config.seed
            ),
            representation,
            self.ranker_data.context,
            tasks,
            config,
            LabelMoments.measure(
                self.ranker_data.batches(self.train_rows, {}, labels, _PREDICT_BATCH), tasks
            ),
        )
        return TrainedRanker(self, training, tables)


@dataclasses.dataclass(frozen=True)
class TrainedRanker:
    """A ranker of an experiment.

    Attributes:
        experiment: Where it was trained.
        training: The model and the metrics of its training.
        tables: Field of its representation to the items' values [N + 1, ...].
    """

    experiment: Experiment
    training: Training
    tables: Mapping[str, np.ndarray]

    def predict(self, candidate: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Predictions for the evaluation period.

        Args:
            candidate: int32 [M], other candidates than the impressions' own.

        Returns:
            Task name to float32 [E], in the order of `Experiment.evaluation_rows`.
        """
        batches = self.experiment.ranker_data.batches(
            self.experiment.evaluation_rows, self.tables, {}, _PREDICT_BATCH, candidate=candidate
        )
        return self.training.model.predict(batches, verbose=0)

    def lookups(self) -> np.ndarray:
        """Table rows that each item takes, int32 [N]."""
        items = {field: values[:-1] for field, values in self.tables.items()}
        batches = tf.data.Dataset.from_tensor_slices(items).batch(_PREDICT_BATCH)
        representation = self.training.model.representation
        return np.concatenate([representation.lookups(batch).numpy() for batch in batches])

    @property
    def table_rows(self) -> int:
        """Rows of the item tables."""
        return self.training.model.representation.table_rows
