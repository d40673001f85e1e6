import pytest

from semantic_id_ranking.trainer.ranker.config import RepresentationConfig
from semantic_id_ranking.trainer.ranker.table_budget import baseline_rows
from semantic_id_ranking.trainer.ranker.table_budget import code_rows
from semantic_id_ranking.trainer.ranker.table_budget import hybrid_rows
from semantic_id_ranking.trainer.ranker.table_budget import split_rows
from semantic_id_ranking.trainer.ranker.table_budget import tokenizer_rows

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
        (RepresentationConfig("random_hash", 100), 100),
        (RepresentationConfig("sid_ngram", 5000), 4 * 256),
        (RepresentationConfig("sid_ngram", 500), 500),
        (RepresentationConfig("sid_ngram", 10**6, n=2), 2 * 256**2),
        (RepresentationConfig("sid_prefix", 10**6, depth=2), 256 + 256**2),
        (RepresentationConfig("sid_prefix", 5000), 5000),
        (RepresentationConfig("sid_hybrid", 5000), 5000),
    ],
)
def test_the_baseline_is_as_large_as_the_representation(config, expected):
    assert baseline_rows(config, L, K) == expected


@pytest.mark.parametrize(
    "config",
    [
        RepresentationConfig("sid_ngram", n=5),
        RepresentationConfig("sid_ngram", 3),
        RepresentationConfig("sid_prefix", depth=5),
        RepresentationConfig("sid_hybrid", 2),
        RepresentationConfig("id_plus_sid", 4),
    ],
)
def test_what_a_representation_refuses_is_refused_before_it_is_made(config):
    with pytest.raises(ValueError, match="cannot be"):
        baseline_rows(config, L, K)


def test_codes_leave_what_they_cannot_use_to_memory():
    assert code_rows(RepresentationConfig("id_plus_sid", 1000), L, K) == 500
    assert code_rows(RepresentationConfig("id_plus_sid", 1000, memory_share=0.8), L, K) == 200
    assert code_rows(RepresentationConfig("id_plus_sid", 16384), L, K) == 1024


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
    assert hybrid_rows(RepresentationConfig("sid_hybrid", rows), L, K) == shares


@pytest.mark.parametrize(("levels", "codes"), [(3, 768), (4, 1024), (5, 1024), (8, 1024)])
def test_the_hybrids_finest_codes_have_no_rows(levels, codes):
    shares = hybrid_rows(RepresentationConfig("sid_hybrid", 16384), levels, K)
    assert shares == (codes, 24, 16384 - 1 - 24 - codes)


def test_the_tokenizer_has_what_its_pieces_have_rows_for():
    codes = L * K
    assert tokenizer_rows(RepresentationConfig("sid_spm", 5000), L, K) == 5000
    assert tokenizer_rows(RepresentationConfig("random_hash", 100), L, K) == codes + 1
