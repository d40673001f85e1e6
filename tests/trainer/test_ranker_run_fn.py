import json

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from semantic_id_ranking.trainer.ranker.grow_vocabularies import grow_vocabularies
from semantic_id_ranking.trainer.ranker.ranker_state import RankerState
from semantic_id_ranking.trainer.ranker.run_fn import run_fn
from semantic_id_ranking.trainer.ranker.run_fn import TrainingArguments
from tests.trainer import ranker_cases as cases


def arguments(folder, transform_path, tokenizer, run="run", previous=None, **ranker):
    """The arguments that TFX passes, over examples in `folder`; `run` names the attempt."""
    for split, count in (("train", 600), ("eval", 80)):
        (folder / split).mkdir(exist_ok=True)
        examples = cases.random_examples(count, seed=count)
        cases.write_examples(str(folder / split / "data.gz"), examples)
    return TrainingArguments(
        train_files=[str(folder / "train" / "*")],
        eval_files=[str(folder / "eval" / "*")],
        transform_output=transform_path,
        tokenizer=tokenizer,
        days=[0 if previous is None else 1],
        previous=previous,
        ranker_state_dir=str(folder / "state"),
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
            "history_labels": ["click", "watch"],
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


def with_category(example, category):
    changed = tf.train.Example.FromString(example)
    changed.features.feature["context_tab"].bytes_list.value[:] = [category]
    return changed.SerializeToString()


def test_a_training_goes_on_with_the_next_day(transform_path, tokenizer, tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    short = {"epochs": 1, "learning_rate": 1e-9, "table_learning_rate": 1e-9}
    run_fn(arguments(tmp_path / "first", transform_path, tokenizer, **short))
    # The next day has a new category.
    day = [
        with_category(example, category)
        for example, category in zip(
            cases.random_examples(20, seed=9),
            [b"cart", b"home", b"cart\n", b"", b"map"] * 4,
            strict=True,
        )
    ]
    files = cases.write_examples(str(tmp_path / "day.gz"), [*day, day[0]])
    grown = str(tmp_path / "grown")
    assert grow_vocabularies(transform_path, [files], ["tab"], grown) == {"tab": 2}
    output = tft.TFTransformOutput(grown)
    assert output.vocabulary_by_name("context_tab") == [b"home", b"search", b"cart", b"map"]
    assert output.vocabulary_size_by_name("context_tab") == 4
    assert output.num_buckets_for_transformed_feature("context_tab") == 5
    state = str(tmp_path / "first" / "state")
    run_fn(
        arguments(tmp_path / "second", grown, tokenizer, previous=state, **{**short, "epochs": 7})
    )
    metrics = read_metrics(tmp_path / "second")
    assert (metrics["epochs"], metrics["examples"]) == (1, 600)
    first, second = (
        tf.saved_model.load(str(tmp_path / name / "model")).signatures
        for name in ("first", "second")
    )
    assert {name: one.structured_input_signature for name, one in first.items()} == {
        name: one.structured_input_signature for name, one in second.items()
    }
    # At rates of nearly 0 the day changes nothing: neither category had a row.
    expected, found = (one["serving_default"](examples=tf.constant(day)) for one in (first, second))
    for task in ("click", "watch"):
        np.testing.assert_allclose(found[task], expected[task], rtol=1e-5)
    after = RankerState(str(tmp_path / "second" / "state"))
    assert after.description.days == [0, 1]
    assert after.row_keys("context/context_tab")[0].keys.tolist() == [
        b"home",
        b"search",
        b"cart",
        b"map",
    ]
