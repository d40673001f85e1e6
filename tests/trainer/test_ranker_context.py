import functools

import numpy as np
import tensorflow as tf
from tensorflow_transform import beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata
from tensorflow_transform.tf_metadata import schema_utils

from semantic_id_ranking.contracts.feature_names import context_feature
from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from semantic_id_ranking.trainer.ranker.preprocessing import preprocessing_fn
from tests.trainer import ranker_cases as cases

# The numbers of `ranker_cases.ANALYSED` that there are.
HOURS = np.array([1.0, 3.0, 8.0])
LENGTHS = np.log1p([0.0, 1.0, 6.0, 0.0, 3.0])


def z(value, values):
    return (value - values.mean()) / values.std()


def test_context_becomes_ids_and_z_scores(context):
    present = tf.constant([[True, True, False], [False] * 3, [True] * 3, [False] * 3])
    raw = {
        "context_tab": tf.constant(["home", "search", "never seen", ""]),
        "context_hour": tf.constant([8.0, 0.0, 4.0, 1.0]),
    }
    features = context(raw, present)
    assert context.spec.categorical == {"context_tab": 3}
    assert context.spec.numeric == ("context_hour", "history_length")
    # "home" is the more frequent word; unknown and empty share the last ID.
    assert features["context_tab"].numpy().tolist() == [0, 1, 2, 2]
    np.testing.assert_allclose(
        features["context_hour"], z(np.array([8.0, 0.0, 4.0, 1.0]), HOURS), rtol=1e-5
    )
    np.testing.assert_allclose(
        features["history_length"], z(np.log1p([2.0, 0.0, 3.0, 0.0]), LENGTHS), rtol=1e-5
    )


def test_missing_context_takes_the_last_id_and_the_mean(context):
    examples = [cases.joined_example(without=("context_tab", "context_hour"))]
    raw = tf.io.parse_example(tf.constant(examples), context.parsing_spec)
    features = context(raw, tf.constant([[True]]))
    assert features["context_tab"].numpy().tolist() == [2]
    assert features["context_hour"].numpy().tolist() == [0.0]


def test_numbers_of_any_size_are_scaled(tmp_path):
    rng = np.random.default_rng(0)
    columns = {
        "huge": (rng.normal(size=40) * 1e30).astype(np.float32),
        "tiny": (rng.normal(size=40) * 1e-30).astype(np.float32),
        "constant": np.full(40, 0.1, np.float32),
    }
    spec = {context_feature(name): tf.io.VarLenFeature(tf.float32) for name in columns}
    spec["history_length"] = tf.io.FixedLenFeature([1], tf.float32)
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    rows = [
        {context_feature(name): [values[row]] for name, values in columns.items()}
        | {"history_length": [1.0]}
        for row in range(40)
    ]
    function = functools.partial(
        preprocessing_fn, custom_config={"categorical": [], "numeric": list(columns)}
    )
    with tft_beam.Context(temp_dir=str(tmp_path)):
        (transformed, _), _ = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(function)
    for name, values in columns.items():
        values = values.astype(np.float64)
        expected = z(values, values) if name != "constant" else np.zeros(40)
        found = [row[context_feature(name)] for row in transformed]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_nan_takes_the_mean(context):
    raw = {"context_tab": tf.constant(["home"]), "context_hour": tf.constant([float("nan")])}
    assert context(raw, tf.constant([[True]]))["context_hour"].numpy().tolist() == [0.0]


def test_only_the_most_recent_history_is_used(context):
    builder = FeatureBuilder(cases.representation(), context, history_length=1)
    raw = tf.io.parse_example(tf.constant([cases.joined_example()]), builder.parsing_spec)
    features = builder(raw)
    assert features["history_sid"].numpy().tolist() == [[[1, 1]]]
    np.testing.assert_allclose(features["history_length"], [z(np.log(2), LENGTHS)], rtol=1e-5)
