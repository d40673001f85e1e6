"""Bad items in `sid encode`: a stop, or rejects with their reason."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.encoding.batch import encode_parquet
from tests.encoding import floor_model

BAD = {
    150: [1.0, float("nan")],
    151: [float("-inf"), 1.0],
    7: [1.0],
    8: [],
    230: None,
    231: [None, 1.0],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return floor_model.save_model(tmp_path_factory.mktemp("model"))


def encode(model, items, output, **options):
    return encode_parquet(items, model, str(output), item_id="film", embedding="vector", **options)


def write(path, bad, ids=None, **kwargs):
    embeddings = [[float(row % 99), 2.0] for row in range(250)]
    for row, value in bad.items():
        embeddings[row] = value
    return floor_model.write_items(path, embeddings, ids, **kwargs)


@pytest.mark.parametrize(
    ("row", "facts"),
    [
        (150, ["nan", "position 1"]),
        (151, ["-inf", "position 0"]),
        (7, ["length 1", "length 2"]),
        (8, ["length 0", "length 2"]),
        (230, ["null"]),
        (231, ["null", "position 0"]),
    ],
)
def test_a_bad_item_is_named_and_nothing_is_written(model, tmp_path, row, facts):
    items = write(tmp_path / "items.parquet", {row: BAD[row]})
    with pytest.raises(InputError) as caught:
        encode(model, items, tmp_path / "sids", part_rows=60)
    for fact in ["items.parquet", "vector", f"row {row} ", f"'f{row}'", *facts]:
        assert fact in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["items.parquet"]


def test_an_item_without_id_is_named(model, tmp_path):
    ids = [f"f{i}" for i in range(250)]
    ids[201] = None
    items = write(tmp_path / "items.parquet", {}, ids)
    with pytest.raises(InputError, match=r"items\.parquet: column 'film', row 201 .*found null"):
        encode(model, items, tmp_path / "sids")


@pytest.mark.parametrize("part_rows", [60, 1000])
def test_as_many_as_allowed_go_to_the_rejects_with_their_reason(model, tmp_path, part_rows):
    ids = [f"f{i}" for i in range(250)]
    ids[99], ids[100] = None, ""
    items = write(tmp_path / "items.parquet", BAD, ids)
    result = encode(model, items, tmp_path / "sids", skip_bad=8, part_rows=part_rows)
    assert (result.encoded, result.rejected) == (242, 8)
    rejects = pq.read_table(result.rejects).to_pylist()
    assert result.rejects == f"{tmp_path}/sids.rejects.parquet"
    assert {reject["file"] for reject in rejects} == {items}
    assert {reject["row"]: reject["item_id"] for reject in rejects} == {
        **{row: f"f{row}" for row in BAD},
        99: None,
        100: None,
    }
    reasons = {reject["row"]: reject["reason"] for reject in rejects}
    assert "nan at position 1" in reasons[150]
    assert "length 1, expected length 2" in reasons[7]
    assert "column 'film': found null" in reasons[99]
    assert "empty string" in reasons[100]
    found, sids, _ = sid_table.read(str(tmp_path / "sids"))
    good = [row for row in range(250) if row not in {*BAD, 99, 100}]
    order = np.argsort([int(item[1:]) for item in found])
    assert [found[i] for i in order] == [f"f{row}" for row in good]
    np.testing.assert_array_equal(sids[order], [[row % 99, 2] for row in good])


@pytest.mark.parametrize("part_rows", [60, 1000])
def test_one_more_than_allowed_stops_the_run(model, tmp_path, part_rows):
    items = write(tmp_path / "items.parquet", BAD)
    with pytest.raises(InputError, match=r"items\.parquet.*--skip-bad|--skip-bad.*items\.parquet"):
        encode(model, items, tmp_path / "sids", skip_bad=5, part_rows=part_rows)
    assert [path.name for path in tmp_path.iterdir()] == ["items.parquet"]


def test_a_bad_item_among_fixed_size_lists_is_found(model, tmp_path):
    items = write(tmp_path / "a.parquet", {170: BAD[150]}, kind=pa.list_(pa.float32(), 2))
    result = encode(model, items, tmp_path / "sids", skip_bad=1, part_rows=60)
    assert [reject["row"] for reject in pq.read_table(result.rejects).to_pylist()] == [170]
    ids, sids, _ = sid_table.read(str(tmp_path / "sids"))
    assert ids[168:172].tolist() == ["f168", "f169", "f171", "f172"]
    np.testing.assert_array_equal(sids[168:172, 0], [69, 70, 72, 73])


def test_a_part_may_hold_nothing_but_bad_items(model, tmp_path):
    nan = float("nan")
    items = floor_model.write_items(tmp_path / "items.parquet", [[nan, nan]] * 3 + [[1.0, 2.0]])
    encode(model, items, tmp_path / "sids", skip_bad=3, part_rows=3)
    ids, sids, _ = sid_table.read(str(tmp_path / "sids"))
    assert (ids.tolist(), sids.tolist()) == (["f3"], [[1, 2]])


def test_a_column_of_another_type_cannot_be_skipped(model, tmp_path):
    table = pa.table({"film": ["a"], "vector": pa.array([[1, 2]], pa.list_(pa.int32()))})
    items = str(tmp_path / "items.parquet")
    pq.write_table(table, items)
    with pytest.raises(InputError, match=r"column 'vector': found the type list<int32>"):
        encode(model, items, tmp_path / "sids", skip_bad=1000)
