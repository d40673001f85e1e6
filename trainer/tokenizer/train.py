"""Training of the SID tokenizer: SentencePiece over the Semantic IDs of impressed items.

Reference: Singh et al., "Better Generalization with Semantic IDs" (arXiv 2306.08121):
frequent code sequences become one piece, which memorises; rare ones fall back to single codes,
which generalise.
"""

import heapq
import io
import tempfile
from collections import Counter

import numpy as np
import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.tokenizer.config import TokenizerConfig
from semantic_id_ranking.trainer.tokenizer.sid_text import fewest_pieces
from semantic_id_ranking.trainer.tokenizer.sid_text import require_encodable
from semantic_id_ranking.trainer.tokenizer.sid_text import sids_to_text

# Sequences that the unigram model begins with, for each that the vocabulary can hold. With many
# more, nearly every item has a piece of its own at first, single codes lose their probability to
# those, and a sequence that is pruned later has nothing to fall back to: the items with most
# impressions were left in single codes.
# Of 4, 8, 16 and 32, an impression took the fewest pieces at 8 on three data sets.
_SEED_FACTOR = 8


def train_tokenizer(
    sids: np.ndarray,
    counts: np.ndarray,
    rows: int,
    config: TokenizerConfig,
    space: SidSpace,
) -> bytes:
    """Trains SentencePiece.

    Every one of the L x K codes is a piece, so that any Semantic ID can be tokenized, impressed or
    not.

    Args:
        sids: Integers [N, L], the Semantic ID of each item. Items may share one.
        counts: Integers [N] >= 0, how often each item was seen in the train split.
        rows: Pieces to make, at most; also the rows of the embedding table. Fewer come out when the
            items have no more sequences to offer.
        config: SentencePiece's algorithm and the longest piece.
        space: The SID space of `sids`.

    Returns:
        The serialized SentencePiece model.

    Raises:
        ValueError: `rows` is too small for all codes, the space has too many codes for text, no
            item was impressed, or an argument has the wrong shape or range.
    """
    require_encodable(space.levels, space.codebook_size)
    if not isinstance(rows, int | np.integer):
        raise InputError(f"rows: {rows!r} is not allowed; give a number of pieces, an integer")
    smallest = fewest_pieces(space.levels, space.codebook_size)
    if rows < smallest:
        raise InputError(
            f"rows = {rows} cannot hold all {space.levels} x {space.codebook_size} codes "
            f"and <unk>; the smallest budget is {smallest} rows"
        )
    texts, counts = impressed_texts(sids, counts, space)
    proto = _train(texts, counts, rows, config, space)
    processor = sentencepiece.SentencePieceProcessor(model_proto=proto)
    pieces = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    _require_all_codes(pieces, space)
    return proto


def impressed_texts(
    sids: np.ndarray, counts: np.ndarray, space: SidSpace
) -> tuple[list[str], np.ndarray]:
    """Distinct Semantic IDs with an impression, as text in ascending order, and their counts.

    Args:
        sids: Integers [N, L].
        counts: Integers [N] >= 0, the impressions.
        space: The SID space of `sids`.

    Raises:
        ValueError: There is none, or an argument has the wrong type, shape or range.
    """
    sids, counts = np.asarray(sids), np.asarray(counts)
    if sids.ndim != 2 or sids.shape[1] != space.levels or counts.shape != sids.shape[:1]:
        raise InputError(
            f"sids must be [N, {space.levels}] and counts [N], "
            f"not {list(sids.shape)} and {list(counts.shape)}"
        )
    for name, values in (("sids", sids), ("counts", counts)):
        if values.size and not np.issubdtype(values.dtype, np.integer):
            raise InputError(f"{name} must be integers, not of type {values.dtype}")
    if (counts < 0).any():
        item = np.argmax(counts < 0)
        raise InputError(f"counts must be 0 or more, not {counts[item]}, as of item {item}")
    impressed = counts > 0
    if not impressed.any():
        raise InputError("counts: no item has an impression to learn pieces from")
    outside = ((sids < 0) | (sids >= space.codebook_size)).any(axis=1) & impressed
    if outside.any():
        item = np.argmax(outside)
        raise InputError(
            f"sids must have codes from 0 to {space.codebook_size - 1}, not {sids[item].tolist()}, "
            f"as of item {item}"
        )
    distinct, inverse = np.unique(sids[impressed], axis=0, return_inverse=True)
    summed = np.zeros(len(distinct), np.int64)
    np.add.at(summed, inverse.reshape(-1), counts[impressed])
    return sids_to_text(distinct, space.codebook_size), summed


