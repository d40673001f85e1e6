"""Batches with full histories, for measuring speed."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from benchmarks.data_set import read_data_set
from benchmarks.ranker_data import item_tables
from benchmarks.semantic_ids import Sids
from benchmarks.semantic_ids import train_resources
from benchmarks.semantic_ids import train_sids
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.trainer.ranker.context_spec import HISTORY_LENGTH
from semantic_id_ranking.trainer.ranker.features import CANDIDATE
from semantic_id_ranking.trainer.ranker.features import CURRENT
from semantic_id_ranking.trainer.ranker.features import HISTORY
from semantic_id_ranking.trainer.ranker.representations import RepresentationConfig
from semantic_id_ranking.trainer.tokenizer.config import TokenizerConfig
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

_ITEMS = 20_000
_IMPRESSIONS = 1_000_000


@dataclasses.dataclass(frozen=True)
class RankerWorld:
    """Items with a popularity, of which impressions and histories are drawn.

    Attributes:
        ids: [N] object (bytes).
        sids: int32 [N, L].
        embeddings: float32 [N, D].
        counts: int64 [N], impressions of each item, in whose proportion items are drawn.
        space: The space of `sids`.
        codebooks: float32 [L, K, m], those of the encoder.
        history: Items in every history.
    """

    ids: np.ndarray
    sids: np.ndarray
    embeddings: np.ndarray
    counts: np.ndarray
    space: SidSpace
    codebooks: np.ndarray
    history: int

    def resources(self, config: RepresentationConfig) -> SidTokenizer:
        """Resources of a representation besides its configuration."""
        rows = config.tokenizer_rows(self.space.levels, self.space.codebook_size)
        sids = Sids(self.sids, self.space, self.codebooks)
        return train_resources(self.ids, sids, self.counts, rows, TokenizerConfig())

    def batches(self, fields: Sequence[str], batch_size: int, batches: int) -> tf.data.Dataset:
        """Training batches of random impressions.

        Args:
            fields: What a representation reads of an item.
            batch_size: Impressions in a batch.
            batches: Number of batches.
        """
        rng = np.random.default_rng(0)
        impressions = batch_size * batches
        drawn = rng.choice(
            len(self.ids), (impressions, self.history + 2), p=self.counts / self.counts.sum()
        ).astype(np.int32)
        labels = rng.integers(0, 2, impressions).astype(np.float32)
        tables = {
            field: tf.constant(values)
            for field, values in item_tables(fields, self.ids, self.sids, self.embeddings).items()
        }

        def features(items: tf.Tensor, label: tf.Tensor) -> dict[str, tf.Tensor]:
            roles = {CANDIDATE: items[:, 0], CURRENT: items[:, 1], HISTORY: items[:, 2:]}
            return {
                f"{role}_{field}": tf.gather(values, numbers)
                for role, numbers in roles.items()
                for field, values in tables.items()
            } | {HISTORY_LENGTH: tf.zeros_like(label), "label_click": label}

        return tf.data.Dataset.from_tensor_slices((drawn, labels)).batch(batch_size).map(features)


def synthetic_world(levels: int, codebook_size: int, history: int) -> RankerWorld:
    """20,000 items whose popularity and codes follow power laws.

    Args:
        levels: L.
        codebook_size: K.
        history: Items in every history.
    """
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, _ITEMS + 1)
    counts = rng.multinomial(_IMPRESSIONS, share / share.sum())
    # Code k of a level is as frequent as the square root of the k-th power-law share.
    code_share = 1 / np.sqrt(np.arange(1, codebook_size + 1))
    sids = rng.choice(codebook_size, (_ITEMS, levels), p=code_share / code_share.sum())
    return RankerWorld(
        ids=np.array([b"item%d" % i for i in range(_ITEMS)], object),
        sids=sids.astype(np.int32),
        embeddings=rng.normal(size=(_ITEMS, 64)).astype(np.float32),
        counts=counts,
        space=SidSpace("synthetic", levels, codebook_size, 64),
        codebooks=rng.normal(size=(levels, codebook_size, 64)).astype(np.float32),
        history=history,
    )


def data_world(directory: str, config_path: str | None, history: int) -> RankerWorld:
    """The items of a data set, as popular as they are there.

    Args:
        directory: Folder of the data set.
        config_path: YAML file of its configuration; None takes the defaults.
        history: Items in every history.
    """
    config = load_config(config_path)
    data = read_data_set(directory, config)
    items = data.items
    sids = train_sids(items.ids, items.embeddings, data.training_items, config.rqvae)
    return RankerWorld(
        items.ids,
        sids.sids,
        items.embeddings,
        data.item_counts(),
        sids.space,
        sids.codebooks,
        history,
    )
