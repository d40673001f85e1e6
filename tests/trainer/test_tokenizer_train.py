import json

import numpy as np
import pytest
import sentencepiece

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.tokenizer.config import TokenizerConfig
from semantic_id_ranking.trainer.tokenizer.sid_text import sids_to_text
from semantic_id_ranking.trainer.tokenizer.sid_text import text_to_codes
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

# 2 levels of 4 codes: 8 codes and <unk> are the smallest budget, 9.
SPACE = SidSpace("0123456789abcdef", levels=2, codebook_size=4, embedding_dim=3)
MODELS = pytest.mark.parametrize("model", ["unigram", "bpe"])


def trained(tmp_path, sids, impressions, rows, space=SPACE, **config):
    """Trains and saves; returns the statistics and a function from a SID to its pieces."""
    tokenizer = SidTokenizer.fit(
        np.array(sids), np.array(impressions), space, rows, config=TokenizerConfig(**config)
    )
    tokenizer.save(str(tmp_path))
    statistics = tokenizer.statistics()
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "spm.model"))

    def pieces(*sid):
        (text,) = sids_to_text(np.array([sid]), space.codebook_size)
        return [
            tuple(code for _, code in text_to_codes(piece, space.codebook_size))
            for piece in processor.encode(text, out_type=str)
        ]

    return statistics, pieces


def clustered(items, levels, codebook_size, seed=0):
    """SIDs whose next codes depend on the first, and impressions with a long tail."""
    rng = np.random.default_rng(seed)
    sids = np.zeros((items, levels), np.int64)
    sids[:, 0] = rng.integers(0, codebook_size // 2, items)
    for level in range(1, levels):
        step = rng.choice([1, 2, 5], items, p=[0.7, 0.2, 0.1])
        sids[:, level] = (sids[:, level - 1] * 3 + step) % codebook_size
    return sids, np.minimum(rng.zipf(1.5, items), 500)


@MODELS
def test_the_one_spare_row_goes_to_the_most_frequent_pair(tmp_path, model):
    sids = [[0, 1], [2, 3], [1, 1]]
    statistics, pieces = trained(tmp_path / "a", sids, [50, 2, 2], rows=10, model=model)
    assert pieces(0, 1) == [(0, 1)]
    assert pieces(2, 3) == [(2,), (3,)]
    assert statistics["pieces"] == 10
    assert statistics["multi_code_pieces"] == 1
    # 50 impressions of one piece and 4 of two.
    assert statistics["mean_pieces_per_impression"] == pytest.approx((50 * 1 + 4 * 2) / 54)

    # The same items with other impression counts.
    _, pieces = trained(tmp_path / "b", sids, [2, 50, 2], rows=10, model=model)
    assert pieces(0, 1) == [(0,), (1,)]
    assert pieces(2, 3) == [(2, 3)]


@MODELS
def test_an_unseen_sid_falls_back_to_single_codes(tmp_path, model):
    _, pieces = trained(tmp_path, [[0, 1]], [5], rows=20, model=model)
    assert pieces(0, 1) == [(0, 1)]
    # Code 3 of level 0 and codes 0, 3 of level 1 occur in no item.
    assert pieces(3, 0) == [(3,), (0,)]
    assert pieces(0, 3) == [(0,), (3,)]


@MODELS
def test_every_code_is_a_piece(tmp_path, model):
    space = SidSpace("0123456789abcdef", levels=4, codebook_size=32, embedding_dim=3)
    sids, impressions = clustered(300, 4, 32)
    statistics, _ = trained(tmp_path, sids, impressions, rows=400, space=space, model=model)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "spm.model"))
    assert statistics["pieces"] == processor.get_piece_size() <= 400
    assert statistics["multi_code_pieces"] > 100
    for level in range(4):
        for code in range(32):
            character = chr(0xF0000 + 32 * level + code)
            assert processor.encode(character, out_type=str) == [character]
            assert processor.encode(character) != [processor.unk_id()]


@MODELS
def test_a_rare_code_survives_a_billion_impressions(tmp_path, model):
    # Single precision cannot tell 2,000,000,003 characters from 2,000,000,000.
    _, pieces = trained(tmp_path, [[0, 1], [2, 3]], [1_000_000_000, 1], rows=9, model=model)
    assert pieces(2, 3) == [(2,), (3,)]


@MODELS
def test_counts_do_what_repetition_does(tmp_path, model):
    space = SidSpace("0123456789abcdef", levels=3, codebook_size=8, embedding_dim=3)
    sids = np.array([[0, 1, 2], [0, 1, 3], [4, 5, 6], [7, 7, 7], [4, 1, 2]])
    impressions = np.array([40, 25, 12, 1, 6])
    _, pieces = trained(tmp_path, sids, impressions, rows=30, space=space, model=model)
    # SentencePiece by itself: one line a sentence, as often as its impression count. The codes that
    # no item has come once, as in the tokenizer.
    texts = sids_to_text(sids, 8)
    unseen = {chr(0xF0000 + i) for i in range(24)}.difference(*texts)
    lines = [text for text, n in zip(texts, impressions, strict=True) for _ in range(n)]
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join([*lines, *sorted(unseen)]) + "\n", encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(tmp_path / "repeated"),
        model_type=model,
        vocab_size=30,
        hard_vocab_limit=False,
        max_sentencepiece_length=3,
        character_coverage=1.0,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        split_by_whitespace=False,
        split_by_unicode_script=False,
        split_by_number=False,
        bos_id=-1,
        eos_id=-1,
        minloglevel=2,
    )
    repeated = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "repeated.model"))
    for sid, text in zip(sids, texts, strict=True):
        expected = [len(piece) for piece in repeated.encode(text, out_type=str)]
        assert [len(piece) for piece in pieces(*sid)] == expected