def _train(
    texts: list[str], counts: np.ndarray, rows: int, config: TokenizerConfig, space: SidSpace
) -> bytes:
    """Runs SentencePiece and returns the serialized model."""
    levels = space.levels
    all_codes = _all_codes(space)
    code_counts = dict.fromkeys(all_codes, 0)
    for text, count in zip(texts, counts.tolist(), strict=True):
        for code in text:
            code_counts[code] += count
    most_frequent = max(all_codes, key=code_counts.__getitem__)
    longest = min(config.max_piece_codes or levels, levels)
    model = io.BytesIO()
    with (
        tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as corpus,
        tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as seed,
    ):
        corpus.writelines(f"{text}\t{count}\n" for text, count in zip(texts, counts, strict=True))
        # SentencePiece's BPE aborts on a required character that never occurs. A code that no
        # impressed item has therefore counts as seen once, alone; it cannot change the pieces of
        # any other code.
        corpus.writelines(f"{code}\t1\n" for code in all_codes if not code_counts[code])
        corpus.flush()
        if config.model == "unigram":
            sequences = _seed(texts, counts, longest, _SEED_FACTOR * (rows - len(all_codes)))
            seed.writelines(f"{sequence}\t{count}\n" for sequence, count in sequences)
            seed.flush()
        sentencepiece.SentencePieceTrainer.train(
            input=corpus.name,
            input_format="tsv",
            model_writer=model,
            model_type=config.model,
            vocab_size=rows,
            hard_vocab_limit=False,
            seed_sentencepieces_file=seed.name if config.model == "unigram" else "",
            max_sentencepiece_length=longest,
            character_coverage=1.0,
            # Coverage is a 32-bit float that reaches 1.0 before the rarest characters: beyond 30
            # million impressions, rare codes would silently become <unk>. Required characters are
            # counted first; leaving the most frequent one out keeps the coverage below 1.0 until
            # all the others are in.
            required_chars="".join(code for code in all_codes if code != most_frequent),
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            split_by_whitespace=False,
            split_by_unicode_script=False,
            split_by_number=False,
            split_digits=False,
            unk_id=0,
            bos_id=-1,
            eos_id=-1,
            pad_id=-1,
            minloglevel=2,
        )
    return _without_paths(model.getvalue())


def _without_paths(model: bytes) -> bytes:
    """The model without the names of the files it was trained on, which differ in every run."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    proto.trainer_spec.ClearField("input")
    # The package's own description of the message does not know the seed's file yet.
    proto.trainer_spec.DiscardUnknownFields()
    return proto.SerializeToString(deterministic=True)


def _seed(texts: list[str], counts: np.ndarray, longest: int, size: int) -> list[tuple[str, int]]:
    """Seed of the unigram model: sequences of codes, with their impression counts.

    SentencePiece would count a sequence once for every line that holds it, whatever the line's
    count, and so leave out the most frequent sequences where each is of one item alone
    (github.com/google/sentencepiece/issues/967).

    Args:
        texts: Distinct Semantic IDs.
        counts: Impressions of each.
        longest: Codes of a sequence, at most.
        size: Sequences, at most; those that cover most codes come first, as in SentencePiece.
    """
    levels = len(texts[0])
    sequences: list[tuple[int, str]] = []
    for length in range(2, longest + 1):
        for first in range(levels - length + 1):
            impressions: Counter[str] = Counter()
            for text, count in zip(texts, counts.tolist(), strict=True):
                impressions[text[first : first + length]] += count
            covered = ((length * count, text) for text, count in impressions.items() if count > 1)
            sequences = heapq.nlargest(size, [*sequences, *covered])
    return [(text, covered // len(text)) for covered, text in sequences]


def _all_codes(space: SidSpace) -> list[str]:
    """The L x K characters, level by level."""
    column = np.arange(space.codebook_size)[:, None].repeat(space.levels, axis=1)
    return [
        code
        for level in zip(*sids_to_text(column, space.codebook_size), strict=True)
        for code in level
    ]


def _require_all_codes(pieces: list[str], space: SidSpace) -> None:
    """Guards the fallback: without it a new item's codes would share the one <unk> row."""
    missing = set(_all_codes(space)).difference(pieces)
    if missing:
        raise RuntimeError(
            f"SentencePiece {sentencepiece.__version__} left out {len(missing)} of the "
            f"{space.levels} x {space.codebook_size} codes"
        )
