"""`encode_parquet`: each item once, and an output that is complete or absent."""

import dataclasses
import os

import numpy as np
import pyarrow as pa
import pytest

from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.encoding import parts as parts_lib
from semantic_id_ranking.encoding.batch import encode_parquet
from semantic_id_ranking.encoding.parts import runs
from semantic_id_ranking.inputs import uses
from semantic_id_ranking.inputs.data_set import DataSet
from tests import exported_models
from tests.encoding import floor_model

SPACE = floor_model.SPACE


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return floor_model.save_model(tmp_path_factory.mktemp("model"))


def encode(model, items, output, workers=1, **options):
    return encode_parquet(
        items, model, str(output), item_id="film", embedding="vector", workers=workers, **options
    )


def assert_holds(output, embeddings, ids):
    found, sids, space = sid_table.read(str(output))
    assert space == SPACE
    assert sorted(found) == sorted(ids)
    order = {item: row for row, item in enumerate(ids)}
    expected = np.floor([embeddings[order[item]] for item in found]).astype(np.int32)
    np.testing.assert_array_equal(sids, expected)


@pytest.mark.parametrize("part_rows", [64, 130, 5000])
@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.list_(pa.float64(), 2)])
def test_each_item_once_from_files_and_row_groups_of_any_size(model, tmp_path, part_rows, kind):
    embeddings = np.random.default_rng(0).uniform(0, 99, (950, 2)).astype(np.float32).tolist()
    ids = [f"f{i}" for i in range(950)]
    sizes = {"a": (0, 500, 100), "b": (500, 520, 7), "c": (520, 950, 1000)}
    for name, (begin, end, group) in sizes.items():
        floor_model.write_items(
            tmp_path / f"{name}.parquet", embeddings[begin:end], ids[begin:end], group, kind
        )
    output = tmp_path / "out" / "sids.parquet"
    result = encode(model, f"{tmp_path}/*.parquet", output, part_rows=part_rows)
    assert (result.encoded, result.copied, result.gone, result.rejected) == (950, 0, 0, 0)
    assert result.space == SPACE
    assert_holds(output, embeddings, ids)
    assert len(list(output.iterdir())) == -(-950 // part_rows)
    assert [path.name for path in output.parent.iterdir()] == ["sids.parquet"]


def test_runs_of_parts_cover_every_row_once(tmp_path):
    floor_model.write_items(tmp_path / "a.parquet", [[1.0, 2.0]] * 35, row_group_size=10)
    floor_model.write_items(tmp_path / "b.parquet", [[1.0, 2.0]] * 3, list("xyz"))
    parts = DataSet.open(str(tmp_path)).blocks(8)
    assert [part.rows for part in parts] == [8, 8, 8, 8, 6]
    dealt = runs(parts, 3)
    assert len(dealt) == 3
    assert [part for run in dealt for part in run] == parts
    wanted = {"id": ("film", uses.IDS)}
    got = [
        (part.number, os.path.basename(path), row + i, value)
        for run in dealt
        for part, batches in parts_lib.read(run, wanted)
        for path, row, batch in batches
        for i, value in enumerate(batch.column("id").to_pylist())
    ]
    expected = [("a.parquet", row, b"f%d" % row) for row in range(35)]
    expected += [("b.parquet", row, b"xyz"[row : row + 1]) for row in range(3)]
    assert got == [(i // 8, *row) for i, row in enumerate(expected)]
    assert len(runs(parts, 50)) == 5


def test_a_later_output_replaces_an_earlier_one_and_its_rejects(model, tmp_path):
    items = floor_model.write_items(tmp_path / "a.parquet", [[1.0, 2.0], [3.0, float("nan")]])
    encode(model, items, tmp_path / "sids", skip_bad=1)
    assert (tmp_path / "sids.rejects.parquet").exists()
    items = floor_model.write_items(tmp_path / "a.parquet", [[5.0, 6.0]] * 3, list("xyz"))
    encode(model, items, f"{tmp_path}/sids", part_rows=2)
    assert_holds(tmp_path / "sids", [[5.0, 6.0]] * 3, list("xyz"))
    assert not (tmp_path / "sids.rejects.parquet").exists()


def test_a_folder_of_something_else_is_not_replaced(model, tmp_path):
    items = floor_model.write_items(tmp_path / "items.parquet", [[1.0, 2.0]])
    with pytest.raises(InputError, match="not an output"):
        encode(model, items, tmp_path)
    with pytest.raises(InputError, match="not an output"):
        encode(model, items, items)
    assert [path.name for path in tmp_path.iterdir()] == ["items.parquet"]


def test_an_item_that_comes_twice_is_named(model, tmp_path):
    ids = [f"f{i}" for i in range(250)]
    ids[240] = "f3"
    items = floor_model.write_items(tmp_path / "items.parquet", [[1.0, 2.0]] * 250, ids)
    with pytest.raises(InputError, match=r"row 240.*'f3' again, first in row 3,"):
        encode(model, items, tmp_path / "sids")
    assert [path.name for path in tmp_path.iterdir()] == ["items.parquet"]


def test_an_item_that_comes_twice_in_two_files_is_named_with_both(model, tmp_path):
    floor_model.write_items(tmp_path / "a.parquet", [[1.0, 2.0]] * 2, ["x", "y"])
    floor_model.write_items(tmp_path / "b.parquet", [[1.0, 2.0]] * 2, ["z", "x"])
    with pytest.raises(InputError, match=r"b\.parquet.*row 1.*'x' again, first in row 0 of .*a\."):
        encode(model, f"{tmp_path}/*.parquet", tmp_path / "sids")


def test_two_ids_of_one_hash_are_two_items(model, tmp_path, monkeypatch):
    from semantic_id_ranking.encoding import item_keys

    monkeypatch.setattr(item_keys, "item_keys", lambda ids: np.full(len(ids), 7, np.uint64))
    items = floor_model.write_items(tmp_path / "items.parquet", [[1.0, 2.0]] * 9)
    assert encode(model, items, tmp_path / "sids").encoded == 9


def test_a_damaged_model_encodes_nothing(tmp_path):
    damaged = floor_model.save_model(tmp_path / "damaged")
    exported_models.flip_bit(f"{damaged}/saved_model.pb", 20)
    items = floor_model.write_items(tmp_path / "items.parquet", [[1.0, 2.0]])
    with pytest.raises(InputError, match=r"damaged: saved_model\.pb is not as it was exported"):
        encode(damaged, items, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_that_encodes_nothing_is_named(tmp_path):
    ranker = floor_model.save_model(tmp_path / "m", dataclasses.replace(SPACE, embedding_dim=None))
    items = floor_model.write_items(tmp_path / "items.parquet", [[1.0, 2.0]])
    with pytest.raises(InputError, match=r"m: its sid_space\.json has no embedding_dim"):
        encode(ranker, items, tmp_path / "out")
