"""The real pipeline on a small world: artifacts, served models and reuse."""

import glob
import hashlib
import io
import json
import os
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rich.console
import tensorflow as tf
import tensorflow_text  # noqa: F401  SentencePiece's ops

from semantic_id_ranking.cli import rank as rank_lib
from semantic_id_ranking.cli import serve as serve_lib
from semantic_id_ranking.cli.catalogue import Catalogue
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.config import SLICES
from semantic_id_ranking.serving.client import EncoderClient
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.serving.server.model_server import ModelServer
from tests import synthetic
from tests.evaluation.exact_metrics import check_report

COMPONENTS = {
    "ItemGen",
    "StatisticsGen.items",
    "SchemaGen.items",
    "ExampleValidator.items",
    "AnomalyGate.items",
    "ImpressionGen",
    "StatisticsGen.impressions",
    "SchemaGen.impressions",
    "ExampleValidator.impressions",
    "AnomalyGate.impressions",
    "Trainer.rqvae",
    "SemanticIdGen",
    "SidAnalyzer",
    "SidTokenizerTrainer",
    "FeatureJoiner",
    "Transform",
    "Trainer.ranker",
    "Trainer.random_hash",
    "RankingEvaluator",
    "Releaser",
}


@pytest.fixture(scope="module")
def records(finished_run):
    return finished_run.records


@pytest.fixture(scope="module")
def server(finished_run):
    with ModelServer(serve_lib.base_paths(os.path.join(finished_run.output, "serving"))) as running:
        yield running


@pytest.fixture(scope="module")
def catalogue(finished_run):
    return Catalogue.load(finished_run.output)


@pytest.fixture(scope="module")
def evaluation_examples(records):
    uri = records.output("FeatureJoiner", "examples").uri
    files = sorted(glob.glob(f"{uri}/Split-eval/*.gz"))
    return [record.numpy() for record in tf.data.TFRecordDataset(files, "GZIP")]


def feature(example, name):
    value = tf.train.Example.FromString(example).features.feature[name]
    return list(getattr(value, value.WhichOneof("kind")).value)


def test_every_component_ran_and_said_so(finished_run):
    assert set(finished_run.summary["seconds"]) == COMPONENTS
    for name in COMPONENTS:
        assert f"/{len(COMPONENTS)}] {name} " in finished_run.lines
    assert "epoch" in finished_run.lines


def test_the_summary_has_its_documented_form(finished_run):
    with open(os.path.join(finished_run.output, "summary.json"), encoding="utf-8") as file:
        assert json.load(file) == finished_run.summary
    summary = finished_run.summary
    assert set(summary) == {
        "run_id",
        "impressions",
        "inputs",
        "sid",
        "tokenizer",
        "models",
        "evaluation",
        "made_of",
        "blessed",
        "missed",
        "pushed",
        "seconds",
    }
    assert summary["run_id"] == finished_run.records.run_id
    assert (summary["blessed"], summary["missed"]) == (True, [])
    assert set(summary["sid"]) == {
        "levels",
        "codebook_size",
        "fingerprint",
        "unique_fraction",
        "codebook_use",
        "reconstruction",
        "reconstruction_median",
        "outlying_items",
        "idle_levels",
    }
    assert (summary["sid"]["levels"], summary["sid"]["codebook_size"]) == (3, 16)
    assert len(summary["sid"]["codebook_use"]) == 3
    assert set(summary["tokenizer"]) == {
        "pieces",
        "multi_code_pieces",
        "mean_pieces_per_impression",
    }
    assert list(summary["models"]) == ["ranker", "item_rate", "random_hash"]
    for model in summary["models"].values():
        assert {task: set(slices) for task, slices in model["metrics"].items()} == {
            "click": set(SLICES),
            "watch": set(SLICES),
        }


def test_the_result_begins_with_the_gain(finished_run):
    evaluation = finished_run.summary["evaluation"]
    compared = evaluation["slices"]["click"]["all"]
    sentence = evaluation["headline"]
    strongest = evaluation["strongest"]["click"]
    assert re.fullmatch(
        rf"sid_spm over {strongest}, the stronger of item_rate and random_hash, AUC of click: "
        r"[+-]\.\d{3} \[-?\.\d{3}, -?\.\d{3}\] on 600 "
        rf"impressions of {compared['users']} users",
        sentence,
    )
    result = finished_run.lines[finished_run.lines.index(sentence) :]
    assert result.index("Ranker: sid_spm") < result.index("seed that the models were trained with")
    aucs = {
        name: model["metrics"]["click"]["all"]["auc"]
        for name, model in finished_run.summary["models"].items()
    }
    own = aucs.pop("ranker")
    assert max(aucs, key=aucs.get) == strongest
    for name, auc in aucs.items():
        found = compared["differences"][name]["auc"]
        assert found["estimate"] == pytest.approx(own - auc)
        assert found["low"] < found["estimate"] < found["high"]


