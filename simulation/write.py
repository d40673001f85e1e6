"""Files of a simulated data set, written a block of items or a part of a day at a time."""

import datetime
import os
import tempfile
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from semantic_id_ranking.simulation.items import BLOCK
from semantic_id_ranking.simulation.simulation_config import SimulationConfig
from semantic_id_ranking.simulation.topic_tree import path_of
from semantic_id_ranking.simulation.world import Impressions
from semantic_id_ranking.simulation.world import World

_TIME = pa.timestamp("us", tz="UTC")
_EVENT = [("user_id", pa.string()), ("item_id", pa.string()), ("timestamp", _TIME)]
_ITEMS = pa.schema(
    [
        ("item_id", pa.string()),
        ("title", pa.string()),
        ("created_at", _TIME),
        ("embedding", pa.list_(pa.float32())),
    ]
)
_LABELS = {"click": pa.int8(), "like": pa.int8(), "watch_seconds": pa.float32()}
_IMPRESSIONS = pa.schema([*_EVENT, ("hour", pa.int8()), *_LABELS.items()])
_TRUTH = pa.schema([*_EVENT, *((label, pa.float32()) for label in _LABELS)])


def write(config: SimulationConfig, folder: str) -> dict[str, Any]:
    """Writes `items.parquet`, `impressions.parquet` and `truth.parquet`.

    A row group holds up to 8,192 items, or 65,536 impressions of a day: memory grows with the users
    and the items, not with the impressions. The truth has a row an impression, in the same order:
    its user, item and time, and under the name of each label what is expected of it. Earlier files
    stay until all three are complete.

    Args:
        config: What is simulated.
        folder: Where they go; made if need be.

    Returns:
        `items`, `impressions`; `first_day` and `last_day`, such as "2024-01-01"; `new_impressions`,
        those of items that appeared on the same day or the day before; `means`, the mean of each
        label.
    """
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder) as partial:
        found = _write_into(config, partial)
        for name in os.listdir(partial):
            os.replace(os.path.join(partial, name), os.path.join(folder, name))
    return found


def _write_into(config: SimulationConfig, folder: str) -> dict[str, Any]:
    world = World(config)
    new_impressions, sums = 0, dict.fromkeys(_LABELS, 0.0)
    with (
        pq.ParquetWriter(os.path.join(folder, "items.parquet"), _ITEMS) as items,
        pq.ParquetWriter(os.path.join(folder, "impressions.parquet"), _IMPRESSIONS) as impressions,
        pq.ParquetWriter(os.path.join(folder, "truth.parquet"), _TRUTH) as truth,
    ):
        for block in range(-(-len(world.items.leaf) // BLOCK)):
            items.write_table(_item_table(world, block))
        for number in range(config.first_day, config.end):
            is_new = world.items.is_new(number)
            for part in world.day(number):
                event = _event(part)
                columns = event | {"hour": part.hour} | part.labels
                impressions.write_table(_table(columns, _IMPRESSIONS))
                truth.write_table(_table(event | part.truth.expected, _TRUTH))
                new_impressions += int(is_new[part.item].sum())
                for label, values in part.labels.items():
                    sums[label] += float(values.sum(dtype=np.float64))
    count = config.days * config.impressions
    return {
        "items": len(world.items.leaf),
        "impressions": count,
        "first_day": _date(config.first_day),
        "last_day": _date(config.end - 1),
        "new_impressions": new_impressions,
        "means": {label: total / count for label, total in sums.items()},
    }


def _ids(prefix: str, numbers: np.ndarray) -> np.ndarray:
    """Object [n], such as "item12"."""
    return np.char.add(prefix, numbers.astype(str)).astype(object)


def _event(part: Impressions) -> dict[str, Any]:
    return {
        "user_id": _ids("user", part.user),
        "item_id": _ids("item", part.item),
        "timestamp": part.time,
    }


def _item_table(world: World, block: int) -> pa.Table:
    embeddings = world.embeddings(block)
    numbers = block * BLOCK + np.arange(len(embeddings))
    columns = {
        "item_id": _ids("item", numbers),
        "title": [
            f"topic {path_of(leaf)}, item {number}"
            for number, leaf in zip(numbers, world.items.leaf[numbers].tolist(), strict=True)
        ],
        "created_at": world.items.created[numbers],
        "embedding": list(embeddings),
    }
    return _table(columns, _ITEMS)


def _table(columns: dict[str, Any], schema: pa.Schema) -> pa.Table:
    arrays = (pa.array(columns[field.name], field.type) for field in schema)
    return pa.Table.from_arrays(list(arrays), schema=schema)


def _date(day: int) -> str:
    return (datetime.date(2024, 1, 1) + datetime.timedelta(days=day)).isoformat()
