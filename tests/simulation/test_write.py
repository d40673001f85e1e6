"""Files of a simulated data set."""

import datetime
import tracemalloc

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.pipeline.look_at_inputs import look_at_inputs
from semantic_id_ranking.simulation import world as world_lib
from semantic_id_ranking.simulation.simulation_config import SimulationConfig
from semantic_id_ranking.simulation.world import World
from semantic_id_ranking.simulation.write import write

FILES = ["impressions.parquet", "items.parquet", "truth.parquet"]
SIZES = {"items": 100, "users": 20, "impressions": 400, "new_items": 10, "dimensions": 8}
EVENT = ["user_id", "item_id", "timestamp"]


def config(**values):
    return SimulationConfig(**(SIZES | {"days": 3} | values))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    write(config(), str(folder))
    return folder


def read(folder, name):
    return pq.read_table(folder / f"{name}.parquet")


def test_what_is_written_is_what_the_world_holds(tmp_path):
    found = write(config(), str(tmp_path / "new" / "folder"))
    folder = tmp_path / "new" / "folder"
    assert sorted(path.name for path in folder.iterdir()) == FILES
    items, impressions, truth = (read(folder, n) for n in ("items", "impressions", "truth"))
    world = World(config())
    (day,) = world.day(1)
    assert impressions["item_id"][400:800].to_pylist() == [f"item{n}" for n in day.item]
    assert impressions["user_id"][400:800].to_pylist() == [f"user{n}" for n in day.user]
    assert impressions["click"][400:800].to_pylist() == day.labels["click"].tolist()
    assert truth["like"][400:800].to_numpy() == pytest.approx(day.truth.expected["like"])
    assert truth.select(EVENT).equals(impressions.select(EVENT))
    assert items["item_id"].to_pylist() == [f"item{n}" for n in range(130)]
    assert items["embedding"][5].as_py() == world.embeddings(0)[5].tolist()
    created = items["created_at"][100:].to_pylist()
    assert [time.date().day for time in created] == [1] * 10 + [2] * 10 + [3] * 10
    assert found == {
        "items": 130,
        "impressions": 1200,
        "first_day": "2024-01-01",
        "last_day": "2024-01-03",
        "new_impressions": found["new_impressions"],
        "means": {
            name: pytest.approx(np.mean(impressions[name].to_numpy(), dtype=float))
            for name in ("click", "like", "watch_seconds")
        },
    }


def test_the_impressions_that_are_counted_as_new(folder):
    """Those of items that appeared on the impression's day or the day before."""
    items, impressions = read(folder, "items").to_pandas(), read(folder, "impressions").to_pandas()
    both = impressions.merge(items[["item_id", "created_at"]], on="item_id")
    age = both["timestamp"].dt.floor("D") - both["created_at"].dt.floor("D")
    count = int((age <= datetime.timedelta(days=1)).sum())
    assert write(config(), str(folder))["new_impressions"] == count > 0


def test_a_row_group_a_part_of_a_day_and_memory_for_one(tmp_path, monkeypatch):
    monkeypatch.setattr(world_lib, "PART", 2000)

    def peak(days, impressions):
        tracemalloc.start()
        arrow = pa.total_allocated_bytes()
        write(config(days=days, impressions=impressions), str(tmp_path))
        python = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert pa.total_allocated_bytes() <= arrow + 1e6
        return python

    few = peak(2, 4000)
    assert peak(2, 20_000) < 1.2 * few
    assert peak(10, 4000) < 1.2 * few
    for name in ("impressions", "truth"):
        file = pq.ParquetFile(tmp_path / f"{name}.parquet")
        assert file.num_row_groups == 20
        assert {file.metadata.row_group(n).num_rows for n in range(20)} == {2000}


def test_a_seed_says_all_of_it(folder, tmp_path):
    write(config(), str(tmp_path))
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    write(config(seed=1), str(tmp_path))
    for name in FILES:
        assert (tmp_path / name).read_bytes() != (folder / name).read_bytes()


def test_later_days_go_on_where_earlier_ones_ended(folder, tmp_path):
    write(config(first_day=2, days=1), str(tmp_path))
    assert read(tmp_path, "impressions").equals(read(folder, "impressions")[800:])
    assert read(tmp_path, "items").equals(read(folder, "items"))


def test_files_stay_until_new_ones_are_complete(folder, tmp_path, monkeypatch):
    write(config(), str(tmp_path))

    def fail(self, number):
        raise KeyboardInterrupt

    monkeypatch.setattr(World, "day", fail)
    with pytest.raises(KeyboardInterrupt):
        write(config(seed=1), str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_the_inputs_of_a_run_take_them(folder):
    tasks = """tasks=[{name: click, label: click}, {name: like, label: like},
        {name: watch, label: watch_seconds, type: regression}]"""
    configured = load_config(None, [tasks, "context={categorical: [hour]}"])
    inputs = look_at_inputs(
        str(folder / "items.parquet"), str(folder / "impressions.parquet"), configured
    )
    assert inputs.notes == ()
    assert not inputs.items_need_impressions
    start = datetime.datetime(2024, 1, 3, tzinfo=datetime.timezone.utc)
    assert start < inputs.evaluation_start < start + datetime.timedelta(days=1)
