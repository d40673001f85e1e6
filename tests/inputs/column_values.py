"""Values of a column of Parquet files, and the message that it is refused with."""

import pyarrow as pa
import pytest

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs import uses
from semantic_id_ranking.inputs.data_set import DataSet


def table(**columns):
    return pa.table(columns)


def read(path, column="x", use=uses.CARRIED, rows=1000, batch_rows=8192):
    """All values of a column."""
    data = DataSet.open(str(path))
    data.require(column, use, "a test")
    return [
        value
        for block in data.blocks(rows)
        for _, _, batch in block.read({"value": (column, use)}, batch_rows)
        for value in batch.column("value").to_pylist()
    ]


def refused(path, column="x", use=uses.CARRIED):
    with pytest.raises(InputError) as caught:
        read(path, column, use)
    return str(caught.value)
