"""Serialised Examples and TFRecords, against TensorFlow."""

import gzip

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from semantic_id_ranking.components.feature_joiner import encode_examples as encoding
from semantic_id_ranking.components.feature_joiner.encode_examples import Feature
from tests.components.joined_logs import values

INTEGERS = [0, 1, 127, 128, 300, 2**14, 2**35 - 1, 2**63 - 1, -1, -(2**63)]


def encode(**features):
    return [values(row) for row in encoding.encode(features).to_pylist()]


def test_integers_of_all_sizes():
    column = np.array(INTEGERS).reshape(5, 2)
    rows = encode(n=Feature(encoding.INTEGERS, encoding.integers(column)))
    assert [row["n"] for row in rows] == column.tolist()


def test_strings_of_all_lengths_and_missing_ones():
    texts = [b"", b"a", None, b"x" * 127, b"y" * 128, b"z" * 70_000]
    rows = encode(t=Feature(encoding.BYTES, encoding.strings(pa.array(texts, pa.binary()))))
    assert [row.get("t") for row in rows] == [None if text is None else [text] for text in texts]


def test_numbers_are_the_same_to_the_bit_nan_included():
    column = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    column[2, 1] = np.nan
    rows = encode(x=Feature(encoding.FLOATS, encoding.floats(column)))
    found = np.array([row["x"] for row in rows], np.float32)
    assert found.tobytes() == column.tobytes()


def test_ragged_values_and_rows_of_a_table():
    offsets = np.array([0, 2, 2, 5])
    names = encoding.strings(pa.array([b"a", b"bc", b""], pa.binary()))
    pairs = encoding.integers(np.array([[1, 2], [300, 4], [-1, -1]]))
    chosen = np.array([1, 0, 2, 2, 1])
    rows = encode(
        names=Feature(encoding.BYTES, encoding.join_payloads(names, offsets, chosen)),
        pairs=Feature(encoding.INTEGERS, encoding.join_payloads(pairs, offsets, chosen)),
        numbers=Feature(encoding.FLOATS, encoding.floats(np.arange(5), offsets)),
    )
    assert [row["names"] for row in rows] == [[b"bc", b"a"], [], [b"", b"", b"bc"]]
    assert [row["pairs"] for row in rows] == [[300, 4, 1, 2], [], [-1, -1, -1, -1, 300, 4]]
    assert [row["numbers"] for row in rows] == [[0, 1], [], [2, 3, 4]]


@pytest.mark.parametrize("name", ["x", "n" * 200, "größe"])
def test_names_of_all_lengths(name):
    (row,) = encode(**{name: Feature(encoding.FLOATS, encoding.floats(np.ones((1, 100))))})
    assert row == {name: [1.0] * 100}


def test_tensorflow_reads_the_records_of_several_batches(tmp_path):
    texts = [b"t" * length for length in range(0, 400, 7)]
    records = encoding.encode(
        {"t": Feature(encoding.BYTES, encoding.strings(pa.array(texts, pa.binary())))}
    )
    path = tmp_path / "records.gz"
    with gzip.open(path, "wb") as file:
        file.write(encoding.tfrecords(records.slice(0, 5)))
        file.write(encoding.tfrecords(records.slice(5)))
    read = [record.numpy() for record in tf.data.TFRecordDataset(str(path), "GZIP")]
    assert read == records.to_pylist()
