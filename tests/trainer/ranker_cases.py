"""Small rankers and joined examples, for the ranker's tests."""

import numpy as np
import tensorflow as tf

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.model import Ranker
from semantic_id_ranking.trainer.ranker.representations import REGISTRY
from semantic_id_ranking.trainer.ranker.representations.item_representation import (
    ItemRepresentation,
)
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

LEVELS, CODES, DIM = 2, 4, 3
SPACE = SidSpace("0123456789abcdef", LEVELS, CODES, 16)
CLICK = TaskConfig("click", "clicked", "binary", 1.0)
WATCH = TaskConfig("watch", "watch_seconds", "regression", 0.5)
SMALL = RankerConfig(
    embedding_dim=DIM,
    context_dim=2,
    cross_layers=1,
    bottom_widths=(8,),
    head_widths=(4,),
    epochs=1,
    batch_size=16,
)
# Context columns, and what Transform sees of them: tab, hour, history length.
COLUMNS = {"categorical": ["tab"], "numeric": ["hour"]}
ANALYSED = [
    ("home", 1.0, 0.0),
    ("home", 3.0, 1.0),
    ("search", 8.0, 6.0),
    (None, None, 0.0),
    ("", float("nan"), 3.0),
]
# Days since the candidate was created.
AGES = [0.0, 1.5, 30.0, -2.0, 400.0]

COUNTED_COLUMNS = {**COLUMNS, "counters": ["click"]}
# Impressions, labels and positives: of the item (all time, recent), of the user, of the user with
# items of the same first code and of the same first two. The labels' mean is 3 / 4.
COUNTED = {
    "context_item_counters": [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [9.0, 8.0, 2.0, 1.5, 1.25, 0.5],
        [100.0, 100.0, 90.0, 20.0, 20.0, 19.5],
        [3.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [40.0, 30.0, 0.0, 0.5, 0.5, 0.0],
    ],
    "context_user_counters": [
        [0.0, 0.0, 0.0],
        [5.0, 5.0, 5.0],
        [50.0, 40.0, 3.0],
        [1.0, 1.0, 0.0],
        [7.0, 7.0, 4.0],
    ],
    "context_user_code_counters": [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [5.0, 5.0, 5.0, 1.0, 1.0, 1.0],
        [30.0, 20.0, 2.0, 4.0, 4.0, 0.0],
        [1.0, 1.0, 0.0, 1.0, 1.0, 0.0],
        [6.0, 6.0, 3.0, 0.0, 0.0, 0.0],
    ],
    # The label of the third row is none.
    "label_click": [[1.0], [1.0], [0.0], [0.0], [1.0]],
    "weight_click": [[1.0], [1.0], [0.0], [1.0], [1.0]],
}

_EXAMPLE = {
    "candidate_item_id": [b"i01"],
    "candidate_sid": [0, 1],
    "current_item_id": [b"i23"],
    "current_sid": [2, 3],
    "history_item_id": [b"i11", b"i30"],
    "history_sid": [1, 1, 3, 0],
    "candidate_embedding": [0.5] * 16,
    "current_embedding": [-0.25] * 16,
    "history_embedding": [0.125, 1.0] * 16,
    "history_label_click": [1.0, float("nan")],
    "history_label_watch": [60.0, 10.0],
    "history_length": [2.0],
    "label_click": [1.0],
    "label_watch": [30.0],
    "weight_click": [1.0],
    "weight_watch": [1.0],
    "context_tab": [b"home"],
    "context_hour": [12.0],
    "context_item_age_days": [3.0],
    "context_item_counters": [9.0, 8.0, 2.0, 1.5, 1.25, 0.5],
    "context_user_counters": [7.0, 7.0, 4.0],
    "context_user_code_counters": [6.0, 6.0, 3.0, 1.0, 1.0, 1.0],
}
_LISTS = {
    bytes: ("bytes_list", tf.train.BytesList),
    float: ("float_list", tf.train.FloatList),
    int: ("int64_list", tf.train.Int64List),
}


def representation(name: str = "sid_ngram", dim: int = DIM) -> ItemRepresentation:
    """A representation with a table of eight rows."""
    return REGISTRY[name](rows=8).create(dim, SidTokenizer(SPACE))


def features(sids: list[list[int]], history: list[list[list[int]]], current=None) -> dict:
    """Features of a `sid` ranker without context columns."""
    current = [[-1] * LEVELS] * len(history) if current is None else current
    return {
        "candidate_sid": tf.constant(sids, tf.int64),
        "current_sid": tf.constant(current, tf.int64),
        "history_sid": tf.constant(history, tf.int64),
        "history_length": tf.zeros([len(history)]),
    }


def ranker(tasks=(CLICK,), config=SMALL, context=None, moments=None, layer=None) -> Ranker:
    """A small ranker with random weights that depend on the seed alone."""
    context = context or ContextSpec()
    tf.keras.utils.set_random_seed(config.seed)
    model = Ranker(layer or representation(), context, tasks, config, moments or {})
    ids = {name: tf.zeros([1], tf.int64) for name in context.categorical}
    numbers = {name: tf.zeros([1]) for name in context.numeric}
    model({**features([[0] * LEVELS], [[[0] * LEVELS]]), **ids, **numbers})
    return model


def joined_example(without: tuple[str, ...] = (), **changes) -> bytes:
    """A serialized joined example: candidate (0, 1), current item (2, 3), history of two."""
    feature = {}
    for name, usual in _EXAMPLE.items():
        if name not in without:
            kind, message = _LISTS[type(usual[0])]
            value = message(value=changes.get(name, usual))
            feature[name] = tf.train.Feature(**{kind: value})
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def random_examples(count: int, seed: int = 0) -> list[bytes]:
    """Examples that are clicked and watched for 900 s if the candidate's first code is 0."""
    rng = np.random.default_rng(seed)
    examples = []
    for _ in range(count):
        candidate, current = rng.integers(0, CODES, (2, LEVELS))
        history = rng.integers(0, CODES, (rng.integers(0, 5), LEVELS))
        clicked = float(candidate[0] == 0)
        without = ("context_hour",) if rng.random() < 0.1 else ()
        examples.append(
            joined_example(
                without,
                candidate_sid=candidate.tolist(),
                candidate_item_id=[_name(candidate)],
                current_sid=current.tolist(),
                current_item_id=[_name(current)],
                history_sid=history.ravel().tolist(),
                history_item_id=[_name(sid) for sid in history],
                candidate_embedding=embedding_of(candidate),
                current_embedding=embedding_of(current),
                history_embedding=[x for sid in history for x in embedding_of(sid)],
                history_label_click=rng.choice([0.0, 1.0, np.nan], len(history)).tolist(),
                history_label_watch=rng.normal(60, 30, len(history)).tolist(),
                history_length=[float(len(history))],
                label_click=[clicked],
                label_watch=[900.0 * clicked],
                context_tab=[bytes(rng.choice([b"home", b"home", b"search"]))],
                context_hour=[float(rng.integers(0, 24))],
            )
        )
    return examples


def write_examples(path: str, examples: list[bytes]) -> str:
    """Writes a gzipped TFRecord file."""
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for example in examples:
            writer.write(example)
    return path


def embedding_of(sid) -> list[float]:
    """Content embedding [16] of the item with a Semantic ID."""
    return np.eye(16)[CODES * sid[0] + sid[1]].tolist()


def _name(sid: np.ndarray) -> bytes:
    return b"i%d%d" % tuple(sid)
