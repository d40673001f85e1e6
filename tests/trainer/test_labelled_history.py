"""Labels of the history's impressions, from examples and requests to the network."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from semantic_id_ranking.serving.client import MissingInputError
from semantic_id_ranking.serving.client.rank_signature import RankSignature
from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.model import Ranker
from tests.trainer import ranker_cases as cases

TASKS = (cases.CLICK, cases.WATCH)
NAN = float("nan")


@pytest.fixture(scope="module")
def builder(context):
    names = [task.name for task in TASKS]
    return FeatureBuilder(cases.representation(), context, history_length=2, history_labels=names)


def test_examples_are_padded_with_no_label_and_shortened_to_the_history(builder):
    examples = [
        cases.joined_example(),
        cases.joined_example(
            history_sid=[0, 0, 1, 1, 2, 2],
            history_label_click=[0.0, 1.0, 1.0],
            history_label_watch=[5.0, 6.0, 7.0],
        ),
        cases.joined_example(without=("history_sid", "history_label_click", "history_label_watch")),
    ]
    features = builder(tf.io.parse_example(examples, builder.parsing_spec))
    click, watch = (features[f"history_label_{task}"].numpy() for task in ("click", "watch"))
    np.testing.assert_array_equal(click, [[1, NAN], [0, 1], [NAN, NAN]])
    np.testing.assert_array_equal(watch, [[60, 10], [5, 6], [NAN, NAN]])


def test_a_request_has_the_labels_of_its_user(builder):
    for task in ("click", "watch"):
        spec = builder.request_spec[f"history_label_{task}"]
        assert (spec.shape.as_list(), spec.dtype) == ([1, None], tf.float32)


def test_a_network_gets_labels_in_standard_deviations(context, builder):
    moments = {"click": LabelMoments(0.25, 0.5), "watch": LabelMoments(40.0, 10.0)}
    model = Ranker(builder._representation, context.spec, TASKS, cases.SMALL, moments)
    raw = tf.io.parse_example([cases.joined_example()], builder.parsing_spec)
    labels = model.network_inputs(builder(raw)).history_labels
    # By entry, then by task; the click of the second one is not known.
    np.testing.assert_allclose(labels.values, [[[1.5, 2], [0, -3]]])
    np.testing.assert_array_equal(labels.known, [[[True, True], [False, True]]])


def test_a_network_gets_none_where_the_history_is_of_positives(context):
    builder = FeatureBuilder(cases.representation(), context, history_length=2)
    assert not [name for name in builder.parsing_spec if "label" in name]
    model = Ranker(builder._representation, context.spec, TASKS, cases.SMALL)
    raw = tf.io.parse_example([cases.joined_example()], builder.parsing_spec)
    labels = model.network_inputs(builder(raw)).history_labels
    assert labels.values.shape == labels.known.shape == (1, 2, 0)


def test_all_binary_tasks_have_moments_where_they_are_asked_for():
    data = tf.data.Dataset.from_tensors(
        {"label_click": [0.0, 1.0, NAN, 0.0, 0.0], "label_watch": [1.0, 1.0, 1.0, 1.0, 6.0]}
    )
    moments = LabelMoments.measure(data, TASKS, of_all=True)
    assert moments["click"].mean == pytest.approx(0.25)
    assert moments["click"].std == pytest.approx(0.1875**0.5)
    assert moments["watch"] == LabelMoments(2.0, 2.0)


@pytest.fixture(scope="module")
def signature():
    """Reads items by their ids, and labels of two tasks."""
    definition = meta_graph_pb2.SignatureDef()
    for name in ("candidate_item_id", "current_item_id", "history_item_id"):
        definition.inputs[name].dtype = types_pb2.DT_STRING
    for task in ("click", "like"):
        definition.inputs[f"history_label_{task}"].dtype = types_pb2.DT_FLOAT
    definition.outputs["click"].dtype = types_pb2.DT_FLOAT
    return RankSignature(definition)


def inputs(signature, history):
    return signature.inputs({"item_id": ["a"]}, None, history, None, cases.SPACE)


def test_a_client_sends_the_labels_of_the_history(signature):
    assert signature.item_fields == ("item_id",)
    assert signature.history_tasks == ("click", "like")
    labels = {"click": [1, None], "like": np.array([0.5, NAN]), "share": [1, 1]}
    found = inputs(signature, {"item_id": ["b", "c"], "labels": labels})
    np.testing.assert_array_equal(found["history_label_click"], [[1, NAN]])
    np.testing.assert_array_equal(found["history_label_like"], [[0.5, NAN]])
    assert "history_label_share" not in found
    for history in (None, {"item_id": [], "labels": {"click": [], "like": []}}):
        assert inputs(signature, history)["history_label_click"].shape == (1, 0)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (None, MissingInputError, "history holds none of task click; give labels"),
        ({"click": [1, 0]}, MissingInputError, "none of task like"),
        ({"click": [1], "like": [1, 1]}, ValueError, r"click have shape \(1,\); one for each of"),
        ({"click": ["x", 1], "like": [1, 1]}, ValueError, "labels of click are no numbers"),
    ],
)
def test_a_client_names_what_is_wrong_with_labels(signature, labels, error, message):
    history = {"item_id": ["b", "c"]} | ({} if labels is None else {"labels": labels})
    with pytest.raises(error, match=message):
        inputs(signature, history)
