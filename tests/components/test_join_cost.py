"""Cost of the join by counts: sorts, and bytes a batch."""

import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from semantic_id_ranking.components.feature_joiner import encode_examples
from semantic_id_ranking.components.feature_joiner import label_means
from semantic_id_ranking.components.feature_joiner import write_group
from semantic_id_ranking.components.feature_joiner.features import features
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.join import join_group
from semantic_id_ranking.components.feature_joiner.label_means import LabelMeans
from semantic_id_ranking.components.feature_joiner.popularity import Popularity
from tests.components import joined_logs
from tests.components.joined_logs import PARAMETERS

WIDTH = 2 * len(PARAMETERS.counter_layout.block)


def log(rows):
    """A log with what the items' stage adds."""
    block = joined_logs.random_log(0, rows)
    counters = pa.FixedSizeListArray.from_arrays(
        pa.array(np.zeros(rows * WIDTH, np.float32)), WIDTH
    )
    zeros = pa.array(np.zeros(rows, np.int64))
    return block.append_column("popularity", zeros).append_column("item_counters", counters)


def items(count):
    ids = pd.Index(np.array([b"%07d" % i for i in range(count)], object))
    return ItemTable.of(ids, np.zeros((count, 3), np.int32), np.zeros(count, np.int64))


def popularity():
    return Popularity.of(np.zeros((0, 3), np.int64), 0.5, 0.3)


def means():
    tasks = PARAMETERS.labels
    return LabelMeans.of(label_means.concatenate([], len(tasks)), tasks, None)


def join(rows, table):
    joined, _ = join_group(log(rows), joined_logs.nothing().users, table, None, PARAMETERS)
    return joined


def bytes_of_a_batch(joined, table):
    """Bytes that NumPy and Arrow allocate at most for one batch of 500 examples."""
    rows = np.arange(500)
    table.find(np.array([b"x"], object))  # Its hash table is made once.
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    encoded = encode_examples.encode(
        features(joined, rows, table, popularity(), means(), PARAMETERS)
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(encoded) == 500
    return peak + pa.total_allocated_bytes() - before


def test_bytes_of_a_batch_depend_on_neither_the_items_nor_the_group():
    small, large = items(10), items(50_000)
    bytes_of_a_batch(join(600, small), small)  # Caches are filled.
    expected = bytes_of_a_batch(join(600, small), small)
    assert bytes_of_a_batch(join(600, large), large) < 1.1 * expected
    assert bytes_of_a_batch(join(20_000, small), small) < 1.1 * expected


@pytest.mark.parametrize("batch_rows", [100, 10_000])
def test_a_group_is_sorted_once_however_many_batches_it_makes(monkeypatch, batch_rows):
    sorts, known = [], means()
    for name in ("lexsort", "argsort"):
        original = getattr(np, name)
        monkeypatch.setattr(
            np, name, lambda *args, f=original, **rest: (sorts.append(f), f(*args, **rest))[1]
        )
    monkeypatch.setattr(write_group, "_BATCH_ROWS", batch_rows)
    table = items(10)
    joined = join(3000, table)
    once = len(sorts)
    batches = list(write_group._batches(joined, table, PARAMETERS))
    assert len(batches) == -(-3000 // batch_rows)
    for _, rows in batches:
        features(joined, rows, table, popularity(), known, PARAMETERS)
    # By user and time, by user and codes for one code and for two, and their counters by user.
    assert len(sorts) == once == 4
