"""Warm-up requests of a model's export."""

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from semantic_id_ranking.trainer.warmup import blank_example
from semantic_id_ranking.trainer.warmup import write_warmup_requests

SPEC = {
    "sid": tf.io.FixedLenFeature([2], tf.int64),
    "name": tf.io.FixedLenFeature([], tf.string),
    "price": tf.io.FixedLenFeature([], tf.float32, 1.0),
    "history": tf.io.FixedLenSequenceFeature([2], tf.int64, allow_missing=True),
    "tags": tf.io.VarLenFeature(tf.string),
}


class Model(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def score(self, examples):
        return {"score": tf.io.parse_example(examples, SPEC)["price"]}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 2], tf.int64, name="candidate_sid"),
            tf.TensorSpec([1, None, 2], tf.int64, name="history_sid"),
            tf.TensorSpec([None], tf.string, name="country"),
        ]
    )
    def rank(self, candidate_sid, history_sid, country):
        tf.debugging.assert_equal(tf.shape(candidate_sid)[0], tf.shape(country)[0])
        total = tf.reduce_sum(candidate_sid, 1) + tf.reduce_sum(history_sid)
        return {"score": total + tf.cast(tf.strings.length(country), tf.int64)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 2], tf.int64, name="candidate_sid"),
            tf.TensorSpec(None, tf.float32, name="price"),
        ]
    )
    def many(self, candidate_sid, price):
        return {"score": tf.shape(candidate_sid)[:2] + tf.cast(tf.reshape(price[:1], []), tf.int32)}

    @tf.function(input_signature=[])
    def info(self):
        return {"levels": tf.constant(2)}


@pytest.fixture
def directory(tmp_path):
    model = Model()
    signatures = {"serving_default": model.score, "rank": model.rank, "info": model.info}
    signatures["rank_many"] = model.many
    tf.saved_model.save(model, str(tmp_path), signatures)
    return tmp_path


def logs(directory):
    path = str(directory / "assets.extra" / "tf_serving_warmup_requests")
    records = tf.data.TFRecordDataset(path).as_numpy_iterator()
    return [prediction_log_pb2.PredictionLog.FromString(record).predict_log for record in records]


def test_every_signature_answers_its_requests(directory):
    write_warmup_requests(str(directory), "m", {"examples": blank_example(SPEC)}, sizes=(1, 7))
    signatures = tf.saved_model.load(str(directory)).signatures
    answered = []
    for log in logs(directory):
        request = log.request
        assert request.model_spec.name == "m"
        name = request.model_spec.signature_name
        inputs = {
            alias: tf.constant(tf.make_ndarray(proto)) for alias, proto in request.inputs.items()
        }
        (output,) = signatures[name](**inputs).values()
        answered.append((name, output.shape.as_list()))
    assert answered == [
        ("info", []),
        ("rank", [1]),
        ("rank", [7]),
        ("rank_many", [2]),
        ("rank_many", [2]),
        ("serving_default", [1]),
        ("serving_default", [7]),
    ]


def test_dimensions_after_the_first_open_one_stay_small(directory):
    write_warmup_requests(str(directory), "m", {"examples": blank_example(SPEC)}, sizes=(1, 100))
    shapes = [
        {alias: tf.make_ndarray(proto).shape for alias, proto in log.request.inputs.items()}
        for log in logs(directory)
        if log.request.model_spec.signature_name == "rank_many"
    ]
    assert shapes == [
        {"candidate_sid": (1, 1, 2), "price": (1,)},
        {"candidate_sid": (100, 10, 2), "price": (100,)},
    ]


def test_a_blank_example_holds_zeros_where_a_feature_has_a_length():
    parsed = tf.io.parse_single_example(blank_example(SPEC), SPEC)
    assert parsed["sid"].numpy().tolist() == [0, 0]
    assert parsed["name"].numpy() == b""
    assert parsed["price"].numpy() == 0.0
    assert parsed["history"].shape == [0, 2]
    assert parsed["tags"].dense_shape.numpy().tolist() == [0]
