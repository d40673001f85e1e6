import pytest

from semantic_id_ranking.trainer.ranker.representations import Dense
from semantic_id_ranking.trainer.ranker.representations import DenseProjected
from semantic_id_ranking.trainer.ranker.representations import IdPlusSid
from semantic_id_ranking.trainer.ranker.representations import IndividualId
from semantic_id_ranking.trainer.ranker.representations import RandomHash
from semantic_id_ranking.trainer.ranker.representations import SidHybrid
from semantic_id_ranking.trainer.ranker.representations import SidNgram
from semantic_id_ranking.trainer.ranker.representations import SidPrefix
from semantic_id_ranking.trainer.ranker.representations import SidSpm
from semantic_id_ranking.trainer.ranker.table_budget import split_rows

L, K = 4, 256


@pytest.mark.parametrize(
    ("budget", "capacities", "expected"),
    [
        (30, [100, 100, 100], [10, 10, 10]),
        (32, [100, 100, 100], [10, 11, 11]),
        (30, [4, 100, 100], [4, 13, 13]),
        (30, [100, 4, 10], [16, 4, 10]),
        (30, [1, 2, 3], [1, 2, 3]),
        (3, [5, 5, 5], [1, 1, 1]),
    ],
)
def test_groups_get_equal_parts_up_to_what_they_can_use(budget, capacities, expected):
    assert split_rows(budget, capacities) == expected


def test_fewer_rows_than_groups_are_refused():
    with pytest.raises(ValueError, match="2 rows cannot be shared by 3 tables"):
        split_rows(2, [5, 5, 5])


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (RandomHash(rows=100), 100),
        (SidNgram(rows=5000), 4 * 256),
        (SidNgram(rows=500), 500),
        (SidNgram(rows=10**6, n=2), 2 * 256**2),
        (SidPrefix(rows=10**6, depth=2), 256 + 256**2),
        (SidPrefix(rows=5000), 5000),
        (SidHybrid(rows=5000), 5000),
        (SidSpm(rows=1025), 1025),
        (IdPlusSid(rows=8), 8),
        (Dense(), 0),
        (DenseProjected(), 0),
        (IndividualId(), None),
    ],
)
def test_a_representation_knows_the_rows_that_it_takes(config, expected):
    assert config.table_rows(L, K) == expected


@pytest.mark.parametrize(
    "config",
    [
        SidNgram(n=5),
        SidNgram(rows=3),
        SidPrefix(depth=5),
        SidHybrid(rows=2),
        IdPlusSid(rows=4),
    ],
)
def test_what_a_representation_refuses_is_refused_before_it_is_made(config):
    with pytest.raises(ValueError, match="cannot be"):
        config.table_rows(L, K)


def test_codes_leave_what_they_cannot_use_to_memory():
    assert sum(IdPlusSid(rows=1000).code_rows(L, K)) == 500
    assert sum(IdPlusSid(rows=1000, memory_share=0.8).code_rows(L, K)) == 200
    assert sum(IdPlusSid(rows=16384).code_rows(L, K)) == 1024


@pytest.mark.parametrize(
    ("rows", "shares"),
    [
        (16384, (1024, 24, 15335)),
        (1049, (1024, 24, 0)),
        # Three levels; the fourth would have to share rows.
        (1048, (768, 24, 255)),
        (1000, (768, 24, 207)),
        (281, (256, 24, 0)),
        # The first level shares them.
        (50, (44, 5, 0)),
        (3, (1, 1, 0)),
    ],
)
def test_the_hybrids_codes_come_first_coarse_to_fine(rows, shares):
    codes, frequencies, own = SidHybrid(rows=rows).shares(L, K)
    assert (sum(codes), frequencies, own) == shares


@pytest.mark.parametrize(("levels", "codes"), [(3, 768), (4, 1024), (5, 1024), (8, 1024)])
def test_the_hybrids_finest_codes_have_no_rows(levels, codes):
    shares = SidHybrid(rows=16384).shares(levels, K)
    assert shares == ([K] * (codes // K), 24, 16384 - 1 - 24 - codes)


def test_the_tokenizer_has_what_its_pieces_have_rows_for():
    codes = L * K
    assert SidSpm(rows=5000).tokenizer_rows(L, K) == 5000
    assert RandomHash(rows=100).tokenizer_rows(L, K) == codes + 1
