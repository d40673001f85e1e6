"""Pipelines with several baselines, compiled and not run: which channel each model comes by."""

import dataclasses
import os
import pathlib

import pytest
from tfx.dsl.compiler.compiler import Compiler

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.dag import create_pipeline
from semantic_id_ranking.pipeline.days.day_dag import create_day_pipeline
from semantic_id_ranking.pipeline.days.day_dag import Earlier
from semantic_id_ranking.pipeline.days.ledger import ARTIFACTS
from semantic_id_ranking.pipeline.days.ledger import baseline_artifacts
from semantic_id_ranking.pipeline.days.ledger import DayRecord
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.days.ledger import SpaceRecord
from semantic_id_ranking.pipeline.days.refresh_dag import create_refresh_pipeline
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.inputs import Inputs
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.pipeline.look_at_inputs import look_at_inputs
from tests import synthetic

BASELINES = ("item_rate", "dense", "random_hash")
RANKERS = BASELINES[1:]


@dataclasses.dataclass
class World:
    """What a pipeline is made of."""

    inputs: Inputs
    config: Config
    destinations: Destinations
    days: list[DayRecord]


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    folder = tmp_path_factory.mktemp("baselines")
    items = synthetic.items()
    paths = [
        synthetic.write(frame, folder / f"{name}.parquet")
        for name, frame in (("items", items), ("log", synthetic.impressions(items)))
    ]
    config = load_config(overrides=[f"baselines=[{', '.join(BASELINES)}]", "rqvae.levels=3"])
    destinations = Destinations.under(str(folder / "output"))
    os.makedirs(destinations.serving)
    days = [_record(number, folder / "output") for number in (1, 2)]
    return World(look_at_inputs(*paths, config, False), config, destinations, days)


def _record(number: int, output: pathlib.Path) -> DayRecord:
    names = [*ARTIFACTS, *(name for one in RANKERS for name in baseline_artifacts(one))]
    folders = {name: f"artifacts/{name}/{number}" for name in names}
    for folder in folders.values():
        (output / folder).mkdir(parents=True)
    return DayRecord(
        number=number,
        start=f"1970-01-0{number + 1}T00:00:00+00:00",
        digest="",
        run_id=str(number),
        artifacts=folders,
    )


def producers(pipeline) -> dict[str, dict[str, list[str]]]:
    """Component -> input -> the components that make it."""
    nodes = [node.pipeline_node for node in Compiler().compile(pipeline).nodes]
    return {
        node.node_info.id: {
            name: [channel.producer_node_query.id for channel in given.channels]
            for name, given in node.inputs.inputs.items()
        }
        for node in nodes
    }


def test_a_run_trains_each_baseline_and_evaluates_it_by_name(world):
    found = producers(create_pipeline(world.inputs, world.config, world.destinations))
    assert {name for name in found if name.startswith("Trainer.")} == {
        "Trainer.rqvae",
        "Trainer.ranker",
        *(f"Trainer.{name}" for name in RANKERS),
    }
    evaluator = found["RankingEvaluator"]
    assert evaluator["candidate"] == ["Trainer.ranker"]
    assert {name for name in evaluator if name.startswith("baseline")} == {
        "baseline_dense",
        "baseline_random_hash",
    }
    for name in RANKERS:
        assert evaluator[f"baseline_{name}"] == [f"Trainer.{name}"]


def test_a_day_evaluates_the_last_days_baselines_and_trains_them_on(world):
    space = SpaceRecord(items_digest="", rqvae={})
    ledger = Ledger(day_microseconds=86_400_000_000, space=space, days=world.days)
    found = producers(
        create_day_pipeline(
            world.inputs, world.config, world.destinations, 3, ledger, world.days[0]
        )
    )
    for name in RANKERS:
        for evaluator in ("DayEvaluator", "RankingEvaluator"):
            assert found[evaluator][f"baseline_{name}"] == [f"Earlier.baseline_{name}.2"]
        assert found[f"Trainer.{name}"]["previous"] == [f"Earlier.baseline_{name}_state.2"]
    assert found["RankingEvaluator"]["served"] == ["Earlier.ranker.1"]


def test_a_ledger_without_a_baseline_is_named(world):
    earlier = Earlier(os.path.dirname(world.destinations.serving), ["dense", "sid_prefix"])
    assert earlier.baseline(world.days[0], "dense")
    with pytest.raises(InputError, match=r"/days\.json: 1970-01-02 has no baseline_sid_prefix, so"):
        earlier.baseline(world.days[0], "sid_prefix")


def test_a_refresh_carries_each_baseline(world):
    first, last = world.days
    found = producers(
        create_refresh_pipeline(world.inputs, world.config, world.destinations, last, first, None)
    )
    for name in RANKERS:
        carrier = f"RankerCarrier.{name}"
        assert found[carrier]["previous"] == [f"Earlier.baseline_{name}_state.2"]
        assert found[f"Trainer.{name}"]["previous"] == [carrier]
        assert found["RankingEvaluator"][f"baseline_{name}"] == [f"Trainer.{name}"]
    assert not any(name.startswith("baseline") for name in found["EarlierEvaluator"])
