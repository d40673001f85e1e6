"""Context columns of any name, from Transform to the client's request."""

import functools

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_transform import beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata
from tensorflow_transform.tf_metadata import metadata_io
from tensorflow_transform.tf_metadata import schema_utils

from semantic_id_ranking.contracts.feature_names import context_feature
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.client.rank_signature import RankSignature
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.context_transform import ContextTransform
from semantic_id_ranking.trainer.ranker.export import export_ranker
from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from semantic_id_ranking.trainer.ranker.preprocessing import preprocessing_fn
from tests.trainer import ranker_cases as cases

CATEGORICAL = ["device.os", "device-os", "Gerät", "gerät", "a 'b' \"c\"", "2nd", "🎬"]
NUMERIC = ["user-agent length", "tab"]
TASKS = (TaskConfig("likeRate", "liked"), TaskConfig("Klick_ä", "clicked"))


def test_columns_of_any_name_are_trained_exported_and_asked_for(tmp_path):
    spec = {context_feature(c): tf.io.VarLenFeature(tf.string) for c in CATEGORICAL}
    spec |= {context_feature(c): tf.io.VarLenFeature(tf.float32) for c in NUMERIC}
    spec["history_length"] = tf.io.FixedLenFeature([1], tf.float32)
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    # Each categorical column has words of its own, the first of them twice.
    rows = [
        {context_feature(c): [f"{c}{k}"] for c in CATEGORICAL}
        | {context_feature(c): [float(k)] for c in NUMERIC}
        | {"history_length": [float(k)]}
        for k in (0, 1, 0)
    ]
    columns = {"categorical": CATEGORICAL, "numeric": NUMERIC}
    graph = str(tmp_path / "graph")
    with tft_beam.Context(temp_dir=str(tmp_path / "tmp")):
        fitted = (rows, metadata) | tft_beam.AnalyzeDataset(
            functools.partial(preprocessing_fn, custom_config=columns)
        )
        _ = fitted | tft_beam.WriteTransformFn(graph)
    metadata_io.write_metadata(metadata, f"{graph}/metadata")
    context = ContextTransform(tft.TFTransformOutput(graph), CATEGORICAL, NUMERIC)
    layer = cases.representation()
    model = cases.ranker(TASKS, context=context.spec, layer=layer)
    for number, weight in enumerate(model.trainable_weights):
        weight.assign(np.random.default_rng(number).normal(0, 0.5, weight.shape))
    builder = FeatureBuilder(layer, context, history_length=5)
    export_ranker(model, builder, cases.SPACE, "sid_ngram", str(tmp_path / "ranker"))

    saved = saved_model_pb2.SavedModel.FromString(
        (tmp_path / "ranker" / "saved_model.pb").read_bytes()
    )
    signature = RankSignature(saved.meta_graphs[0].signature_def["rank"])
    assert set(signature.context_columns) == {*CATEGORICAL, *NUMERIC}
    loaded = tf.saved_model.load(str(tmp_path / "ranker"))
    space = SidSpace(cases.SPACE.fingerprint, cases.LEVELS, cases.CODES)
    asked = {c: f"{c}0" for c in CATEGORICAL} | dict.fromkeys(NUMERIC, 0.0)

    def scores(**changed):
        inputs = signature.inputs({"sid": [[0, 1]]}, None, None, {**asked, **changed}, space)
        inputs |= signature.top_k_inputs(1, {"likeRate": 1.0})
        tensors = {name: tf.constant(values) for name, values in inputs.items()}
        tensors["current_sid"] = tf.cast(tensors["current_sid"], tf.int64)
        outputs = loaded.signatures["rank_top_k"](**tensors)
        return [float(outputs[task.name][0]) for task in TASKS]

    # Each column reaches the model by its own name: another value of it changes the scores.
    usual = scores()
    for column in CATEGORICAL:
        assert scores(**{column: f"{column}1"}) != usual, column
    for column in NUMERIC:
        assert scores(**{column: 1.0}) != usual, column


def test_a_ranker_exported_under_other_names_is_asked_by_those():
    inputs = {"candidate_sid": tf.int64, "context_Tab": tf.string, "context_hour": tf.float32}
    definition = meta_graph_pb2.SignatureDef()
    for name, dtype in inputs.items():
        definition.inputs[name].dtype = dtype.as_datatype_enum
    signature = RankSignature(definition)
    context = {"Tab": "home", "hour": 3.0}
    space = SidSpace("0" * 16, 2, 4)
    arrays = signature.inputs({"sid": [[0, 1]]}, None, None, context, space)
    assert arrays["context_Tab"].tolist() == [b"home"]
    assert arrays["context_hour"].tolist() == [3.0]
