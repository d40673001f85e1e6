"""First impression of each item, the age of items that come without one."""

from collections.abc import Iterable
from collections.abc import Iterator
from datetime import datetime
from datetime import timezone

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.inputs import columns
from semantic_id_ranking.inputs import uses
from semantic_id_ranking.inputs.data_set import DataSet

_BATCH_ROWS = 1 << 20


def first_impressions(
    item_ids: pa.ChunkedArray, log: DataSet, item_column: str, time_column: str
) -> pa.Array:
    """Looks up each item's earliest impression.

    Args:
        item_ids: large_binary, as `ids` makes them.
        log: The impressions. What is wrong with a row is for ImpressionGen to say; it does not
            count here.
        item_column: Their column of item ids.
        time_column: Their column of timestamps.

    Returns:
        int64 microseconds since the epoch, one an item of `item_ids`; null for one never impressed.

    Raises:
        InputError: The impressions are missing or wrong.
    """
    log.require(item_column, uses.IDS, "the impressed item")
    log.require(time_column, uses.TIMES, "its time")
    earliest = _earliest(_earliest([table]) for table in _events(log, item_column, time_column))
    positions = pc.index_in(item_ids.combine_chunks(), value_set=earliest["item"].combine_chunks())
    return earliest["time"].combine_chunks().take(positions)


def lacks_creation(items: DataSet, column: str | None) -> bool:
    """Whether some items leave out when they were created.

    Args:
        items: The items.
        column: The column that tells it; None: there is none.

    Returns:
        Whether a file lacks the column or holds a null there.
    """
    if column is None or any(column not in file.columns for file in items.files):
        return True
    created = {"time": (column, uses.TIMES)}
    return any(
        batch.column("time").null_count
        for block in items.blocks(items.rows)
        for _, _, batch in block.read(created, _BATCH_ROWS)
    )


def _events(log: DataSet, item_column: str, time_column: str) -> Iterator[pa.Table]:
    now = datetime.now(timezone.utc)
    wanted = {"item": (item_column, uses.IDS), "time": (time_column, uses.TIMES)}
    for block in log.blocks(log.rows):
        for _, _, batch in block.read(wanted, _BATCH_ROWS):
            items, bad_items = columns.ids(batch.column("item"))
            times, bad_times = columns.event_times(batch.column("time"), now)
            good = np.ones(batch.num_rows, bool)
            good[[*bad_items, *bad_times]] = False
            yield pa.table({"item": items, "time": times}).filter(pa.array(good))


def _earliest(tables: Iterable[pa.Table]) -> pa.Table:
    grouped = pa.concat_tables(tables).group_by("item").aggregate([("time", "min")])
    return pa.table({"item": grouped["item"], "time": grouped["time_min"]})
