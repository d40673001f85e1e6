"""Parquet table of predictions."""

import glob
import os
from collections.abc import Iterator
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from semantic_id_ranking.evaluation import predictions as columns
from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.predictions import Predictions
from semantic_id_ranking.evaluation.slices import ALL

_TIME = pa.timestamp("us", tz="UTC")


def schema(spec: EvaluationSpec) -> pa.Schema:
    """Columns of a table; `artifacts.Predictions` documents them."""
    return pa.schema(
        [("user_id", pa.string()), ("item_id", pa.string()), ("timestamp", _TIME)]
        + [(f"slice_{name}", pa.bool_()) for name in spec.slices if name != ALL]
        + [(f"{kind}_{task}", pa.float32()) for task in spec.tasks for kind in ("label", "weight")]
        + [(f"score_{model}_{task}", pa.float32()) for model in spec.models for task in spec.tasks]
    )


def to_table(rows: Mapping[str, np.ndarray], spec: EvaluationSpec) -> pa.Table:
    """A table of some impressions.

    Args:
        rows: The table's columns: `user_id` (bytes, empty where there is no user), `item_id`
            (bytes) and `timestamp` (int64, microseconds since 1970), the others as they are.
        spec: What is evaluated.
    """
    table_schema = schema(spec)
    user_id = pa.array(rows["user_id"], pa.binary(), mask=rows["user_id"] == b"")
    decoded = {
        "user_id": user_id.cast(pa.string()),
        "item_id": pa.array(rows["item_id"], pa.binary()).cast(pa.string()),
        "timestamp": pa.array(rows["timestamp"], pa.int64()).cast(_TIME),
    }
    return pa.Table.from_arrays(
        [
            decoded[field.name] if field.name in decoded else pa.array(rows[field.name], field.type)
            for field in table_schema
        ],
        schema=table_schema,
    )


def to_columns(
    rows: Mapping[str, np.ndarray], spec: EvaluationSpec, file: int, first: int
) -> Predictions:
    """The same impressions as metrics are computed from.

    Args:
        rows: As for `to_table`.
        spec: What is evaluated.
        file: Number of the table's file.
        first: Index in the file of the first impression.
    """
    user, has_user = columns.user_digests(rows["user_id"], file, first)
    found = {
        "user": user,
        "has_user": has_user,
        "item": columns.item_digests(rows["item_id"]),
        "time": rows["timestamp"],
    }
    for name in spec.slices:
        if name != ALL:
            found[columns.slice_column(name)] = rows[f"slice_{name}"]
    for task in spec.tasks:
        labels = np.where(rows[f"weight_{task}"] > 0, rows[f"label_{task}"], np.float32(np.nan))
        found[columns.label_column(task)] = labels
        for model in spec.models:
            found[columns.score_column(model, task)] = rows[f"score_{model}_{task}"]
    return found


def read_predictions(directory: str, spec: EvaluationSpec) -> Iterator[Predictions]:
    """Reads a table, file by file, as metrics are computed from it.

    Args:
        directory: Of the artifact.
        spec: What was evaluated, or less.
    """
    paths = sorted(glob.glob(os.path.join(glob.escape(directory), "*.parquet")))
    for file, path in enumerate(paths):
        # Not ParquetFile.read, which fails on some columns of a file without rows.
        table = pq.read_table(path, columns=schema(spec).names, partitioning=None)
        rows = {name: table[name].to_numpy() for name in table.column_names}
        for name in ("user_id", "item_id"):
            rows[name] = np.array([(i or "").encode() for i in table[name].to_pylist()], object)
        rows["timestamp"] = table["timestamp"].cast(pa.int64()).to_numpy()
        yield to_columns(rows, spec, file, 0)
