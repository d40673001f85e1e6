"""Items that were known earlier and that the input has no more."""

import os

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from semantic_id_ranking.contracts import sid_table

#: Its name sorts behind those of the other files, so that today's items come first.
GONE_FILE = "sids-gone-00000-of-00001.parquet"


def write_gone_items(folder: str, earlier: str) -> int:
    """Writes the earlier items that a table lacks into one more file of it, in their order.

    Args:
        folder: The table, without the file.
        earlier: The earlier table, of the same space; may have such a file too.

    Returns:
        Number of these items; the file is written if there are any.
    """
    columns = ["item_id", "sid", sid_table.DIGEST]
    before = pa.concat_tables([pq.ParquetFile(f).read(columns) for f in sid_table.files(earlier)])
    ids = [pq.ParquetFile(f).read(["item_id"])["item_id"] for f in sid_table.files(folder)]
    today = pa.chunked_array([chunk for column in ids for chunk in column.chunks], pa.string())
    gone = before.filter(pc.invert(pc.is_in(before["item_id"], value_set=today)))
    if len(gone):
        pq.write_table(gone.combine_chunks(), os.path.join(folder, GONE_FILE))
    return len(gone)
