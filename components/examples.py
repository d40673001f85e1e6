"""Reading of tf.Examples artifacts as Arrow record batches, on Beam and in process."""

import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.types import artifact_utils
from tfx_bsl.public import tfxio

BATCH_SIZE = 4096

BYTES = schema_pb2.FeatureType.BYTES
FLOAT = schema_pb2.FeatureType.FLOAT
INT = schema_pb2.FeatureType.INT


def split_pattern(examples: types.Artifact, split: str) -> str:
    """File pattern of one split of an Examples artifact."""
    return os.path.join(artifact_utils.get_split_uri([examples], split), "*.gz")


def schema_of(features: Mapping[str, int]) -> schema_pb2.Schema:
    """A schema that reads just these features.

    Args:
        features: Feature name -> `BYTES`, `FLOAT` or `INT`.
    """
    return schema_pb2.Schema(
        feature=[schema_pb2.Feature(name=name, type=kind) for name, kind in features.items()]
    )


def read_batches(
    pattern: str, features: Mapping[str, int], batch_size: int = BATCH_SIZE
) -> beam.PTransform:
    """A Beam source of record batches with just these features, each a list column.

    Args:
        pattern: Files of gzipped TFRecords of tf.Examples.
        features: Feature name -> type, as in `schema_of`. A feature that no Example has is all
            null.
        batch_size: Rows in a batch, at most.
    """
    source = tfxio.TFExampleRecord(
        pattern, schema=schema_of(features), telemetry_descriptors=["semantic_id_ranking"]
    )
    return source.BeamSource(batch_size)


def scalars(batch: pa.RecordBatch, name: str, missing: Any) -> np.ndarray:
    """A feature of one value a row as an array.

    Args:
        batch: A batch of `read_batches`.
        name: The feature.
        missing: What stands where a row has no value.

    Returns:
        [rows]; dtype object for bytes, int64 or float32 else; float64 for integers of which one is
        missing, if `missing` is a float.
    """
    column = batch.column(batch.schema.get_field_index(name))
    lengths = _lengths(column)
    flat = column.flatten()
    values = flat.to_numpy(zero_copy_only=False) if len(flat) else np.empty(0, object)
    if (lengths == 1).all():
        return values
    kind = object if isinstance(missing, bytes) else values.dtype if len(values) else type(missing)
    if isinstance(missing, float) and values.dtype.kind in "iu":
        kind = np.float64
    result = np.full(len(column), missing, kind)
    result[lengths > 0] = values[(np.cumsum(lengths) - lengths)[lengths > 0]]
    return result


def matrix(batch: pa.RecordBatch, name: str) -> np.ndarray:
    """A feature of equally many values a row as an array [rows, values]."""
    column = batch.column(batch.schema.get_field_index(name))
    return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)


def ragged(offsets: np.ndarray, values: Sequence[Any] | np.ndarray, kind: pa.DataType) -> pa.Array:
    """A list column for `RecordBatchToExamples`.

    Args:
        offsets: [rows + 1] int; row i holds values[offsets[i]:offsets[i + 1]].
        values: All rows' values, one after the other.
        kind: Their Arrow type.
    """
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values, kind))


def _lengths(column: pa.Array) -> np.ndarray:
    lengths = column.value_lengths().fill_null(0)
    return lengths.to_numpy(zero_copy_only=False)
