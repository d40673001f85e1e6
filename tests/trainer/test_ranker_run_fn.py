import json
import types

import numpy as np
import ranker_cases as cases
import tensorflow as tf

from trainer.ranker.run_fn import run_fn


def test_run_fn_trains_and_exports(transform_path, tokenizer, tmp_path):
    for split, count in (("train", 600), ("eval", 80)):
        (tmp_path / split).mkdir()
        examples = cases.random_examples(count, seed=count)
        cases.write_examples(str(tmp_path / split / "data.gz"), examples)
    run_fn(
        types.SimpleNamespace(
            train_files=[str(tmp_path / "train" / "*")],
            eval_files=[str(tmp_path / "eval" / "*")],
            transform_output=transform_path,
            base_model=tokenizer,
            serving_model_dir=str(tmp_path / "model"),
            model_run_dir=str(tmp_path / "run"),
            custom_config={
                "ranker": {
                    "embedding_dim": 4,
                    "bottom_widths": [8],
                    "head_widths": [],
                    "epochs": 12,
                    "batch_size": 50,
                    "learning_rate": 0.01,
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
    )
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
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