def test_what_a_run_was_made_of_is_told(finished_run):
    made_of = finished_run.summary["made_of"]
    assert made_of["config"]["rqvae"]["codebook_size"] == 16
    assert made_of["config"]["thresholds"][0]["value"] == 0.5
    assert made_of["versions"]["tensorflow"] == tf.__version__
    assert made_of["seeds"] == {"rqvae": 0, "ranker": 0}
    with open(finished_run.items, "rb") as file:
        digest = hashlib.blake2b(file.read(), digest_size=16).hexdigest()
    expected = hashlib.blake2b(digest.encode(), digest_size=16).hexdigest()
    assert made_of["data"]["items"] == expected
    assert made_of["data"]["impressions"] != expected


def test_every_metric_is_that_of_the_pushed_model_on_the_examples(
    finished_run, records, evaluation_examples
):
    folder = records.output("RankingEvaluator", "predictions").uri
    files = sorted(glob.glob(f"{folder}/*.parquet"))
    frame = pa.concat_tables([pq.read_table(file) for file in files]).to_pandas()
    path = finished_run.summary["pushed"]["ranker"]
    served = tf.saved_model.load(path).signatures["serving_default"]
    answers = served(tf.constant(evaluation_examples))
    for task in ("click", "watch"):
        found = frame[f"score_candidate_{task}"]
        np.testing.assert_allclose(found, answers[task], rtol=1e-5, atol=1e-6)
        labels = [feature(example, f"label_{task}")[0] for example in evaluation_examples]
        np.testing.assert_array_equal(frame[f"label_{task}"], np.float32(labels))
    with open(
        os.path.join(records.output("RankingEvaluator", "evaluation").uri, "metrics.json"),
        encoding="utf-8",
    ) as file:
        report = json.load(file)
    check_report(report, frame)
    for task, slices in finished_run.summary["models"]["ranker"]["metrics"].items():
        for name, metrics in slices.items():
            exact = report["tasks"][task]["slices"][name]["models"]["candidate"]
            assert {key: exact[key] for key in metrics if key != "examples"} == {
                key: value for key, value in metrics.items() if key != "examples"
            }


def test_both_models_have_the_same_budget_and_examples(finished_run):
    ranker, baseline = (finished_run.summary["models"][m] for m in ("ranker", "random_hash"))
    assert (ranker["representation"], baseline["representation"]) == ("sid_spm", "random_hash")
    assert ranker["table_rows"] == baseline["table_rows"] == 120
    for task in ("click", "watch"):
        for name in SLICES:
            examples = ranker["metrics"][task][name]["examples"]
            assert examples == baseline["metrics"][task][name]["examples"]
    slices = ranker["metrics"]["click"]
    assert sum(slices[name]["examples"] for name in ("head", "torso", "tail")) == 600
    assert slices["all"]["examples"] == 600
    assert 0 < slices["unseen"]["examples"] < slices["new"]["examples"] * 20


def test_a_world_of_topics_is_learnt_and_new_items_above_all(finished_run):
    ranker, baseline = (
        finished_run.summary["models"][m]["metrics"] for m in ("ranker", "random_hash")
    )
    # A ranker that has learnt the topics is right far more often than not; a hash of an item that
    # training did not see says nothing.
    assert ranker["click"]["all"]["auc"] > 0.7
    assert ranker["click"]["unseen"]["auc"] > baseline["click"]["unseen"]["auc"]
    assert all(use > 0.9 for use in finished_run.summary["sid"]["codebook_use"])


def test_the_tokenizer_merges_codes(finished_run):
    tokenizer = finished_run.summary["tokenizer"]
    assert tokenizer["multi_code_pieces"] > 0
    assert 1 <= tokenizer["mean_pieces_per_impression"] < 3


def test_every_item_has_one_semantic_id_of_one_space(finished_run, records):
    ids, sids, space = sid_table.read(records.output("SemanticIdGen", "semantic_ids").uri)
    assert sorted(ids) == sorted(pq.read_table(finished_run.items)["item_id"].to_pylist())
    assert sids.shape == (480, 3)
    assert sids.min() >= 0
    assert sids.max() < 16
    assert space.fingerprint == finished_run.summary["sid"]["fingerprint"]


