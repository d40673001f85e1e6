"""When each item was first seen in the log: the age of items that come without one."""

from collections.abc import Iterable
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.components.parquet.columns import ids
from semantic_id_ranking.components.parquet.place import Place
from semantic_id_ranking.components.parquet.row_group import list_files
from semantic_id_ranking.components.parquet.row_group import open_parquet
from semantic_id_ranking.components.parquet.row_group import read_schema
from semantic_id_ranking.components.parquet.row_group import row_groups
from semantic_id_ranking.components.parquet.timestamps import require
from semantic_id_ranking.components.parquet.timestamps import timestamps


def first_impressions(
    item_ids: pa.ChunkedArray, pattern: str, item_column: str, time_column: str, now: datetime
) -> pa.Array:
    """Looks up each item's earliest impression.

    Args:
        item_ids: large_binary, as `ids` makes them.
        pattern: The impressions, a path or a glob pattern.
        item_column: Their column of item ids.
        time_column: Their column of timestamps.
        now: The present.

    Returns:
        int64 microseconds since the epoch, one an item of `item_ids`; null for one never impressed.

    Raises:
        InputError: The impressions are missing or wrong.
    """
    files = list_files(pattern)
    for path in files:
        read_schema(path, {item_column: "the impressed item", time_column: "its time"})
    earliest = _earliest(
        _earliest(
            pa.table(
                {
                    "item": ids(batch.column(item_column), Place(group.path, item_column, row)),
                    "time": _times(batch, time_column, group.path, row, now),
                }
            )
        )
        for group in row_groups(files)
        for row, batch in group.read([item_column, time_column], batch_rows=1 << 20)
    )
    positions = pc.index_in(item_ids.combine_chunks(), value_set=earliest["item"].combine_chunks())
    return earliest["time"].combine_chunks().take(positions)


def needs_first_impressions(paths: Iterable[str], column: str | None) -> bool:
    """Whether items leave out when they were created, some or all of them.

    Args:
        paths: The files of the items.
        column: The column that tells it; None: there is none.

    Returns:
        Whether a file lacks the column or may, as far as its statistics tell, hold a null there.
    """
    return column is None or any(_may_lack(path, column) for path in paths)


def _may_lack(path: str, column: str) -> bool:
    with open_parquet(path) as file:
        names = [file.schema.column(i).path for i in range(len(file.schema))]
        if column not in names:
            return True
        chunks = [
            file.metadata.row_group(i).column(names.index(column))
            for i in range(file.metadata.num_row_groups)
        ]
    statistics = [chunk.statistics for chunk in chunks]
    return any(s is None or not s.has_null_count or s.null_count for s in statistics)


def _times(batch: pa.RecordBatch, column: str, path: str, row: int, now: datetime) -> pa.Array:
    place = Place(path, column, row)
    return require(timestamps(batch.column(column), place, now), place)


def _earliest(tables: pa.Table | Iterable[pa.Table]) -> pa.Table:
    table = tables if isinstance(tables, pa.Table) else pa.concat_tables(tables)
    grouped = table.group_by("item").aggregate([("time", "min")])
    return pa.table({"item": grouped["item"], "time": grouped["time_min"]})
