"""SavedModels with the signatures of the real ones and arithmetic by hand."""

import os
import pathlib
import threading

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

LEVELS = 2
CODES = 10
DIM = 3
TWO = tf.constant([2.0])


class Info(tf.Module):
    def __init__(self, fingerprint: str, levels: int = LEVELS):
        super().__init__()
        self.fingerprint = fingerprint
        self.levels = levels

    @tf.function(input_signature=[])
    def info(self):
        return {
            "fingerprint": tf.constant(self.fingerprint),
            "levels": tf.constant(self.levels, tf.int64),
            "codebook_size": tf.constant(CODES, tf.int64),
        }


class SidRanker(Info):
    """click = bonus + candidate codes + 10 x current codes + 100 x history codes + price + letters.

    The letters are those of the country. Codes -1 count 0. like = -click.
    """

    def __init__(self, fingerprint: str = "space-a", bonus: float = 0.0):
        super().__init__(fingerprint)
        self.bonus = tf.Variable(bonus)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, LEVELS], tf.int64, name="candidate_sid"),
            tf.TensorSpec([1, LEVELS], tf.int64, name="current_sid"),
            tf.TensorSpec([1, None, LEVELS], tf.int64, name="history_sid"),
            tf.TensorSpec([None], tf.string, name="context_country"),
            tf.TensorSpec([None], tf.float32, name="context_price"),
        ]
    )
    def rank(self, candidate_sid, current_sid, history_sid, context_country, context_price):
        def total(codes, axes):
            return tf.cast(tf.reduce_sum(tf.maximum(codes, 0), axes), tf.float32)

        click = (
            self.bonus
            + total(candidate_sid, [1])
            + 10.0 * total(current_sid, [0, 1])
            + 100.0 * total(history_sid, [0, 1, 2])
            + context_price
            + tf.cast(tf.strings.length(context_country), tf.float32)
        )
        return {"click": click, "like": -click}

    @tf.function
    def rank_top_k(self, top_k, weight_click, weight_like, **inputs):
        scores = self.rank(**inputs)
        weighted = weight_click * scores["click"] + weight_like * scores["like"]
        index = tf.math.top_k(weighted, tf.minimum(top_k, tf.size(weighted))).indices
        best = {task: tf.gather(values, index) for task, values in scores.items()}
        return best | {"candidate_index": index}

    def rank_top_k_function(self):
        specs = {spec.name: spec for spec in self.rank.input_signature}
        scalars = {name: tf.TensorSpec([], name=name) for name in ("weight_click", "weight_like")}
        top_k = tf.TensorSpec([], tf.int32, name="top_k")
        return self.rank_top_k.get_concrete_function(top_k=top_k, **scalars, **specs)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def score(self, examples):
        parsed = tf.io.parse_example(
            examples, {"candidate_sid": tf.io.FixedLenFeature([LEVELS], tf.int64)}
        )
        codes = tf.cast(tf.reduce_sum(parsed["candidate_sid"], 1), tf.float32)
        return {"click": self.bonus + codes, "like": -codes}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float32, name="a"),
            tf.TensorSpec([None], tf.float32, name="b"),
        ]
    )
    def plus(self, a, b=TWO):
        return {"sum": a + b}

    @tf.function(input_signature=[tf.TensorSpec([], tf.string, name="name")])
    def echo(self, name):
        return {"name": name}

    def signatures(self):
        return {
            "serving_default": self.score,
            "rank": self.rank,
            "rank_top_k": self.rank_top_k_function(),
            "info": self.info,
            "plus": self.plus,
            "echo": self.echo,
        }


class HeldRanker(SidRanker):
    """Its signature `hold` gives the bonus once it is let go; in the process that saved it."""

    def __init__(self, bonus: float):
        super().__init__(bonus=bonus)
        self.entered = threading.Event()
        self.let_go = threading.Event()

    @tf.function(input_signature=[])
    def hold(self):
        def wait():
            self.entered.set()
            assert self.let_go.wait(30)
            return np.float32(0)

        return {"bonus": self.bonus + tf.numpy_function(wait, [], tf.float32)}

    def signatures(self):
        return super().signatures() | {"hold": self.hold}


class ItemIdRanker(Info):
    """click = letters of the candidate + 10 x letters of the current item + 100 x items past."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="candidate_item_id"),
            tf.TensorSpec([1], tf.string, name="current_item_id"),
            tf.TensorSpec([1, None], tf.string, name="history_item_id"),
        ]
    )
    def rank(self, candidate_item_id, current_item_id, history_item_id):
        letters = tf.strings.length
        click = (
            letters(candidate_item_id)
            + 10 * letters(current_item_id)
            + 100 * tf.shape(history_item_id)[1]
        )
        return {"click": tf.cast(click, tf.float32)}

    def signatures(self):
        return {"rank": self.rank, "info": self.info}


class DenseRanker(Info):
    """click = first number of the candidate + 10 x that of the current item + 100 x the history's.

    An embedding has three numbers.
    """

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, DIM], tf.float32, name="candidate_embedding"),
            tf.TensorSpec([1, DIM], tf.float32, name="current_embedding"),
            tf.TensorSpec([1, None, DIM], tf.float32, name="history_embedding"),
        ]
    )
    def rank(self, candidate_embedding, current_embedding, history_embedding):
        past = tf.reduce_sum(history_embedding[0, :, 0])
        return {"click": candidate_embedding[:, 0] + 10 * current_embedding[0, 0] + 100 * past}

    def signatures(self):
        return {"rank": self.rank, "info": self.info}


class Encoder(Info):
    """The codes of [a, b, c] are a and b, truncated to whole numbers."""

    def __init__(self, fingerprint: str = "space-a"):
        super().__init__(fingerprint)

    @tf.function(input_signature=[tf.TensorSpec([None, DIM], tf.float32, name="embedding")])
    def encode(self, embedding):
        return {"sid": tf.cast(embedding[:, :LEVELS], tf.int32)}

    def signatures(self):
        return {"serving_default": self.encode, "info": self.info}


def export(model: Info, base_path: pathlib.Path, version: int) -> pathlib.Path:
    """Writes a version, then renames it in whole."""
    base_path.mkdir(parents=True, exist_ok=True)
    written = base_path / f"writing-{version}"
    tf.saved_model.save(model, str(written), signatures=model.signatures())
    os.rename(written, base_path / str(version))
    return base_path / str(version)


def predict_request(
    model: str | None, signature: str = "", version: int | None = None, **inputs
) -> predict_pb2.PredictRequest:
    """A request as the official client makes it."""
    request = predict_pb2.PredictRequest()
    if model is not None:
        request.model_spec.name = model
        request.model_spec.signature_name = signature
        if version is not None:
            request.model_spec.version.value = version
    for alias, value in inputs.items():
        request.inputs[alias].CopyFrom(tf.make_tensor_proto(value))
    return request


def example(*codes: int) -> bytes:
    """A serialized tf.Example with the candidate's codes."""
    return tf.train.Example(
        features=tf.train.Features(
            feature={"candidate_sid": tf.train.Feature(int64_list=tf.train.Int64List(value=codes))}
        )
    ).SerializeToString()
