"""Absence of the future from training and prediction in the benchmarks."""

import dataclasses

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.experiment import Experiment
from benchmarks.semantic_ids import Sids
from benchmarks.semantic_ids import train_resources
from benchmarks.semantic_ids import train_sids
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.representations import RandomHash
from tests.benchmarks.bench_world import config
from tests.benchmarks.bench_world import data_set
from tests.benchmarks.bench_world import DAY
from tests.benchmarks.bench_world import HOUR
from tests.benchmarks.bench_world import items
from tests.benchmarks.bench_world import random_data_set


def test_a_signal_of_the_future_is_worth_nothing():
    # A user clicks on a coin's toss, and sees the same item an hour later, and clicks as before.
    # Whether the user will click later would tell the first click exactly.
    rng = np.random.default_rng(0)
    users, days, count = 60, 50, 12
    first_item = rng.integers(0, count, users * days)
    first_click = rng.integers(0, 2, users * days)
    first_time = np.tile(np.arange(days) * DAY, users)
    user = np.repeat(np.arange(users), days)
    data = data_set(
        items(count),
        np.concatenate([user, user]),
        np.concatenate([first_item, first_item]),
        np.concatenate([first_time, first_time + HOUR]),
        np.concatenate([first_click, first_click]),
        40 * DAY,
        config(
            "history.length=1",
            "context.counters_as_of=event",
            "ranker.epochs=12",
            "ranker.learning_rate=0.01",
            "ranker.table_learning_rate=0.3",
        ),
    )
    experiment = Experiment(data)
    space = SidSpace("none", 2, 8, 6)
    resources = train_resources(
        data.items.ids,
        Sids(np.zeros((count, 2), int), space, np.zeros((2, 8, 1), np.float32)),
        data.item_counts(),
        17,  # A row for each of 2 x 8 codes and one more.
        data.config.tokenizer,
    )
    predictions = experiment.train(
        np.zeros((count, 2), np.int32),
        resources,
        RandomHash(rows=1000),
        data.config.ranker,
    ).predict()["click"]

    rows = experiment.evaluation_rows
    clicks, again = data.impressions.labels["click"][rows], rows >= users * days
    # The past is of use: whether the last click was on this item tells the second click.
    assert roc_auc_score(clicks[again], predictions[again]) > 0.8
    # Four standard errors of an AUC of 600 impressions that nothing predicts.
    assert abs(roc_auc_score(clicks[~again], predictions[~again]) - 0.5) < 4 * 0.024


def test_items_of_the_evaluation_period_do_not_shape_the_space():
    data = random_data_set(config(), item_count=80)
    training = data.training_items
    assert 0 < training.sum() < 80
    changed = data.items.embeddings.copy()
    changed[~training] += 100

    sids = train_sids(data.items.ids, data.items.embeddings, training, data.config.rqvae)
    others = train_sids(data.items.ids, changed, training, data.config.rqvae)
    assert sids.space == others.space
    np.testing.assert_array_equal(sids.sids[training], others.sids[training])
    np.testing.assert_array_equal(sids.codebooks, others.codebooks)


def test_impressions_of_the_evaluation_period_are_not_counted():
    data = random_data_set(config())
    impressions = data.impressions
    other = dataclasses.replace(
        impressions, item=np.where(impressions.evaluation, 0, impressions.item)
    )
    changed = dataclasses.replace(data, impressions=other)
    np.testing.assert_array_equal(data.item_counts(), changed.item_counts())
    assert data.item_counts().sum() == (~impressions.evaluation).sum()
