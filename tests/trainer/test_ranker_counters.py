"""Counters as features: one value in training, evaluation and serving."""

import json
import os
import urllib.request
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.contracts.counters import PRIOR_LABELS
from semantic_id_ranking.serving.client import MissingInputError
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.serving.server.model_server import ModelServer
from semantic_id_ranking.trainer.exported_model import check_exported_model
from semantic_id_ranking.trainer.ranker.counter_features import log_impressions
from semantic_id_ranking.trainer.ranker.counter_features import rate_log_odds
from semantic_id_ranking.trainer.ranker.export import export_ranker
from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from semantic_id_ranking.trainer.ranker.model import Ranker
from tests.trainer import ranker_cases as cases

COLUMNS = ("context_item_counters", "context_user_counters", "context_user_code_counters")
# Of the analysed labels.
RATE = 0.75
ITEMS = [[0.0] * 6, [9.0, 8.0, 2.0, 1.5, 1.25, 0.5], [100.0, 100.0, 90.0, 20.0, 20.0, 19.5]]
USER = [7.0, 7.0, 4.0]
CODES = [[0.0] * 6, [6.0, 6.0, 3.0, 1.0, 1.0, 1.0], [6.0, 6.0, 3.0, 0.0, 0.0, 0.0]]
REQUEST = {
    "candidate_sid": [[0, 1]] * 3,
    "current_sid": [[2, 3]],
    "history_sid": [[[1, 1], [3, 0]]],
    "context_tab": ["home"],
    "context_hour": [12.0],
    "context_item_counters": ITEMS,
    "context_user_counters": [USER],
    "context_user_code_counters": CODES,
}


def log_odds(rate):
    return np.log(rate / (1 - rate))


def by_hand(name: str, counters) -> np.ndarray:
    """Features of one task's counters, block by block, without TensorFlow."""
    analysed = np.log1p(np.reshape(cases.COUNTED[name], (5, -1, 3))[..., 0])
    features = []
    for block, (impressions, labels, positives) in enumerate(np.reshape(counters, (-1, 3))):
        mean, deviation = analysed[:, block].mean(), analysed[:, block].std()
        features.append((np.log1p(impressions) - mean) / deviation)
        rate = (positives + 10 * RATE) / (labels + 10)
        features.append(log_odds(rate) - log_odds(RATE))
    return np.array(features)


def transformed(context, **changes) -> dict[str, np.ndarray]:
    example = tf.constant([cases.joined_example(**changes)])
    raw = tf.io.parse_example(example, context.parsing_spec)
    features = context(raw, tf.constant([[True]]))
    return {name: values.numpy() for name, values in features.items()}


def test_rates_are_smoothed_towards_the_mean():
    assert PRIOR_LABELS == 10
    counters = tf.constant([[0, 0, 0, 0, 0], [3, 2, 1, 90, 0]], tf.float32)
    rates = tf.constant([0.25, 0.1])
    # (1 + 2.5) / (2 + 10), and (0 + 1) / (90 + 10).
    second = [log_odds(3.5 / 12) - log_odds(0.25), log_odds(0.01) - log_odds(0.1)]
    found = rate_log_odds(counters, rates).numpy()
    np.testing.assert_allclose(found, [[[0, 0]], [second]], rtol=1e-5)
    np.testing.assert_allclose(log_impressions(counters, 2), [[0], [np.log(4)]], rtol=1e-6)


def test_one_counter_that_is_not_known_hides_what_needs_it():
    nan = float("nan")
    counters = tf.constant([[nan, 2.0, 2.0, 3.0, nan, 1.0], [1.0, 1.0, nan, 1.0, 9.0, 9.0]])
    unknown = np.isnan(log_impressions(counters, 1))
    assert unknown.tolist() == [[True, False], [False, False]]
    found = rate_log_odds(counters, tf.constant([0.5]))[..., 0].numpy()
    assert (found == 0).tolist() == [[False, True], [True, False]]


def test_no_counter_makes_a_feature_that_is_not_finite():
    infinite = float("inf")
    counters = [[-3.0, -1.0, -2.0], [1.0, 1.0, 5.0], [3e38, 3e38, 3e38], [1.0, infinite, 1.0]]
    found = rate_log_odds(tf.constant(counters), tf.constant([0.5])).numpy().ravel()
    assert np.isfinite(found).all()
    assert (found[0], found[3]) == (0, 0)
    # Positives are as many as labels.
    np.testing.assert_allclose(found[1], log_odds(6 / 11), rtol=1e-5)
    assert log_impressions(tf.constant(counters), 1).numpy()[0] == 0


def test_features_are_those_computed_by_hand(counted):
    assert counted.spec.counters == dict(zip(COLUMNS, (4, 2, 4), strict=True))
    features = transformed(counted, context_item_counters=ITEMS[2])
    for name, counters in zip(COLUMNS, (ITEMS[2], USER, CODES[1]), strict=True):
        np.testing.assert_allclose(features[name][0], by_hand(name, counters), rtol=1e-4)


def test_counters_that_are_not_known_are_the_mean(counted):
    nan = float("nan")
    features = transformed(
        counted, context_item_counters=[nan] * 6, context_user_counters=[nan, 7.0, 4.0]
    )
    assert features["context_item_counters"].tolist() == [[0.0] * 4]
    expected = by_hand("context_user_counters", USER)
    np.testing.assert_allclose(features["context_user_counters"][0], [0, expected[1]], rtol=1e-4)


def test_without_the_option_nothing_reads_them(context):
    builder = FeatureBuilder(cases.representation(), context, history_length=3)
    for names in (builder.parsing_spec, builder.request_spec, context.spec.counters):
        assert not set(COLUMNS) & set(names)


