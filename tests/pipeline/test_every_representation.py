"""Every representation on a run's examples: training, export and serving."""

import glob
import json
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401  SentencePiece's ops
from tfx import types
from tfx.types import artifact_utils
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.artifacts import State
from semantic_id_ranking.components.feature_joiner.executor import Executor
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.dag import create_pipeline
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.pipeline.look_at_inputs import look_at_inputs
from semantic_id_ranking.trainer.ranker.run_fn import run_fn
from semantic_id_ranking.trainer.ranker.run_fn import TrainingArguments
from semantic_id_ranking.trainer.tokenizer.config import TokenizerConfig
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

ROWS = 100
QUICK = ["ranker.bottom_widths=[8]", "ranker.head_widths=[]", "ranker.epochs=2"]
# Overrides of the configuration, and the table rows that they make.
REPRESENTATIONS = {
    "random_hash": (["representation={name: random_hash, rows: 100}"], ROWS),
    "individual_id": (["representation={name: individual_id}"], "items"),
    "dense": (["representation={name: dense}"], 0),
    "dense_projected": (["representation={name: dense_projected, factor: 1.5}"], 0),
    "unigram": (["representation={name: sid_ngram, rows: 100}"], 3 * 16),
    "hashed bigram": (["representation={name: sid_ngram, n: 2, rows: 100}"], ROWS),
    "prefix": (["representation={name: sid_prefix, depth: 2, rows: 100}"], ROWS),
    "spm unigram": (["representation={name: sid_spm, rows: 100}"], ROWS),
    "spm bpe": (["representation={name: sid_spm, rows: 100}", "tokenizer.model=bpe"], ROWS),
    "spm short pieces": (
        ["representation={name: sid_spm, rows: 100}", "tokenizer.max_piece_codes=2"],
        ROWS,
    ),
    "spm sampled": (["representation={name: sid_spm, rows: 100, sampling: 0.2}"], ROWS),
    "id_plus_sid": (["representation={name: id_plus_sid, rows: 100}"], ROWS),
    "sid_hybrid": (["representation={name: sid_hybrid, rows: 100}"], ROWS),
    "separate tables": (
        ["representation={name: sid_prefix, depth: 2, rows: 100, separate_tables: true}"],
        3 * ROWS,
    ),
    "history attention": (
        ["representation={name: sid_hybrid, rows: 100}", "ranker.history_pooling=attention"],
        ROWS,
    ),
}


def nodes(finished_run, config: Config, folder: pathlib.Path) -> dict[str, dict]:
    """The execution parameters that `sid run` would give each component."""
    inputs = look_at_inputs(finished_run.items, finished_run.impressions, config)
    pipeline = create_pipeline(inputs, config, Destinations.under(str(folder)))
    return {component.id: component.exec_properties for component in pipeline.components}


def of_type(kind: type, uri: str) -> types.Artifact:
    artifact = kind()
    artifact.uri = uri
    if kind is standard_artifacts.Examples:
        artifact.split_names = artifact_utils.encode_split_names(["train", "eval"])
    return artifact


@pytest.fixture(scope="module")
def joined(finished_run, tmp_path_factory):
    """Folders of joined examples: the run's own, and the same joined with all fields of items."""
    records = finished_run.records
    config = load_config(finished_run.config, REPRESENTATIONS["dense"][0])
    folder = tmp_path_factory.mktemp("joined")
    outputs = {
        "examples": standard_artifacts.Examples,
        "schema": standard_artifacts.Schema,
        "state": State,
    }
    for name in outputs:
        (folder / name).mkdir()
    joiner = nodes(finished_run, config, folder)["FeatureJoiner"]
    every_field = {**json.loads(joiner["parameters"]), "item_fields": ["sid", "embedding"]}
    Executor().Do(
        {
            "impressions": [
                of_type(
                    standard_artifacts.Examples, records.output("ImpressionGen", "examples").uri
                )
            ],
            "items": [
                of_type(standard_artifacts.Examples, records.output("ItemGen", "examples").uri)
            ],
            "semantic_ids": [
                of_type(SemanticIds, records.output("SemanticIdGen", "semantic_ids").uri)
            ],
        },
        {name: [of_type(kind, str(folder / name))] for name, kind in outputs.items()},
        {**joiner, "parameters": json.dumps(every_field)},
    )
    return {False: records.output("FeatureJoiner", "examples").uri, True: str(folder / "examples")}


