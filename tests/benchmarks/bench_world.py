"""Small data sets as the benchmarks read them, without files."""

import numpy as np

from benchmarks.data_set import DataSet
from benchmarks.data_set import Impressions
from benchmarks.data_set import Items
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.load_config import load_config

HOUR = 3_600_000_000
DAY = 24 * HOUR

#: Small enough for a training of seconds.
SMALL = (
    "rqvae={levels: 2, codebook_size: 8, epochs: 2, batch_size: 64, kmeans_mixtures: 100}",
    "ranker={embedding_dim: 8, bottom_widths: [16], head_widths: [8], epochs: 2, batch_size: 128}",
)


def config(*overrides: str) -> Config:
    return load_config(overrides=[*SMALL, *overrides])


def items(count: int, created_at: np.ndarray | None = None, seed: int = 0) -> Items:
    embeddings = np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32)
    created = np.zeros(count, np.int64) if created_at is None else created_at
    return Items(np.array([b"item%d" % i for i in range(count)], object), embeddings, created)


def data_set(
    items: Items,
    user: np.ndarray,
    item: np.ndarray,
    timestamp: np.ndarray,
    click: np.ndarray,
    evaluation_start: int,
    config: Config,
    current: np.ndarray | None = None,
    context: dict[str, np.ndarray] | None = None,
) -> DataSet:
    timestamp = np.asarray(timestamp, np.int64)
    impressions = Impressions(
        user=np.asarray(user, np.int64),
        item=np.asarray(item, np.int64),
        current=np.full(len(timestamp), -1) if current is None else np.asarray(current, np.int64),
        timestamp=timestamp,
        evaluation=timestamp >= evaluation_start,
        labels={"click": np.asarray(click, np.float32)},
        context=context or {},
    )
    return DataSet("world", items, impressions, evaluation_start, config)


def random_data_set(
    config: Config, users: int = 12, item_count: int = 40, count: int = 400, seed: int = 0
) -> DataSet:
    """Thirty days, the last three of which evaluate; times tie."""
    rng = np.random.default_rng(seed)
    created = rng.integers(0, 30, item_count) * DAY
    time = rng.integers(0, 30 * 24, count) * HOUR
    return data_set(
        items(item_count, created),
        rng.integers(0, users, count),
        rng.integers(0, item_count, count),
        time,
        rng.integers(0, 2, count),
        27 * DAY,
        config,
        rng.integers(-1, item_count, count),
    )
