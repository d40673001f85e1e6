import numpy as np
import pytest

from semantic_id_ranking.trainer.ranker.row_section import RowSection
from semantic_id_ranking.trainer.ranker.row_section import source_rows
from semantic_id_ranking.trainer.ranker.row_section import UNKNOWN

OTHERS = RowSection(UNKNOWN, range(1))


def words(*names):
    return np.array(names, object)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # Without a row of all others, new rows continue none.
        (
            [RowSection("sid", np.array([9, 4]))],
            [RowSection("sid", np.array([4, 5, 9]))],
            [1, -1, 0],
        ),
        (
            [RowSection("category", words(b"b", b"a")), OTHERS],
            [RowSection("category", words(b"b", b"a", b"c", b"aa")), OTHERS],
            [0, 1, 2, 2, 2],
        ),
        # Of sections of several sizes, each begins elsewhere.
        (
            [
                RowSection("absent", range(1)),
                RowSection("code", range(3)),
                RowSection("n", range(2)),
            ],
            [
                RowSection("absent", range(1)),
                RowSection("code", range(4)),
                RowSection("n", range(2)),
            ],
            [0, 1, 2, 3, -1, 4, 5],
        ),
        # A section that there was not.
        ([RowSection("code", range(2))], [RowSection("piece", words(b"x"))], [-1]),
        ([], [RowSection("sid", np.array([4]))], [-1]),
        (
            [RowSection("sid", np.zeros(0, np.int64)), OTHERS],
            [RowSection("sid", np.array([4]))],
            [0],
        ),
    ],
)
def test_rows_go_by_what_they_stand_for(old, new, expected):
    assert source_rows(old, new).tolist() == expected
