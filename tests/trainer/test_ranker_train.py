import dataclasses

import numpy as np
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.train import train
from tests.trainer import ranker_cases as cases

CONFIG = dataclasses.replace(cases.SMALL, epochs=30, learning_rate=0.02, embedding_dim=8)
TASKS = (cases.CLICK, cases.WATCH)


def separable(batch_size=16):
    """All 16 SIDs; those whose first code is 0 are clicked and watched for 900 s, others for 0."""
    sids = np.array([[a, b] for a in range(4) for b in range(4)])
    clicked = (sids[:, 0] == 0).astype(np.float32)
    inputs = cases.features(sids.tolist(), [[[1, 1]]] * 16)
    inputs |= {"label_click": tf.constant(clicked), "label_watch": tf.constant(900 * clicked)}
    return tf.data.Dataset.from_tensor_slices(inputs).batch(batch_size), clicked


def trained(config=CONFIG, tasks=TASKS, layer=None, **options):
    data, clicked = separable(config.batch_size)
    result = train(
        data.repeat(4),
        layer or cases.representation(dim=config.embedding_dim),
        ContextSpec(),
        tasks,
        config,
        LabelMoments.measure(data, tasks),
        **options,
    )
    (batch,) = list(separable()[0])
    return result, {name: value.numpy() for name, value in result.model(batch).items()}, clicked


def test_a_separable_set_is_learnt():
    once, _, _ = trained(dataclasses.replace(CONFIG, epochs=1))
    result, predictions, clicked = trained()
    assert result.loss < 0.1 * once.loss
    assert np.all((predictions["click"] > 0.5) == (clicked == 1))
    # In seconds, not in standard deviations.
    np.testing.assert_allclose(predictions["watch"], 900 * clicked, atol=90)


def test_epochs_are_announced(caplog):
    caplog.set_level("INFO", logger="absl")
    result, _, _ = trained(dataclasses.replace(CONFIG, epochs=2))
    lines = [record.getMessage() for record in caplog.records]
    lines = [line for line in lines if line.startswith("ranker: ")]
    assert lines[0].startswith("ranker: epoch 1 of 2, loss ")
    assert lines[1:] == [f"ranker: epoch 2 of 2, loss {result.loss:.4f}"]


def test_the_summary_counts_examples_of_one_epoch():
    result, _, _ = trained(dataclasses.replace(CONFIG, epochs=3, batch_size=7))
    assert result.examples == 4 * 16
    assert result.seconds > 0
    assert result.evaluation == {}


def test_evaluation_is_that_of_the_trained_model(tmp_path):
    data, _ = separable(5)
    result, _, clicked = trained(eval_data=data, log_directory=str(tmp_path))
    assert set(result.evaluation) == {"loss", "examples", "click_auc", "watch_rmse_in_std"}
    assert result.evaluation["examples"] == 16
    assert result.evaluation["click_auc"] > 0.99
    values = {name: [] for name in ("click", "watch")}
    for batch in data:
        for name, value in result.model(batch).items():
            values[name] += value.numpy().tolist()
    error = np.sqrt(np.mean((np.array(values["watch"]) - 900 * clicked) ** 2))
    # Four of sixteen labels are 900: their standard deviation is 900 sqrt(3) / 4.
    expected = error / (900 * 3**0.5 / 4)
    np.testing.assert_allclose(result.evaluation["watch_rmse_in_std"], expected, rtol=1e-3)
    assert list(tmp_path.rglob("events.out.tfevents.*"))


def test_one_seed_gives_one_model_and_another_another():
    config = dataclasses.replace(CONFIG, epochs=2)
    first, second, other = (
        trained(dataclasses.replace(config, seed=seed))[1]["click"] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).max() > 1e-3


def test_a_tables_first_accumulator_decides_how_far_its_rows_move():
    config = dataclasses.replace(CONFIG, epochs=1)
    moves = {}
    for first in (1e-6, 100.0):
        layer = cases.representation(dim=config.embedding_dim)
        trained(dataclasses.replace(config, table_initial_accumulator=first), layer=layer)
        moves[first] = np.abs(layer.tables[0].numpy()).max()
    # Rows start within 0.05 of zero. Four steps of rate 0.05, each divided by at least 10, and
    # with gradients far below 1, leave them there; without that brake they get out.
    assert moves[100.0] < 0.06
    assert moves[1e-6] > 0.1
