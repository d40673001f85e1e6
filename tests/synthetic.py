"""A small world in the input contract, in which embeddings tell the topics that users like."""

import datetime
import pathlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

START = datetime.datetime(2024, 3, 1, tzinfo=datetime.timezone.utc)
DAYS = 30
TOPICS = 4
DIM = 12


def items(count: int = 480, seed: int = 0) -> pd.DataFrame:
    """Items of four topics; two thirds are there from the start, the others appear in time."""
    rng = np.random.default_rng(seed)
    topic = rng.integers(0, TOPICS, count)
    centres = rng.normal(size=(TOPICS, DIM))
    embeddings = centres[topic] + 0.3 * rng.normal(size=(count, DIM))
    appeared = np.where(rng.random(count) < 0.66, 0.0, rng.uniform(0, DAYS - 0.5, count))
    return pd.DataFrame(
        {
            "item_id": [f"item{i}" for i in range(count)],
            "title": [f"Thing {i} of topic {t}" for i, t in enumerate(topic)],
            "created_at": [START + datetime.timedelta(days=float(day)) for day in appeared],
            "embedding": list(embeddings.astype(np.float32)),
            "topic": topic,
        }
    )


def impressions(
    catalogue: pd.DataFrame, count: int = 6000, users: int = 80, seed: int = 1
) -> pd.DataFrame:
    """Impressions of items that exist by then; users click what is of their topic."""
    rng = np.random.default_rng(seed)
    taste = rng.integers(0, TOPICS, users)
    created = np.array([(t - START).total_seconds() for t in catalogue["created_at"]])
    times = np.sort(rng.uniform(60, DAYS * 86_400, count))
    user = rng.integers(0, users, count)
    item = np.array([rng.choice(np.flatnonzero(created <= t)) for t in times])
    topic = catalogue["topic"].to_numpy()
    likes = topic[item] == taste[user]
    click = (rng.random(count) < np.where(likes, 0.8, 0.05)).astype(np.int8)
    current = np.array([f"item{i}" for i in rng.permutation(item)], object)
    current[rng.random(count) < 0.3] = None
    return pd.DataFrame(
        {
            "user_id": [f"user{u}" for u in user],
            "item_id": [f"item{i}" for i in item],
            "timestamp": [START + datetime.timedelta(seconds=float(t)) for t in times],
            "click": click,
            "watch_seconds": (click * rng.gamma(2.0, 20.0, count)).astype(np.float32),
            "current_item_id": current,
            "tab": rng.choice(["home", "search", "next"], count),
            "hour": (times / 3600 % 24).astype(np.float32),
        }
    )


def write(frame: pd.DataFrame, path: pathlib.Path | str) -> str:
    """Writes a frame as Parquet with embeddings as list<float>; returns the path."""
    frame = frame.drop(columns=["topic"], errors="ignore")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if "embedding" in frame:
        column = pa.array([list(e) for e in frame["embedding"]], pa.list_(pa.float32()))
        table = table.set_column(table.schema.get_field_index("embedding"), "embedding", column)
    pq.write_table(table, path)
    return str(path)


def write_small(folder: pathlib.Path) -> pathlib.Path:
    """Writes twelve items and 200 impressions of them; returns the folder."""
    catalogue = items(12)
    write(catalogue, folder / "items.parquet")
    write(impressions(catalogue, 200, 5), folder / "impressions.parquet")
    return folder
