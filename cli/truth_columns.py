"""Columns of a `truth.parquet`."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.evaluation.predictions import item_digests
from semantic_id_ranking.evaluation.predictions import user_digests
from semantic_id_ranking.inputs import uses
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.pipeline.input_config import ColumnsConfig

_BATCH_ROWS = 1 << 16


def read_truth(
    truth: DataSet, columns: ColumnsConfig, labels: Mapping[str, str], since: int
) -> dict[str, np.ndarray]:
    """Reads what is expected of the labels of later impressions.

    Args:
        truth: The files.
        columns: Names of the columns of user, item and time, as in the impressions.
        labels: Task -> column.
        since: Impressions before it are left out; microseconds since 1970.

    Returns:
        `user`, `item` and `time`, as in predictions, and float64 of each task under its name.

    Raises:
        InputError: A column is missing or of a wrong type, or the data are damaged.
    """
    wanted = {
        "user": (columns.user_id, uses.IDS),
        "item": (columns.item_id, uses.IDS),
        "time": (columns.timestamp, uses.TIMES),
        **{task: (column, uses.NUMBERS) for task, column in labels.items()},
    }
    for column, use in wanted.values():
        truth.require(column, use, "of the truth")
    parts: dict[str, list[np.ndarray]] = {name: [] for name in wanted}
    for block in truth.blocks(truth.rows):
        for _, _, batch in block.read(wanted, _BATCH_ROWS):
            later = batch.filter(pc.fill_null(pc.greater_equal(batch.column("time"), since), False))
            parts["user"].append(user_digests(_bytes(later.column("user")), 0, 0)[0])
            parts["item"].append(item_digests(_bytes(later.column("item"))))
            for name in ("time", *labels):
                parts[name].append(later.column(name).to_numpy(zero_copy_only=False))
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _bytes(column: pa.Array) -> np.ndarray:
    """Object [n], bytes; empty for a null."""
    return np.array([value or b"" for value in column.to_pylist()], object)
