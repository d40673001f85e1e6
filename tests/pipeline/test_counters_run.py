"""Counters through the pipeline: from the log to a served ranking."""

import io
import json
import os

import pytest
import rich.console

from semantic_id_ranking.cli import rank as rank_lib
from semantic_id_ranking.cli import serve as serve_lib
from semantic_id_ranking.cli.candidates import Candidates
from semantic_id_ranking.cli.catalogue import Catalogue
from semantic_id_ranking.pipeline import run as run_lib
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.serving.server import ModelServer

COLUMNS = ("item_counters", "user_counters", "user_code_counters")


@pytest.mark.slow
def test_a_served_ranker_knows_a_users_taste_by_counters_alone(finished_run):
    # By a hundred hashed rows and one item of a history it learns no taste.
    overrides = ["context.counters=true", "representation={name: random_hash, rows: 100}"]
    console = rich.console.Console(file=io.StringIO(), width=160)
    config = load_config(finished_run.config, [*overrides, "history.length=1"])
    run_lib.run(finished_run.items, finished_run.impressions, finished_run.output, config, console)
    with open(os.path.join(finished_run.output, "summary.json"), encoding="utf-8") as file:
        metrics = json.load(file)["models"]["ranker"]["metrics"]["click"]
    # Who knows all tastes ranks at .888: users click .8 of a quarter and .05 of the rest.
    assert metrics["all"]["auc"] > 0.85
    assert _auc_without_counters(finished_run) < 0.7

    catalogue = Catalogue.load(finished_run.output)
    candidates = Candidates(sorted(catalogue.item_ids))
    assert set(catalogue.state_context(candidates.item_ids, "user3")) == set(COLUMNS)
    with (
        ModelServer(serve_lib.base_paths(os.path.join(finished_run.output, "serving"))) as server,
        rank_lib.open_run_store(finished_run.output, catalogue) as store,
    ):
        context = {"tab": "home", "hour": 3.0}
        ranking = rank_lib.show_ranking(
            catalogue, candidates, "user3", context, 40, server.address, store, console
        )
    topics = [item["title"].split()[-1] for item in ranking["items"]]
    # Of four topics, the user likes one.
    assert max(map(topics.count, topics)) >= 35


def _auc_without_counters(finished_run) -> float:
    """The AUC of the run's baseline of the same hashed rows."""
    return finished_run.summary["models"]["random_hash"]["metrics"]["click"]["all"]["auc"]
