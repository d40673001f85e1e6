import dataclasses

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from benchmarks.joined import join
from semantic_id_ranking.components.feature_joiner.blocks import input_column
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from tests.benchmarks.bench_world import config
from tests.benchmarks.bench_world import random_data_set
from tests.components import joined_logs


@pytest.mark.parametrize("as_of", ["day_start", "event"])
def test_joins_as_the_pipeline_does(as_of):
    settings = config("history.length=3", f"context.counters_as_of={as_of}")
    data = random_data_set(settings)
    joined = join(data)

    ids = data.items.ids
    order = _features(data, settings)
    assert len(order) == len(data.impressions)
    for row in range(len(data.impressions)):
        expected = order[row]
        history = [ids[i] for i in joined.history[row] if i < len(ids)]
        assert history == expected.get("history_item_id", [])
        assert joined.history_length[row] == len(history)
        assert ids[joined.candidate[row]] == expected["candidate_item_id"][0]
        current = joined.current[row]
        assert (b"" if current == len(ids) else ids[current]) == expected["current_item_id"][0]
        assert joined.slices["new"][row] == (expected["slice_age"] == [b"new"])
        if not data.impressions.evaluation[row]:
            continue  # The pipeline's popularity in training goes by days.
        assert joined.slices["unseen"][row] == (expected["slice_seen"] == [b"unseen"])
        popular = expected["slice_popularity"][0].decode()
        assert [n for n in ("head", "torso", "tail") if joined.slices[n][row]] == [popular]


def test_absent_history_entries_stand_last():
    joined = join(random_data_set(config("history.length=3")))
    absent = joined.history == 40
    assert (np.diff(absent.astype(int), axis=1) >= 0).all()
    np.testing.assert_array_equal((~absent).sum(axis=1), joined.history_length)
    assert {0, 1, 2, 3} == set(joined.history_length.tolist())


def _features(data, settings):
    """FeatureJoiner's features of every impression, in the order of the impressions."""
    impressions, ids = data.impressions, data.items.ids
    # The joiner's items are in the order of their ids.
    by_id = np.argsort(ids)
    current = [b"" if row < 0 else ids[row] for row in impressions.current]
    log = pa.table(
        {
            # The impression's number travels along as a numeric context column.
            input_column("number"): np.arange(len(impressions)).astype(np.float32),
            "user_id": pa.array([b"%d" % user for user in impressions.user], pa.binary()),
            "timestamp": impressions.timestamp,
            "current_item_id": pa.array(current, pa.binary()),
            "item": np.argsort(by_id)[impressions.item],
            "evaluation": impressions.evaluation,
            input_column("click"): impressions.labels["click"],
        }
    )
    parameters = dataclasses.replace(
        joined_logs.PARAMETERS,
        labels={"click": "click"},
        regressions=(),
        positive="click",
        categorical=(),
        numeric=("number",),
        history_length=settings.history.length,
        new_days=settings.slices.new_days,
        head_share=settings.slices.head_share,
        torso_share=settings.slices.torso_share,
        by_event=settings.context.counters_as_of == "event",
        evaluation_period=True,
    )
    table = ItemTable.of(
        pd.Index(ids[by_id]), np.zeros((len(ids), 2), np.int32), data.items.created_at[by_id]
    )
    rows = joined_logs.join(log, parameters, table=table).rows
    return {int(row["context_number"][0]): row for row in rows}
