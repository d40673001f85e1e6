import json
import types

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.run_fn import run_fn
from tests.trainer import ranker_cases as cases


def arguments(folder, transform_path, tokenizer, run="run", **ranker):
    """The arguments that TFX passes, over examples in `folder`; `run` names the attempt."""
    for split, count in (("train", 600), ("eval", 80)):
        (folder / split).mkdir(exist_ok=True)
        examples = cases.random_examples(count, seed=count)
        cases.write_examples(str(folder / split / "data.gz"), examples)
    return types.SimpleNamespace(
        train_files=[str(folder / "train" / "*")],
        eval_files=[str(folder / "eval" / "*")],
        transform_output=transform_path,
        base_model=tokenizer,
        serving_model_dir=str(folder / "model"),
        model_run_dir=str(folder / "runs" / run),
        custom_config={
            "ranker": {
                "embedding_dim": 4,
                "bottom_widths": [8],
                "head_widths": [],
                "epochs": 12,
                "batch_size": 50,
                "learning_rate": 0.01,
                **ranker,
            },
            "representation": {"name": "sid_spm", "rows": 12},
            "tasks": [
                {"name": "click", "label": "clicked"},
                {"name": "watch", "label": "watch_seconds", "type": "regression"},
            ],
            "context": cases.COLUMNS,
            "history_length": 3,
        },
    )


def read_metrics(folder, run="run"):
    return json.loads((folder / "runs" / run / "metrics.json").read_text())


def test_run_fn_trains_and_exports(transform_path, tokenizer, tmp_path):
    run_fn(arguments(tmp_path, transform_path, tokenizer))
    metrics = read_metrics(tmp_path)
    assert metrics["representation"] == "sid_spm"
    assert metrics["table_rows"] == 12
    assert metrics["epochs"] == 12
    assert metrics["examples"] == 600
    assert metrics["evaluation"]["click_auc"] > 0.95
    examples = cases.random_examples(50, seed=3)
    served = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"](
        examples=tf.constant(examples)
    )
    clicked = np.array(
        [
            tf.train.Example.FromString(example).features.feature["label_click"].float_list.value[0]
            for example in examples
        ]
    )
    assert np.mean((served["click"].numpy() > 0.5) == clicked) > 0.9
    # Watched seconds, in seconds.
    assert served["watch"].numpy()[clicked == 1].mean() > 600
    assert served["watch"].numpy()[clicked == 0].mean() < 200


def test_another_attempt_goes_on_where_the_last_one_broke_off(
    transform_path, tokenizer, tmp_path, monkeypatch, caplog
):
    # Two epochs of twelve steps; a checkpoint in the middle of the second.
    def attempt(run, **changes):
        caplog.clear()
        # An export leaves the level changed.
        caplog.set_level("INFO", logger="absl")
        ranker = {"epochs": 2, "checkpoint_steps": 5, **changes}
        run_fn(arguments(tmp_path, transform_path, tokenizer, run, **ranker))
        epochs = [record.getMessage() for record in caplog.records]
        return [line.split(",")[0] for line in epochs if line.startswith("ranker: epoch")]

    def broken(*arguments):
        raise OSError("no space left on device")

    both = ["ranker: epoch 1 of 2", "ranker: epoch 2 of 2"]
    assert attempt("whole") == both
    assert [run.name for run in (tmp_path / "runs").iterdir()] == ["whole"]
    with monkeypatch.context() as patch:
        patch.setattr("semantic_id_ranking.trainer.ranker.run_fn.export_ranker", broken)
        with pytest.raises(OSError, match="no space left"):
            attempt("first")
    # A training of another configuration finds no checkpoint.
    assert attempt("other", seed=1) == both
    assert attempt("second") == both[1:]
    whole, second = read_metrics(tmp_path, "whole"), read_metrics(tmp_path, "second")
    assert second["loss"] == pytest.approx(whole["loss"], rel=1e-5)
    assert second["evaluation"] == pytest.approx(whole["evaluation"], rel=1e-5)
    assert not list((tmp_path / "runs").glob("checkpoints-*"))
