import numpy as np
import pandas as pd

from benchmarks.joined import join
from semantic_id_ranking.components.feature_joiner.impressions import input_column
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.join import join as join_group
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.feature_joiner.popularity import popularity_slices
from tests.benchmarks.bench_world import config
from tests.benchmarks.bench_world import random_data_set


def test_joins_as_the_pipeline_does():
    settings = config("history.length=3")
    data = random_data_set(settings)
    joined = join(data)

    ids = data.items.ids
    order = _features(data, settings)
    assert len(order) == len(data.impressions)
    for row in range(len(data.impressions)):
        expected = order[row]
        history = [ids[i] for i in joined.history[row] if i < len(ids)]
        assert history == expected["history_item_id"]
        assert joined.history_length[row] == len(history)
        assert ids[joined.candidate[row]] == expected["candidate_item_id"][0]
        current = joined.current[row]
        assert (b"" if current == len(ids) else ids[current]) == expected["current_item_id"][0]
        assert joined.slices["new"][row] == (expected["slice_age"] == [b"new"])
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
    current = [b"" if row < 0 else ids[row] for row in impressions.current]
    columns = {
        # The impression's number travels along as a numeric context column.
        input_column("number"): np.arange(len(impressions)).astype(np.float32),
        "user_id": np.array([b"%d" % user for user in impressions.user], object),
        "timestamp": impressions.timestamp,
        "current_item_id": np.array(current, object),
        "item": impressions.item,
        "evaluation": impressions.evaluation,
        input_column("click"): impressions.labels["click"],
    }
    counts = data.item_counts()
    parameters = JoinParameters(
        labels={"click": "click"},
        regressions=(),
        positive="click",
        categorical=(),
        numeric=("number",),
        history_length=settings.history.length,
        new_days=settings.slices.new_days,
        head_share=settings.slices.head_share,
        torso_share=settings.slices.torso_share,
        max_unknown_fraction=0.0,
        shards=1,
        item_column="item_id",
        impressions="impressions",
    )
    table = ItemTable(pd.Index(ids), np.zeros((len(ids), 2), np.int32), data.items.created_at)
    popularity = popularity_slices(counts, parameters.head_share, parameters.torso_share)
    rows = {}
    for _, batch in join_group(columns, table, popularity, counts > 0, parameters):
        for row in batch.to_pylist():
            rows[int(row["context_number"][0])] = row
    return rows
