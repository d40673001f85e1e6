"""Items, resources and an independent account of each representation's rows, for its tests."""

import farmhash
import numpy as np
import sentencepiece
import tensorflow as tf

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.representations import IdPlusSid
from semantic_id_ranking.trainer.ranker.representations import IndividualId
from semantic_id_ranking.trainer.ranker.representations import RandomHash
from semantic_id_ranking.trainer.ranker.representations import RepresentationConfig
from semantic_id_ranking.trainer.ranker.representations import SidNgram
from semantic_id_ranking.trainer.ranker.representations import SidPrefix
from semantic_id_ranking.trainer.ranker.representations import SidSpm
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

LEVELS, CODES, DIM, EMBEDDING, LATENT, ROWS = 3, 8, 5, 6, 7, 60
SPACE = SidSpace("0123456789abcdef", LEVELS, CODES, EMBEDDING)
# Every representation, with budgets that hash and budgets that do not.
CONFIGS = {
    "random_hash": RandomHash(rows=ROWS),
    "individual_id": IndividualId(),
    "unigram": SidNgram(rows=ROWS),
    "hashed unigram": SidNgram(rows=10),
    "bigram": SidNgram(rows=1000, n=2),
    "hashed bigram": SidNgram(rows=ROWS, n=2),
    "prefix": SidPrefix(rows=1000),
    "hashed prefix": SidPrefix(rows=ROWS, depth=2),
    "spm": SidSpm(rows=ROWS),
    "id_plus_sid": IdPlusSid(rows=ROWS),
}


def make_resources() -> SidTokenizer:
    """Forty items, i0 .. i39, more and less frequent, and a tokenizer of their Semantic IDs."""
    rng = np.random.default_rng(0)
    sids = rng.integers(0, CODES, (40, LEVELS))
    sids[:20, 1] = (sids[:20, 0] + 1) % CODES
    counts = np.arange(40, 0, -1) ** 2
    codebooks = rng.normal(size=(LEVELS, CODES, LATENT)).astype(np.float32)
    return SidTokenizer.fit(sids, counts, SPACE, ROWS, [f"i{i}" for i in range(40)], codebooks)


def some_items(resources: SidTokenizer, *shape: int, seed: int = 2) -> dict[str, tf.Tensor]:
    """Items of any leading shape: half of them of the train split, others new, some absent."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    known = rng.integers(0, 40, size)
    sid = resources.items.sids[known].astype(np.int64)
    ids = resources.items.item_ids[known].astype(object)
    new = rng.random(size) < 0.5
    sid[new] = rng.integers(0, CODES, (new.sum(), LEVELS))
    ids[new] = [b"new%d" % i for i in rng.integers(0, 20, new.sum())]
    embedding = rng.normal(size=(size, EMBEDDING)).astype(np.float32)
    absent = rng.random(size) < 0.3
    sid[absent], ids[absent], embedding[absent] = -1, b"", 0
    return {
        "sid": tf.constant(sid.reshape(*shape, LEVELS)),
        "item_id": tf.constant(ids.reshape(shape), tf.string),
        "embedding": tf.constant(embedding.reshape(*shape, EMBEDDING)),
    }


def make_filled(config: RepresentationConfig, resources: SidTokenizer):
    """A representation whose weights are known random numbers."""
    layer = config.create(DIM, resources)
    layer(some_items(resources, 7))
    rng = np.random.default_rng(1)
    for weight in layer.trainable_variables:
        weight.assign(rng.normal(size=weight.shape).astype(np.float32))
    return layer


def id_key(item_id: bytes) -> int:
    return farmhash.fingerprint64(item_id.decode()) % (2**63 - 1)


def code_key(codes) -> int:
    """FarmHash's Fingerprint64 of one or two codes as int64, without its sign, step by step.

    The package farmhash takes no zero bytes.
    """
    words, multiplier = [int(code) % 2**64 for code in codes], 0x9AE16A3B2F90404F
    a, b = (words[0] + multiplier) % 2**64, words[-1]
    multiplier += 2 * 8 * len(words)
    c = (_rotated(b, 37) * multiplier + a) % 2**64
    d = (_rotated(a, 25) + b) * multiplier % 2**64
    e = (c ^ d) * multiplier % 2**64
    f = (d ^ e ^ (e >> 47)) * multiplier % 2**64
    return (f ^ (f >> 47)) * multiplier % 2**63


def _rotated(word: int, bits: int) -> int:
    return (word >> bits | word << (64 - bits)) % 2**64


def code_row(codes, rows: int) -> int:
    """The row of some codes in a table of their own."""
    if len(codes) == 1:
        return int(codes[0]) % rows
    if CODES ** len(codes) > rows:
        return code_key(codes) % rows
    return sum(int(code) * CODES**power for power, code in enumerate(reversed(codes)))


def text(sid) -> str:
    return "".join(chr(0xF0000 + level * CODES + code) for level, code in enumerate(sid))


def pieces(resources: SidTokenizer, sid) -> list[int]:
    processor = sentencepiece.SentencePieceProcessor(model_proto=resources.model)
    return processor.encode(text(sid))


def rows_by_loop(kind: str, resources: SidTokenizer, sid, item_id: bytes) -> list[int]:
    """The table rows of one item, found without TensorFlow."""
    exists = min(sid) >= 0 and max(sid) < CODES
    tables = {
        # Parts of the codes, and the rows of each part's table.
        "unigram": [([0], 8), ([1], 8), ([2], 8)],
        "hashed unigram": [([0], 3), ([1], 3), ([2], 4)],
        "bigram": [([0, 1], 64), ([2], 8)],
        "hashed bigram": [([0, 1], 52), ([2], 8)],
        "prefix": [([0], 8), ([0, 1], 64), ([0, 1, 2], 512)],
        "hashed prefix": [([0], 8), ([0, 1], 52)],
        "id_plus_sid": [([0], 8), ([1], 8), ([2], 8)],
    }
    rows, offset = [], 0
    for levels, size in tables.get(kind, []):
        if exists:
            rows.append(offset + code_row([sid[level] for level in levels], size))
        offset += size
    if kind == "spm" and exists:
        rows = pieces(resources, sid)
    if kind in ("random_hash", "id_plus_sid") and item_id:
        rows.append(offset + id_key(item_id) % (ROWS - offset))
    if kind == "individual_id" and item_id:
        known = sorted(id_key(one) for one in resources.items.item_ids.tolist())
        key = id_key(item_id)
        rows.append(known.index(key) if key in known else len(known))
    return rows
