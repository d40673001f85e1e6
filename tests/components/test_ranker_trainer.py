import json

from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import RankerState
from semantic_id_ranking.components.ranker_trainer import executor as ranker_executor
from semantic_id_ranking.components.vocabulary_grower import executor as grower_executor
from tests.components.artifact_files import artifact


def examples(folder, span):
    day = artifact(standard_artifacts.Examples, folder)
    day.split_names = json.dumps(["train", "eval"])
    day.span = span
    return day


def test_days_are_trained_on_in_their_order(tmp_path, monkeypatch):
    days = [examples(tmp_path / "later", 12), examples(tmp_path / "earlier", 11)]
    inputs = {
        "examples": days,
        "transform_graph": [artifact(standard_artifacts.TransformGraph, tmp_path / "graph")],
        "tokenizer": [artifact(standard_artifacts.Model, tmp_path / "tokenizer")],
    }
    outputs = {
        "model": [artifact(standard_artifacts.Model, tmp_path / "model")],
        "model_run": [artifact(standard_artifacts.ModelRun, tmp_path / "run")],
        "ranker_state": [artifact(RankerState, tmp_path / "state")],
    }
    custom_config = '{"history_length": 3}'
    properties = {"custom_config": custom_config, "code_version": "1", "splits": "{}"}
    calls = []
    monkeypatch.setattr(ranker_executor, "run_fn", calls.append)
    ranker_executor.Executor().Do(inputs, outputs, properties)
    inputs["previous"] = [artifact(RankerState, tmp_path / "previous")]
    properties["splits"] = '{"11": ["eval"], "12": ["train", "eval"]}'
    ranker_executor.Executor().Do(inputs, outputs, properties)
    anew, warm = calls
    assert list(warm.days) == [11, 12, 12]
    assert list(warm.train_files) == [
        f"{tmp_path}/earlier/Split-eval/*.gz",
        f"{tmp_path}/later/Split-train/*.gz",
        f"{tmp_path}/later/Split-eval/*.gz",
    ]
    assert list(anew.days) == [11, 12]
    assert list(anew.train_files) == [
        f"{tmp_path}/{day}/Split-train/*.gz" for day in ("earlier", "later")
    ]
    assert list(anew.eval_files) == [f"{tmp_path}/later/Split-eval/*.gz"]
    assert (anew.previous, warm.previous) == (None, str(tmp_path / "previous"))
    assert anew.serving_model_dir == str(tmp_path / "model" / "Format-Serving")
    assert anew.tokenizer == str(tmp_path / "tokenizer" / "Format-Serving")
    assert anew.ranker_state_dir == str(tmp_path / "state")
    # Part of the checkpoints' name.
    assert anew.custom_config == {"history_length": 3, "code_version": "1"}


def test_a_grower_reads_all_days(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(
        grower_executor, "grow_vocabularies", lambda *given: calls.append(given) or {"tab": 2}
    )
    grower_executor.Executor().Do(
        {
            "examples": [examples(tmp_path / "one", 1), examples(tmp_path / "two", 2)],
            "transform_graph": [artifact(standard_artifacts.TransformGraph, tmp_path / "graph")],
        },
        {"grown_graph": [artifact(standard_artifacts.TransformGraph, tmp_path / "grown")]},
        {"categorical": '["tab"]'},
    )
    files = [
        f"{tmp_path}/{day}/Split-{split}/*.gz"
        for day in ("one", "two")
        for split in ("train", "eval")
    ]
    assert calls == [(str(tmp_path / "graph"), files, ["tab"], str(tmp_path / "grown"))]
