import dataclasses

import numpy as np
import pytest

from benchmarks.joined import join
from benchmarks.ranker_data import item_tables
from benchmarks.ranker_data import RankerData
from semantic_id_ranking.pipeline.join_config import ContextConfig
from tests.benchmarks.bench_world import config
from tests.benchmarks.bench_world import random_data_set


@pytest.fixture(scope="module")
def data():
    return random_data_set(config("history.length=3"))


def _ranker_data(data, **context):
    impressions = dataclasses.replace(data.impressions, context=context)
    return join(dataclasses.replace(data, impressions=impressions))


def test_batches_hold_each_items_fields(data):
    joined = join(data)
    ranker_data = RankerData.create(joined, ContextConfig())
    sids = np.arange(80).reshape(40, 2)
    tables = item_tables(("sid", "item_id"), data.items.ids, sids, data.items.embeddings)
    rows = np.array([5, 300, 17])
    (batch,) = ranker_data.batches(rows, tables, {"label_click": "click"}, 8)

    assert batch["candidate_sid"].shape == (3, 2)
    assert batch["history_sid"].shape == (3, 3, 2)
    for position, row in enumerate(rows):
        candidate = joined.candidate[row]
        np.testing.assert_array_equal(batch["candidate_sid"][position], sids[candidate])
        assert batch["candidate_item_id"][position] == data.items.ids[candidate]
        for entry, item in enumerate(joined.history[row]):
            absent = item == 40
            expected = [-1, -1] if absent else sids[item]
            np.testing.assert_array_equal(batch["history_sid"][position, entry], expected)
            identity = batch["history_item_id"][position, entry]
            assert identity == (b"" if absent else data.items.ids[item])
    np.testing.assert_array_equal(batch["label_click"], data.impressions.labels["click"][rows])


def test_a_pass_is_every_row_once_in_a_new_order(data):
    ranker_data = RankerData.create(join(data), ContextConfig())
    tables = {"item_id": np.append(data.items.ids, b"")}
    dataset = ranker_data.batches(np.arange(400), tables, {}, 64, shuffle_seed=1)
    passes = [np.concatenate([batch["candidate_item_id"] for batch in dataset]) for _ in range(2)]
    plain = data.items.ids[data.impressions.item]
    assert sorted(passes[0]) == sorted(passes[1]) == sorted(plain)
    assert passes[0].tolist() != passes[1].tolist()


def test_other_candidates_leave_the_history(data):
    joined = join(data)
    ranker_data = RankerData.create(joined, ContextConfig())
    tables = {"item_id": np.append(data.items.ids, b"")}
    others = np.zeros(400, np.int32)
    (batch,) = ranker_data.batches(np.arange(4), tables, {}, 8, candidate=others)
    (plain,) = ranker_data.batches(np.arange(4), tables, {}, 8)
    assert set(batch["candidate_item_id"].numpy()) == {b"item0"}
    np.testing.assert_array_equal(batch["history_item_id"], plain["history_item_id"])


def test_context_is_fitted_on_the_training_period(data):
    train = ~data.impressions.evaluation
    tabs = np.where(np.arange(400) % 3 == 0, b"a", b"b").astype(object)
    tabs[np.flatnonzero(~train)[0]] = b"new"
    tabs[np.flatnonzero(train)[0]] = None
    hours = np.arange(400).astype(np.float32)
    hours[7] = np.nan
    hours[~train] += 1000
    joined = _ranker_data(data, tab=tabs, hour=hours)
    ranker_data = RankerData.create(joined, ContextConfig(categorical=("tab",), numeric=("hour",)))

    assert ranker_data.context.categorical == {"context_tab": 3}
    ids = ranker_data.context_features["context_tab"]
    assert [ids[tabs == tab].tolist()[0] for tab in (b"a", b"b")] == [0, 1]
    assert ids[np.flatnonzero(~train)[0]] == ids[np.flatnonzero(train)[0]] == 2
    assert ranker_data.context.numeric == ("context_hour", "history_length")
    scores = ranker_data.context_features["context_hour"]
    known = train & ~np.isnan(hours)
    np.testing.assert_allclose(
        scores[known], (hours[known] - hours[known].mean()) / hours[known].std(), rtol=1e-4
    )
    assert scores[7] == 0
    lengths = np.log1p(joined.history_length[train])
    np.testing.assert_allclose(
        ranker_data.context_features["history_length"][train],
        (lengths - lengths.mean()) / lengths.std(),
        rtol=1e-4,
    )


def test_the_age_of_an_item_is_a_feature_where_it_is_asked_for(data):
    joined, name = join(data), "context_item_age_days"
    assert name not in RankerData.create(joined, ContextConfig()).context_features
    ranker_data = RankerData.create(joined, ContextConfig(item_age=True))
    assert ranker_data.context.numeric == (name, "history_length")
    created = data.items.created_at[data.impressions.item]
    days = np.array([max(t, 0) / 86_400e6 for t in data.impressions.timestamp - created])
    assert days.max() > 0
    logs, train = np.log(1 + days), ~data.impressions.evaluation
    expected = (logs - logs[train].mean()) / logs[train].std()
    np.testing.assert_allclose(ranker_data.context_features[name], expected, rtol=1e-4, atol=1e-5)