@pytest.fixture(scope="module", params=REPRESENTATIONS)
def trained(request, finished_run, joined, tmp_path_factory):
    """The SavedModel of a ranker that learnt something, within its table rows."""
    overrides, rows = REPRESENTATIONS[request.param]
    config = load_config(finished_run.config, [*QUICK, *overrides])
    records = finished_run.records
    folder = tmp_path_factory.mktemp("ranker")
    parameters = nodes(finished_run, config, folder)
    # The run's tokenizer directory, with the pieces of this configuration.
    tokenizer = str(folder / "tokenizer")
    shutil.copytree(
        path_utils.serving_model_path(records.output("SidTokenizerTrainer", "model").uri), tokenizer
    )
    first = SidTokenizer.load(tokenizer)
    items = first.require_items()
    SidTokenizer.fit(
        items.sids,
        items.impressions,
        first.space,
        parameters["SidTokenizerTrainer"]["rows"],
        items.item_ids,
        first.codebooks,
        TokenizerConfig(**json.loads(parameters["SidTokenizerTrainer"]["config"])),
    ).save(tokenizer)
    custom = json.loads(parameters["Trainer.ranker"]["custom_config"])
    examples = joined["embedding" in config.representation.item_fields]
    run_fn(
        TrainingArguments(
            train_files=[f"{examples}/Split-train/*"],
            eval_files=[f"{examples}/Split-eval/*"],
            transform_output=records.output("Transform", "transform_graph").uri,
            tokenizer=tokenizer,
            days=[0],
            previous=None,
            ranker_state_dir=str(folder / "state"),
            serving_model_dir=str(folder / "model"),
            model_run_dir=str(folder / "run"),
            custom_config=custom,
        )
    )
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    expected = len(items.item_ids) + 1 if rows == "items" else rows
    assert (metrics["representation"], metrics["table_rows"]) == (
        config.representation.name,
        expected,
    )
    # Topics are learnt from codes and embeddings at once, from IDs and hashes of few rows hardly.
    if request.param not in ("random_hash", "individual_id", "hashed bigram"):
        assert metrics["evaluation"]["click_auc"] > 0.75
    return tf.saved_model.load(str(folder / "model"))


@pytest.fixture(scope="module")
def examples(joined):
    """Joined examples of the evaluation period whose users have a history; with embeddings."""
    files = sorted(glob.glob(f"{joined[True]}/Split-eval/*.gz"))
    parsed = [
        tf.train.Example.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(files, "GZIP").take(40)
    ]
    return [example for example in parsed if values(example, "history_item_id")]


def values(example: tf.train.Example, name: str) -> list:
    feature = example.features.feature[name]
    kind = feature.WhichOneof("kind")
    return list(getattr(feature, kind).value) if kind else []


def copied(example: tf.train.Example, candidate: tf.train.Example) -> tf.train.Example:
    """The impression with another one's candidate."""
    copy = tf.train.Example()
    copy.CopyFrom(example)
    for name, feature in candidate.features.feature.items():
        if name.startswith("candidate_"):
            copy.features.feature[name].CopyFrom(feature)
    return copy


def unknown(example: tf.train.Example) -> tf.train.Example:
    """The impression with a candidate of which nothing is known."""
    copy = copied(example, example)
    features = copy.features.feature
    features["candidate_item_id"].bytes_list.value[:] = [b"never heard of"]
    features["candidate_sid"].int64_list.value[:] = [-1] * len(values(example, "candidate_sid"))
    empty = [0.0] * len(values(example, "candidate_embedding"))
    features["candidate_embedding"].float_list.value[:] = empty
    return copy


def stranger(example: tf.train.Example) -> tf.train.Example:
    """The impression of a user without a history, who looks at nothing."""
    copy = copied(example, example)
    for name in list(copy.features.feature):
        if name.startswith(("history_", "current_")):
            del copy.features.feature[name]
    return copy


def absent(spec: tf.TensorSpec) -> np.ndarray:
    """No current item, or an empty history."""
    shape = [1 if size is None else size for size in spec.shape]
    if spec.name.startswith("history_"):
        shape[1] = 0
    return np.full(shape, {tf.int64: -1, tf.string: "", tf.float32: 0.0}[spec.dtype])


def rank(model, impressions: list[tf.train.Example]) -> dict[str, np.ndarray]:
    """Scores of the impressions' candidates in one request of the first one's user."""
    signature = model.signatures["rank"]
    request = {}
    for name, spec in signature.structured_input_signature[1].items():
        rows = impressions if name.startswith("candidate_") else impressions[:1]
        given = [values(example, name) for example in rows]
        if given == [[]]:
            array = absent(spec)
        else:
            # [N] or [N, L] of candidates; [1, ...] of the user.
            shape = [-1 if size is None else size for size in spec.shape]
            if name.startswith("history_"):
                shape[0] = 1
            array = np.reshape(given, shape)
        request[name] = tf.constant(array, spec.dtype)
    return {task: scores.numpy() for task, scores in signature(**request).items()}


def serve(model, impressions: list[tf.train.Example]) -> dict[str, np.ndarray]:
    serialized = tf.constant([example.SerializeToString() for example in impressions])
    return {
        task: scores.numpy()
        for task, scores in model.signatures["serving_default"](examples=serialized).items()
    }


def test_both_signatures_agree_whatever_is_unknown(trained, examples, finished_run):
    fingerprint = trained.signatures["info"]()["fingerprint"].numpy().decode()
    assert fingerprint == finished_run.summary["sid"]["fingerprint"]

    known = [copied(examples[0], example) for example in examples[:8]]
    for impressions in (
        [*known, unknown(examples[0])],
        [stranger(example) for example in [*known, unknown(examples[0])]],
        [stranger(unknown(examples[0]))],
    ):
        ranked, served = rank(trained, impressions), serve(trained, impressions)
        assert set(ranked) == set(served) == {"click", "watch"}
        for task, scores in ranked.items():
            assert scores.shape == (len(impressions),)
            assert np.isfinite(scores).all()
            np.testing.assert_allclose(scores, served[task], rtol=1e-4, atol=1e-5)
        assert ((ranked["click"] > 0) & (ranked["click"] < 1)).all()
    # The candidate counts, and so does the user.
    scores = rank(trained, known)["click"]
    without_user = rank(trained, [stranger(example) for example in known])["click"]
    assert np.ptp(scores) > 1e-3
    assert np.abs(scores - without_user).max() > 1e-5
