"""Rows of tables carried into those of a new vocabulary, against NumPy and sums by hand."""

import numpy as np
import pytest
import sentencepiece

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.tokenizer.carry_pieces import carry_pieces
from semantic_id_ranking.trainer.tokenizer.carry_pieces import moved_share
from semantic_id_ranking.trainer.tokenizer.carry_rows import carry_rows
from semantic_id_ranking.trainer.tokenizer.carry_rows import TableRows
from semantic_id_ranking.trainer.tokenizer.sid_text import sids_to_text
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

SPACE = SidSpace("0123456789abcdef", levels=4, codebook_size=16)
RNG = np.random.default_rng(0)


def rows(count, dim=8, seen=2000):
    """A table, and accumulators as many impressions with gradients near 1 leave them."""
    return TableRows(
        RNG.normal(size=(count, dim)).astype(np.float32),
        (seen * RNG.uniform(0.5, 2, (count, dim))).astype(np.float32),
    )


def adagrad(table, accumulators, gradient, rate=0.1):
    """One step of Duchi et al.'s Adagrad: the new table."""
    return table - rate * gradient / np.sqrt(accumulators + gradient**2)


def test_rows_go_with_their_keys_and_not_with_their_positions():
    old, start = rows(3), rows(4)
    carried = carry_rows([5, 7, 9], [9, 4, 5, 7], old, start)
    for found, before, begun in zip(carried, old, start, strict=True):
        np.testing.assert_array_equal(found, np.stack([before[2], begun[1], before[0], before[1]]))


def test_a_spelled_row_moves_as_the_rows_that_spelled_it():
    old = rows(3)
    carried = carry_rows("abc", ["abc"], old, rows(1), tuple)
    np.testing.assert_allclose(carried.table[0], old.table.sum(axis=0), rtol=1e-6)
    gradient = RNG.normal(size=8)
    before = adagrad(old.table, old.accumulators, gradient).sum(axis=0) - old.table.sum(axis=0)
    after = adagrad(carried.table, carried.accumulators, gradient)[0] - carried.table[0]
    np.testing.assert_allclose(after, before, rtol=0.01)
    assert np.abs(after - before).sum() < 0.006 * np.abs(before).sum()
    # A fresh accumulator would take a step many times as long.
    fresh = adagrad(carried.table, np.full((1, 8), 0.1), gradient)[0] - carried.table[0]
    assert np.abs(fresh).sum() > 3 * np.abs(before).sum()


@pytest.mark.parametrize(
    ("old_keys", "new_keys", "message"),
    [("ab", "abc", "2 old keys need .* 3"), ("aba", "abc", "old keys must be distinct")],
)
def test_keys_that_do_not_fit_are_refused(old_keys, new_keys, message):
    with pytest.raises(InputError, match=message):
        carry_rows(old_keys, new_keys, rows(3), rows(3))


@pytest.fixture(scope="module")
def log():
    """Semantic IDs of items of a heavy-tailed log, and their impressions of two periods."""
    rng = np.random.default_rng(1)
    first = rng.integers(0, 16, (60, 2))
    sids = np.concatenate([first[rng.integers(0, 60, 800)], rng.integers(0, 16, (800, 2))], axis=1)
    counts = np.ceil(20 * rng.pareto(1.1, 800)).astype(int)
    return sids.astype(np.int32), counts, counts + rng.poisson(0.05 * counts)


@pytest.fixture(scope="module")
def tokenizers(log):
    sids, counts, later = log
    return [SidTokenizer.fit(sids, c, SPACE, rows=400) for c in (counts, later)]


def test_a_tokenizer_trained_anew_keeps_sums_of_rows_where_its_pieces_are_made_of_the_old(
    log, tokenizers
):
    sids, counts, _ = log
    old, new = tokenizers
    before, start = rows(old.table_rows), rows(new.table_rows)
    carried = carry_pieces(old, new, before, start)
    texts = sids_to_text(sids, SPACE.codebook_size)
    old_spm, new_spm = (
        sentencepiece.SentencePieceProcessor(model_proto=one.model) for one in tokenizers
    )
    united = np.array(
        [
            "|".join(
                "|".join(old_spm.encode(piece, out_type=str))
                for piece in new_spm.encode(text, out_type=str)
            )
            == "|".join(old_spm.encode(text, out_type=str))
            for text in texts
        ]
    )
    moved = np.array(
        [moved_share(old, new, before.table, carried.table, sid[None], [1]) for sid in sids]
    )
    np.testing.assert_array_equal(moved == 0, united)
    # Both kinds are there, and most stay.
    assert 0 < moved.mean() < 0.2
    share = moved_share(old, new, before.table, carried.table, sids, counts)
    assert share == pytest.approx(counts @ moved / counts.sum())