class Served(NamedTuple):
    """An exported ranker, and what it predicted of serialized examples before the export."""

    folder: str
    signatures: Mapping
    examples: tf.Tensor
    predicted: np.ndarray


@pytest.fixture(scope="module")
def served(counted, tmp_path_factory):
    """A ranker that was not trained."""
    folder = str(tmp_path_factory.mktemp("counted") / "1")
    builder = FeatureBuilder(cases.representation(), counted, history_length=3)
    tf.keras.utils.set_random_seed(1)
    model = Ranker(builder._representation, counted.spec, (cases.CLICK,), cases.SMALL)
    examples = tf.constant(
        [
            cases.joined_example(context_item_counters=item, context_user_code_counters=codes)
            for item, codes in zip(ITEMS, CODES, strict=True)
        ]
    )
    predicted = model(builder(tf.io.parse_example(examples, builder.parsing_spec)))["click"]
    export_ranker(model, builder, cases.SPACE, "sid_ngram", folder)
    return Served(folder, tf.saved_model.load(folder).signatures, examples, predicted.numpy())


def request(signature, **changes) -> dict[str, tf.Tensor]:
    _, specs = signature.structured_input_signature
    values = {**REQUEST, **changes}
    return {name: tf.constant(values[name], spec.dtype) for name, spec in specs.items()}


def test_all_signatures_give_what_training_computes(served):
    _, signatures, examples, predicted = served
    assert len(set(predicted)) == 3
    found = signatures["serving_default"](examples=examples)["click"]
    np.testing.assert_allclose(found, predicted, rtol=1e-5)
    rank = signatures["rank"]
    np.testing.assert_allclose(rank(**request(rank))["click"], predicted, rtol=1e-5)
    best = signatures["rank_top_k"]
    answer = best(**request(best, top_k=2, weight_click=1.0))
    order = np.argsort(-predicted)[:2]
    assert answer["candidate_index"].numpy().tolist() == order.tolist()
    np.testing.assert_allclose(answer["click"], predicted[order], rtol=1e-5)
    many = signatures["rank_many"]
    by_candidate = ("candidate_sid", "context_item_counters", "context_user_code_counters")
    users = {name: [REQUEST[name]] for name in by_candidate}
    counts = {
        "candidate_count": [len(predicted)],
        "history_count": [len(REQUEST["history_sid"][0])],
    }
    found = many(**request(many, **users, **counts))["click"]
    np.testing.assert_allclose(found, predicted[None], rtol=1e-5)


def test_a_request_has_counters_by_candidate_and_of_its_user(served):
    _, specs = served.signatures["rank"].structured_input_signature
    shapes = [specs[name].shape.as_list() for name in COLUMNS]
    assert shapes == [[None, 6], [1, 3], [None, 6]]


@pytest.mark.parametrize("column", COLUMNS)
def test_each_column_counts(served, column):
    _, signatures, _, predicted = served
    rank = signatures["rank"]
    other = (np.array(REQUEST[column]) * 2 + 1).tolist()
    changed = rank(**request(rank, **{column: other}))["click"].numpy()
    assert (changed != predicted).any()


@pytest.mark.parametrize("column", COLUMNS)
def test_an_example_without_counters_is_refused_by_their_name(served, column):
    example = cases.joined_example(without=(column,))
    with pytest.raises(tf.errors.InvalidArgumentError, match=column):
        served.signatures["serving_default"](examples=tf.constant([example]))


def test_the_warm_up_requests_of_an_export_are_answered(served):
    assert check_exported_model(served.folder) == cases.SPACE


@pytest.fixture(scope="module")
def server(served):
    with ModelServer({"ranker": os.path.dirname(served.folder)}, rest_port=0) as running:
        yield running


CONTEXT = {
    "tab": "home",
    "hour": 12.0,
    "item_counters": ITEMS,
    "user_counters": USER,
    "user_code_counters": CODES,
}
OF_USER = {"current": {"sid": [2, 3]}, "history": {"sid": [[1, 1], [3, 0]]}}


def test_a_client_gives_counters_as_columns_of_the_context(server, served):
    with RankerClient(server.address) as client:
        scores = client.rank({"sid": [[0, 1]] * 3}, context=CONTEXT, **OF_USER)
        np.testing.assert_allclose(scores["click"], served.predicted, rtol=1e-5)
        best = client.rank_top_k({"sid": [[0, 1]] * 3}, context=CONTEXT, top_k=1, **OF_USER)
        assert best.index.tolist() == [served.predicted.argmax()]
        unknown = client.rank(
            {"sid": [[0, 1]] * 3}, context={**CONTEXT, "item_counters": [float("nan")] * 6}
        )
        assert np.isfinite(unknown["click"]).all()


@pytest.mark.parametrize(
    ("column", "kind"),
    [("item_counters", "6 of"), ("user_counters", "3 of"), ("user_code_counters", "6 of")],
)
def test_a_client_names_counters_that_are_missing(server, column, kind):
    given = {name: value for name, value in CONTEXT.items() if name != column}
    message = rf"missing: {column} \({kind} float32\)"
    with RankerClient(server.address) as client, pytest.raises(MissingInputError, match=message):
        client.rank({"sid": [[0, 1]] * 3}, context=given)


def test_counters_in_json(server, served):
    body = json.dumps({"signature_name": "rank", "inputs": REQUEST}).encode()
    url = f"http://{server.rest_address}/v1/models/ranker:predict"
    with urllib.request.urlopen(url, body) as response:
        outputs = json.load(response)["outputs"]
    np.testing.assert_allclose(np.ravel(outputs), served.predicted, rtol=1e-5)
