"""Files that are missing or damaged, and row groups with the numbers of their rows."""

import pytest

from semantic_id_ranking.components.errors import InputError
from semantic_id_ranking.components.parquet.first_impressions import needs_first_impressions
from semantic_id_ranking.components.parquet.impressions import check_impressions
from semantic_id_ranking.components.parquet.items import check_items
from semantic_id_ranking.components.parquet.row_group import row_groups
from tests.components import parquet_files
from tests.components.parquet_files import assert_says
from tests.components.parquet_files import days
from tests.components.parquet_files import impression_parameters
from tests.components.parquet_files import item_parameters


def test_no_such_file(tmp_path):
    path = str(tmp_path / "gone.parquet")
    for check, parameters in (
        (check_items, item_parameters()),
        (check_impressions, impression_parameters()),
    ):
        with pytest.raises(InputError) as caught:
            check(path, parameters)
        assert_says(str(caught.value), path, "no such file")


def test_not_parquet(tmp_path):
    path = tmp_path / "items.parquet"
    path.write_text("item_id,embedding\n1,2\n")
    with pytest.raises(InputError) as caught:
        check_items(str(path), item_parameters())
    assert_says(str(caught.value), str(path), "is not a Parquet file")


def test_truncated_parquet(tmp_path):
    path = tmp_path / "items.parquet"
    parquet_files.write(parquet_files.items(), path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(InputError) as caught:
        check_items(str(path), item_parameters())
    assert_says(str(caught.value), str(path), "is not a Parquet file")


def test_damaged_data(tmp_path):
    path = tmp_path / "items.parquet"
    parquet_files.write(parquet_files.items(), path)
    # The footer stays, the pages are overwritten.
    path.write_bytes(b"PAR1" + b"\xff" * 200 + path.read_bytes()[204:])
    with pytest.raises(InputError) as caught:
        check_items(str(path), item_parameters())
    assert_says(str(caught.value), str(path), "cannot be read from row 0")


def test_directory_of_parquet(tmp_path):
    parquet_files.write(parquet_files.items(), tmp_path / "items" / "part-0.parquet")
    with pytest.raises(InputError) as caught:
        check_items(str(tmp_path / "items"), item_parameters())
    assert_says(str(caught.value), "is a directory", "/items/*.parquet")


def test_zero_rows(tmp_path):
    path = parquet_files.write(parquet_files.items().slice(0, 0), tmp_path / "items.parquet")
    with pytest.raises(InputError, match=r"items\.parquet: holds no rows"):
        check_items(path, item_parameters())
    path = parquet_files.write(parquet_files.impressions().slice(0, 0), tmp_path / "log.parquet")
    with pytest.raises(InputError, match=r"log\.parquet: holds no rows"):
        check_impressions(path, impression_parameters())


def test_a_name_with_the_characters_of_a_glob_is_a_name(tmp_path):
    path = parquet_files.write(parquet_files.items(), tmp_path / "items[1].parquet")
    assert [block.group.path for block in check_items(path, item_parameters())] == [path]


def test_row_groups_are_read_in_batches_that_know_their_rows(tmp_path):
    path = parquet_files.write(parquet_files.impressions(), tmp_path / "log.parquet", 5)
    first, second = row_groups([path])
    assert [row for row, _ in first.read(["click"], batch_rows=2)] == [0, 2, 4]
    batches = list(second.read(["item_id", "click"], batch_rows=3))
    assert [row for row, _ in batches] == [5, 8]
    assert [batch.column("item_id").to_pylist() for _, batch in batches] == [
        ["b", "c", "d"],
        ["a", "b"],
    ]


@pytest.mark.parametrize(
    ("created", "needed"), [([0, 1, 2, 3], False), ([0, 1, None, 3], True), (None, True)]
)
def test_items_that_need_their_first_impressions(tmp_path, created, needed):
    table = parquet_files.items(created_at=None if created is None else days(created))
    path = parquet_files.write(table, tmp_path / "items.parquet", row_group_size=2)
    assert needs_first_impressions([path], "created_at") == needed
    assert needs_first_impressions([path], None)
