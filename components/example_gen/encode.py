"""Arrow columns to serialised tf.train.Examples."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from tfx_bsl.public import tfxio


def to_record_batch(features: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """Puts features into the form that `encode` takes: a list a row.

    Args:
        features: Name -> [rows] large_binary, int64 or float32, one value a row, or large_list of
            those.
    """
    columns = [
        column if pa.types.is_large_list(column.type) else _one_each(column)
        for column in features.values()
    ]
    return pa.RecordBatch.from_arrays(columns, names=list(features))


def encode(batch: pa.RecordBatch) -> list[bytes]:
    """Serialises rows.

    The encoder is tfx_bsl's, in C++. Unlike TFX's own `dict_to_example` it keeps 0, 0.0 and the
    empty string.

    Args:
        batch: Made by `to_record_batch`.

    Returns:
        One serialised tf.train.Example a row. A null makes a feature without values, which readers
        of Examples take for a missing one.
    """
    return tfxio.RecordBatchToExamplesEncoder().encode(batch)


def _one_each(column: pa.Array) -> pa.Array:
    null = column.is_null().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(~null)])
    return pa.LargeListArray.from_arrays(
        pa.array(offsets, pa.int64(), mask=np.append(null, False)), column.drop_null()
    )
