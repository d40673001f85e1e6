import numpy as np
import pytest

from benchmarks.data_set import created_first
from benchmarks.data_set import read_data_set
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.load_config import load_config
from tests import synthetic

CONFIG = ["context={categorical: [tab], numeric: [hour]}"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    catalogue = synthetic.items(count=60)
    log = synthetic.impressions(catalogue, count=500)
    synthetic.write(catalogue, folder / "items.parquet")
    synthetic.write(log, folder / "impressions.parquet")
    return folder, catalogue, log


def test_arrays_are_the_files_rows(world):
    folder, catalogue, log = world
    data = read_data_set(str(folder), load_config(overrides=CONFIG))

    np.testing.assert_array_equal(data.items.embeddings, np.stack(catalogue["embedding"]))
    assert [i.decode() for i in data.items.ids] == catalogue["item_id"].tolist()
    impressions = data.impressions
    assert [data.items.ids[i].decode() for i in impressions.item] == log["item_id"].tolist()
    current = [None if i < 0 else data.items.ids[i].decode() for i in impressions.current]
    assert current == log["current_item_id"].tolist()
    np.testing.assert_array_equal(impressions.labels["click"], log["click"])
    np.testing.assert_array_equal(impressions.context["hour"], log["hour"])
    assert [t.decode() for t in impressions.context["tab"]] == log["tab"].tolist()
    users = log["user_id"].tolist()
    assert len(set(zip(impressions.user.tolist(), users, strict=True))) == len(set(users))


def test_the_newest_tenth_of_the_log_evaluates(world):
    folder, catalogue, log = world
    data = read_data_set(str(folder), load_config())

    assert data.impressions.evaluation.sum() == 50  # All times differ.
    late = data.impressions.timestamp >= data.evaluation_start
    np.testing.assert_array_equal(data.impressions.evaluation, late)
    created = np.array([t.timestamp() * 1e6 for t in catalogue["created_at"]])
    np.testing.assert_array_equal(data.training_items, created < data.evaluation_start)
    counts = log["item_id"][~data.impressions.evaluation].value_counts()
    expected = [counts.get(item, 0) for item in catalogue["item_id"]]
    np.testing.assert_array_equal(data.item_counts(), expected)


def test_impressions_of_unknown_items_are_left_out_or_refused(world, tmp_path):
    _, catalogue, log = world
    synthetic.write(catalogue[catalogue["item_id"] != "item3"], tmp_path / "items.parquet")
    synthetic.write(log, tmp_path / "impressions.parquet")
    unknown = (log["item_id"] == "item3").sum()
    allowed = load_config(overrides=["join.max_unknown_fraction=0.5"])

    assert len(read_data_set(str(tmp_path), allowed).impressions) == len(log) - unknown
    strict = load_config(overrides=["join.max_unknown_fraction=0"])
    with pytest.raises(InputError, match=f"{unknown} of 500 impressions"):
        read_data_set(str(tmp_path), strict)


def test_a_sample_keeps_users_whole(world):
    data = read_data_set(str(world[0]), load_config())
    sample = data.sample_users(200, seed=1)

    assert 150 < len(sample.impressions) <= 200
    whole = np.bincount(data.impressions.user)
    kept = np.bincount(sample.impressions.user, minlength=len(whole))
    assert set(np.unique(kept / whole)) == {0.0, 1.0}
    assert data.sample_users(500, seed=1) is data


@pytest.mark.parametrize(
    ("created_at", "first"),
    [
        (range(10), 9),
        ([0] * 5 + [7] * 5, 5),  # The split would divide the later ones.
        ([0] * 9 + [7], 9),
        ([3, 1, 2], 2),
    ],
)
def test_items_created_at_one_instant_stay_together(created_at, first):
    created_at = np.array(created_at)
    mask = created_first(created_at)

    assert mask.sum() == first
    assert created_at[mask].max() < created_at[~mask].min()


def test_items_all_created_at_once_cannot_be_split():
    with pytest.raises(InputError, match="one instant"):
        created_first(np.zeros(4, np.int64))