def test_histories_never_hold_the_present_or_the_future(finished_run, evaluation_examples):
    log = pq.read_table(finished_run.impressions).to_pandas()
    log = log[log["click"] == 1].sort_values("timestamp")
    log["time"] = log["timestamp"].astype("int64")
    by_user = dict(tuple(log.groupby("user_id")))
    for example in evaluation_examples[:200]:
        user = feature(example, "user_id")[0].decode()
        past = by_user[user]
        # Parquet holds nanoseconds, the pipeline microseconds.
        past = past[past["time"] // 1000 < feature(example, "timestamp")[0]]
        expected = past["item_id"].tolist()[::-1][:20]
        assert [item.decode() for item in feature(example, "history_item_id")] == expected


def test_zeros_survive_the_whole_pipeline(evaluation_examples, finished_run):
    log = pq.read_table(finished_run.impressions).to_pandas().sort_values("timestamp").tail(600)
    labels = [feature(example, "label_click") for example in evaluation_examples]
    assert sorted(labels) == sorted([float(click)] for click in log["click"])
    watched = [feature(example, "label_watch") for example in evaluation_examples]
    assert sum(value == [0.0] for value in watched) == (log["watch_seconds"] == 0).sum()


def test_served_scores_equal_the_trained_models(
    finished_run, records, server, catalogue, evaluation_examples
):
    trained = tf.saved_model.load(records.output("Trainer.ranker", "model").uri + "/Format-Serving")
    with RankerClient(server.address, sid_fingerprint=catalogue.fingerprint) as ranker:
        for example in evaluation_examples[:20]:
            expected = trained.signatures["serving_default"](tf.constant([example]))
            levels = finished_run.summary["sid"]["levels"]
            current = feature(example, "current_sid")
            served = ranker.rank(
                {"sid": [feature(example, "candidate_sid")]},
                current={"sid": current} if current[0] >= 0 else None,
                history={"sid": np.reshape(feature(example, "history_sid"), (-1, levels))},
                context={
                    "tab": feature(example, "context_tab")[0],
                    "hour": feature(example, "context_hour")[0],
                },
            )
            for task in ("click", "watch"):
                np.testing.assert_allclose(served[task], expected[task], rtol=1e-4, atol=1e-5)


def test_the_server_encodes_as_the_batch_did(finished_run, server, catalogue):
    table = pq.read_table(finished_run.items).to_pydict()
    with EncoderClient(server.address, sid_fingerprint=catalogue.fingerprint) as encoder:
        sids = encoder.encode(np.array(table["embedding"], np.float32))
    with rank_lib.open_run_store(finished_run.output, catalogue) as store:
        stored = store.get(catalogue.fingerprint, table["item_id"])
    np.testing.assert_array_equal(stored, sids)


@pytest.fixture
def printed():
    return rich.console.Console(file=io.StringIO(), width=160)


def test_an_item_that_no_training_saw_is_encoded_live_and_ranked(
    finished_run, server, tmp_path, printed
):
    new = synthetic.items(2, seed=7).assign(item_id=["n1", "n2"], title=["First", "Second"])
    path = synthetic.write(new, tmp_path / "new.parquet")
    context = ["tab=home", "hour=3"]
    rank_lib.rank(finished_run.output, "user3", path, context, 10, server.address, printed)
    text = printed.file.getvalue()
    assert "best of 2 candidates" in text
    assert text.count("encoded live") == 2
    assert "First" in text


def test_stored_and_unknown_items_are_told_apart(finished_run, server, tmp_path, printed):
    path = tmp_path / "candidates.txt"
    path.write_text("item1\nitem2\nnobody\n")
    context = ["tab=home", "hour=3"]
    rank_lib.rank(finished_run.output, "stranger", str(path), context, 2, server.address, printed)
    text = printed.file.getvalue()
    assert "user stranger: 0 items in the history" in text
    assert "best of 3 candidates" in text
    assert text.count("stored") + text.count("unknown") == 2


def test_no_server_is_one_sentence(finished_run, printed):
    context = ["tab=home", "hour=3"]
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9.*(DEADLINE_EXCEEDED|UNAVAILABLE)"):
        rank_lib.rank(finished_run.output, "user3", None, context, 2, "127.0.0.1:9", printed)


def test_a_store_without_the_runs_semantic_ids_is_one_sentence(
    finished_run, server, tmp_path, printed
):
    store = f"sqlite:///{tmp_path}/empty.sqlite"
    context = ["tab=home", "hour=3"]
    with pytest.raises(InputError, match=r"empty\.sqlite: holds no Semantic IDs of SID space"):
        rank_lib.rank(
            finished_run.output, "user3", None, context, 2, server.address, printed, store
        )


@pytest.mark.parametrize(
    ("context", "fact"),
    [
        (["tab=home"], "hour=…: is missing"),
        (["tab=home", "hour=noon"], "'noon' is not a number"),
        (["tab=home", "hour=3", "moon=1"], "moon=1"),
    ],
)
def test_wrong_context_is_named(finished_run, server, printed, context, fact):
    with pytest.raises(InputError, match=fact):
        rank_lib.rank(finished_run.output, "user3", None, context, 2, server.address, printed)
