"""The candidate's age as a feature: one value in training, evaluation and serving."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from semantic_id_ranking.trainer.ranker.context_transform import ContextTransform
from semantic_id_ranking.trainer.ranker.export import export_ranker
from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from semantic_id_ranking.trainer.ranker.model import Ranker
from tests.trainer import ranker_cases as cases

LOGS = np.log1p([0.0, 1.5, 30.0, 0.0, 400.0])


@pytest.fixture(scope="module")
def aged(aged_transform_path) -> ContextTransform:
    output = tft.TFTransformOutput(aged_transform_path)
    return ContextTransform(output, **cases.COLUMNS, item_age=True)


def z(days):
    return (np.log1p(days) - LOGS.mean()) / LOGS.std()


def ages_of(context, examples: list[bytes]) -> np.ndarray:
    raw = tf.io.parse_example(tf.constant(examples), context.parsing_spec)
    features = context(raw, tf.fill([len(examples), 1], True))
    return features["context_item_age_days"].numpy()


def test_an_age_is_the_z_score_of_its_logarithm(aged):
    assert aged.spec.numeric == ("context_hour", "context_item_age_days", "history_length")
    days = [0.0, 3.0, 1000.0]
    examples = [cases.joined_example(context_item_age_days=[day]) for day in days]
    np.testing.assert_allclose(ages_of(aged, examples), z(days), rtol=1e-4)


def test_an_age_below_zero_is_zero(aged):
    examples = [cases.joined_example(context_item_age_days=[day]) for day in (-5.0, 0.0)]
    below, zero = ages_of(aged, examples)
    assert below == zero


def test_a_missing_age_is_the_mean(aged):
    examples = [
        cases.joined_example(without=("context_item_age_days",)),
        cases.joined_example(context_item_age_days=[float("nan")]),
    ]
    assert ages_of(aged, examples).tolist() == [0.0, 0.0]


def test_without_the_option_nothing_reads_it(context):
    builder = FeatureBuilder(cases.representation(), context, history_length=3)
    for names in (builder.parsing_spec, builder.request_spec, context.spec.numeric):
        assert "context_item_age_days" not in names


def test_both_signatures_take_it_by_candidate(aged, tmp_path):
    builder = FeatureBuilder(cases.representation(), aged, history_length=3)
    model = Ranker(builder._representation, aged.spec, (cases.CLICK,), cases.SMALL)
    days = [0.0, 2.5, 90.0]
    examples = tf.constant([cases.joined_example(context_item_age_days=[day]) for day in days])
    expected = model(builder(tf.io.parse_example(examples, builder.parsing_spec)))["click"]
    export_ranker(model, builder, cases.SPACE, "sid_ngram", str(tmp_path / "model"))
    signatures = tf.saved_model.load(str(tmp_path / "model")).signatures
    served = signatures["serving_default"](examples=examples)["click"]
    request = {
        "candidate_sid": tf.constant([[0, 1]] * 3, tf.int64),
        "current_sid": tf.constant([[2, 3]], tf.int64),
        "history_sid": tf.constant([[[1, 1], [3, 0]]], tf.int64),
        "context_tab": tf.constant(["home"]),
        "context_hour": tf.constant([12.0]),
    }
    ranked = signatures["rank"](**request, context_item_age_days=tf.constant(days))["click"]
    np.testing.assert_allclose(served, expected, rtol=1e-5)
    np.testing.assert_allclose(ranked, expected, rtol=1e-5)
    assert len(set(expected.numpy())) == 3
    one = signatures["rank"](**request, context_item_age_days=tf.constant([2.5]))["click"]
    np.testing.assert_allclose(one, [expected[1]] * 3, rtol=1e-5)