def test_items_with_most_impressions_are_one_piece(tmp_path):
    """Also where no other item has their codes in that order."""
    space = SidSpace("0123456789abcdef", levels=4, codebook_size=32, embedding_dim=3)
    sids = np.random.default_rng(1).integers(0, 16, (5000, 4))
    impressions = np.where(np.arange(5000) < 50, 1000, 2)
    _, pieces = trained(tmp_path, sids, impressions, rows=600, space=space)
    assert {len(pieces(*sid)) for sid in sids[:50]} == {1}
    assert np.mean([len(pieces(*sid)) for sid in sids[50:]]) > 2


def test_items_of_one_sid_count_together(tmp_path):
    sids = [[0, 1], [2, 3], [2, 3], [2, 3]]
    _, pieces = trained(tmp_path, sids, [10, 5, 5, 5], rows=10)
    assert pieces(2, 3) == [(2, 3)]
    assert pieces(0, 1) == [(0,), (1,)]


def test_items_without_impressions_do_not_count(tmp_path):
    statistics, pieces = trained(tmp_path, [[0, 1], [2, 3]], [4, 0], rows=100)
    assert pieces(0, 1) == [(0, 1)]
    assert pieces(2, 3) == [(2,), (3,)]
    assert statistics["mean_pieces_per_impression"] == 1


@MODELS
def test_pieces_are_no_longer_than_asked(tmp_path, model):
    space = SidSpace("0123456789abcdef", levels=4, codebook_size=32, embedding_dim=3)
    sids, impressions = clustered(300, 4, 32)
    longest = {}
    for cap in (1, 2, None):
        _, pieces = trained(
            tmp_path / str(cap),
            sids,
            impressions,
            rows=600,
            space=space,
            model=model,
            max_piece_codes=cap,
        )
        longest[cap] = max(len(piece) for sid in sids for piece in pieces(*sid))
    assert longest == {1: 1, 2: 2, None: 4}


def test_the_directory_holds_what_the_ranker_needs(tmp_path):
    statistics, _ = trained(tmp_path / "new", [[0, 1]], [5], rows=9)
    assert json.loads((tmp_path / "new" / "tokenizer.json").read_text()) == statistics
    assert statistics == {
        "pieces": 9,
        "multi_code_pieces": 0,
        "mean_pieces_per_impression": 2.0,
        "model": "unigram",
    }
    assert SidSpace.load(str(tmp_path / "new" / "assets.extra")) == SPACE


def test_training_is_repeatable(tmp_path):
    space = SidSpace("0123456789abcdef", levels=4, codebook_size=32, embedding_dim=3)
    sids, impressions = clustered(300, 4, 32)
    order = np.random.default_rng(1).permutation(300)
    trained(tmp_path / "a", sids, impressions, rows=300, space=space)
    trained(tmp_path / "b", sids[order], impressions[order], rows=300, space=space)
    first, second = ((tmp_path / name / "spm.model").read_bytes() for name in "ab")
    pieces = [
        {(model.id_to_piece(i), model.get_score(i)) for i in range(model.get_piece_size())}
        for model in (
            sentencepiece.SentencePieceProcessor(model_proto=proto) for proto in (first, second)
        )
    ]
    assert pieces[0] == pieces[1]


def test_the_terminal_stays_quiet(tmp_path, capfd):
    trained(tmp_path, [[0, 1], [2, 3]], [5, 4], rows=12)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


@pytest.mark.parametrize(
    ("sids", "impressions", "rows", "message"),
    [
        ([[0, 1]], [1], 8, "rows = 8 .* smallest budget is 9 rows"),
        ([[0, 1]], [0], 9, "no item has an impression"),
        ([[0, 1]], [-1], 9, "counts must be 0 or more, not -1"),
        ([[0, 1, 2]], [1], 9, r"sids must be \[N, 2\]"),
        ([[0, 1]], [1, 2], 9, r"not \[1, 2\] and \[2\]"),
        ([[0, 4]], [1], 9, r"from 0 to 3, not \[0, 4\], as of item 0"),
    ],
)
def test_bad_input_is_named(tmp_path, sids, impressions, rows, message):
    with pytest.raises(ValueError, match=message):
        trained(tmp_path, sids, impressions, rows)


def test_a_space_with_too_many_codes_is_refused(tmp_path):
    space = SidSpace("0123456789abcdef", levels=2, codebook_size=40_000, embedding_dim=3)
    with pytest.raises(ValueError, match="80000 codes"):
        trained(tmp_path, [[0, 1]], [1], rows=100_000, space=space)


@MODELS
def test_two_trainings_write_the_same_bytes(tmp_path, model):
    sids, impressions = clustered(300, 2, 4)
    for name in ("a", "b"):
        trained(tmp_path / name, sids, impressions, rows=14, model=model)
    first, second = ((tmp_path / name / "spm.model").read_bytes() for name in ("a", "b"))
    assert first == second
    assert str(tmp_path.parent).encode() not in first
    assert b".tsv" not in first
