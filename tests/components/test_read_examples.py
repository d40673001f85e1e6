"""Reading of Examples, against files that TensorFlow wrote."""

import gzip

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.components.feature_joiner import read_examples as reading
from tests.components.artifact_files import example

FEATURES = {"user_id": tf.string, "clicked": tf.int64}


def write(path, examples):
    with tf.io.TFRecordWriter(str(path), "GZIP") as file:
        for row in examples:
            file.write(row)
    return str(path)


@pytest.mark.parametrize("size", [1, 100, 2**22])
def test_rows_come_in_order_wherever_a_record_is_divided(tmp_path, monkeypatch, size):
    monkeypatch.setattr(reading, "_BYTES", size)
    users = [b"u" * (row % 300) for row in range(200)]
    rows = [example(user_id=user, clicked=row) for row, user in enumerate(users)]
    batches = list(reading.read_examples(write(tmp_path / "a.gz", rows), FEATURES))
    read = {name: np.concatenate([b[name].values.numpy() for b in batches]) for name in FEATURES}
    assert read["user_id"].tolist() == users
    assert read["clicked"].tolist() == list(range(200))


def test_a_file_without_a_record_has_no_batch(tmp_path):
    assert list(reading.read_examples(write(tmp_path / "a.gz", []), FEATURES)) == []


def test_a_file_that_ends_within_a_record_is_refused(tmp_path):
    path = write(tmp_path / "a.gz", [example(user_id=b"u", clicked=1)])
    content = gzip.decompress((tmp_path / "a.gz").read_bytes())
    (tmp_path / "a.gz").write_bytes(gzip.compress(content[:-5]))
    with pytest.raises(ValueError, match=r"a\.gz: ends within a record"):
        list(reading.read_examples(path, FEATURES))
