"""`sid encode` with an earlier output: copies of unchanged items."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.encoding.batch import encode_parquet
from tests.encoding import floor_model

OTHER = SidSpace("0" * 16, levels=2, codebook_size=100, embedding_dim=2)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return floor_model.save_model(tmp_path_factory.mktemp("model"))


def encode(model, items, output, **options):
    return encode_parquet(items, model, str(output), item_id="film", embedding="vector", **options)


def write_earlier(folder, items, space=floor_model.SPACE):
    """Item id to embedding; the Semantic IDs written are marked by a first code of 77."""
    embeddings = np.array(list(items.values()), np.float32)
    sids = np.stack([np.full(len(items), 77), np.arange(len(items))], axis=1).astype(np.int32)
    table = sid_table.to_table(
        np.array(list(items), object), sids, sid_table.digest(embeddings), space
    )
    folder.mkdir()
    pq.write_table(table.slice(0, 1), folder / "a.parquet")
    pq.write_table(table.slice(1), folder / "b.parquet")
    return str(folder)


@pytest.mark.parametrize("part_rows", [2, 100])
def test_new_and_changed_items_are_encoded_and_others_copied(model, tmp_path, part_rows):
    earlier = write_earlier(
        tmp_path / "earlier", {"same": [1, 1], "gone": [2, 2], "changed": [3, 3], "also": [4, 4]}
    )
    items = floor_model.write_items(
        tmp_path / "items.parquet",
        [[5.5, 5.0], [4.0, 4.0], [3.0, 3.5], [1.0, 1.0]],
        ["new", "also", "changed", "same"],
    )
    result = encode(model, items, tmp_path / "out", earlier=earlier, part_rows=part_rows)
    assert (result.encoded, result.copied, result.gone) == (2, 2, 1)
    ids, sids, _ = sid_table.read(str(tmp_path / "out"))
    assert dict(zip(ids, sids.tolist(), strict=True)) == {
        "new": [5, 5],
        "also": [77, 3],
        "changed": [3, 3],
        "same": [77, 0],
    }


def test_nothing_is_encoded_twice_by_runs_in_a_row(model, tmp_path):
    embeddings = np.random.default_rng(0).uniform(0, 99, (300, 2)).astype(np.float32)
    items = floor_model.write_items(tmp_path / "items.parquet", embeddings.tolist())
    encode(model, items, tmp_path / "out", part_rows=70)
    first = sid_table.read(str(tmp_path / "out"))
    result = encode(model, items, tmp_path / "out", earlier=f"{tmp_path}/out", part_rows=40)
    assert (result.encoded, result.copied, result.gone) == (0, 300, 0)
    second = sid_table.read(str(tmp_path / "out"))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


def test_an_item_that_is_bad_now_is_not_gone(model, tmp_path):
    earlier = write_earlier(tmp_path / "earlier", {"a": [1, 1], "b": [2, 2]})
    items = floor_model.write_items(
        tmp_path / "items.parquet", [[1.0, 1.0], [2.0, float("nan")]], ["a", "b"]
    )
    result = encode(model, items, tmp_path / "out", earlier=earlier, skip_bad=1)
    assert (result.encoded, result.copied, result.gone, result.rejected) == (0, 1, 0, 1)


def test_another_space_is_refused_unless_all_is_encoded(model, tmp_path):
    earlier = write_earlier(tmp_path / "earlier", {"a": [1, 1], "x": [2, 2]}, OTHER)
    items = floor_model.write_items(tmp_path / "items.parquet", [[1.5, 9.0]], ["a"])
    with pytest.raises(InputError, match=rf"{'0' * 16}.*abcdefabcdefabcd.*--re-encode-all") as e:
        encode(model, items, tmp_path / "out", earlier=earlier)
    assert "\n" not in str(e.value)
    assert not (tmp_path / "out").exists()
    result = encode(model, items, tmp_path / "out", earlier=earlier, re_encode_all=True)
    assert (result.encoded, result.copied, result.gone) == (1, 0, 1)
    assert sid_table.read(str(tmp_path / "out"))[1].tolist() == [[1, 9]]


def test_an_earlier_output_without_digests_is_refused(model, tmp_path):
    schema = sid_table.schema(floor_model.SPACE)
    pq.write_table(pa.table([["a"], [[1, 2]]], schema), tmp_path / "old.parquet")
    items = floor_model.write_items(tmp_path / "items.parquet", [[1.5, 9.0]], ["a"])
    with pytest.raises(InputError, match=r"old\.parquet: column 'embedding_digest' is missing"):
        encode(model, items, tmp_path / "out", earlier=f"{tmp_path}/old.parquet")


@pytest.mark.parametrize("name", ["nothing", "items.parquet"])
def test_what_is_no_earlier_output_is_refused(model, tmp_path, name):
    items = floor_model.write_items(tmp_path / "items.parquet", [[1.5, 9.0]], ["a"])
    with pytest.raises(InputError, match=rf"{name}: cannot be read as an earlier output"):
        encode(model, items, tmp_path / "out", earlier=str(tmp_path / name))
