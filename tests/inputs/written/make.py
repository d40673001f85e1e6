"""Writer of the files beside it, which need newer tools than lane A's environment has.

In an environment with pyarrow 21 or later and NumPy: `python make.py`.
"""

import decimal
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = pathlib.Path(__file__).parent
VECTORS = [[0.0, 1.5], [-2.0, 0.25], [65504.0, 3.0]]
LONG = [decimal.Decimal(10) ** 40 + k for k in range(3)]


def write(name: str, column: pa.Array, **options: object) -> None:
    """Writes one column, `x`, beside an ordinary one."""
    table = pa.table({"k": pa.array([0, 1, 2]), "x": column})
    pq.write_table(table, FOLDER / f"{name}.parquet", **options)


write("float16", pa.array(np.array([0, -2, 0.25], np.float16)))
write("vectors_float16", pa.array(np.array(VECTORS, np.float16).tolist(), pa.list_(pa.float16())))
write("string_view", pa.array(["a", "é", None], pa.string_view()))
write("binary_view", pa.array([b"a", b"b", None], pa.binary_view()))
write(
    "boolean_rle", pa.array([True, None, False]), use_dictionary=False, column_encoding={"x": "RLE"}
)
write("decimal256", pa.array(LONG, pa.decimal256(50, 0)))
UUIDS = pa.array([bytes(range(16))] * 3, pa.binary(16))
write("uuid", pa.ExtensionArray.from_storage(pa.uuid(), UUIDS))
write(
    "vectors_tensor",
    pa.ExtensionArray.from_storage(
        pa.fixed_shape_tensor(pa.float32(), [2]), pa.array(VECTORS, pa.list_(pa.float32(), 2))
    ),
)
write(
    "vectors_byte_stream_split",
    pa.array(VECTORS, pa.list_(pa.float32())),
    use_dictionary=False,
    use_byte_stream_split=["x.list.element"],
    data_page_version="2.0",
    write_page_index=True,
    write_page_checksum=True,
)
write(
    "delta",
    pa.array(["aa", "ab", "b"]),
    use_dictionary=False,
    column_encoding={"k": "DELTA_BINARY_PACKED", "x": "DELTA_BYTE_ARRAY"},
    data_page_version="2.0",
)
