"""`sid tune-sid` on a small world."""

import datetime
import io
import re

import pytest
import rich.console
import yaml

from semantic_id_ranking.cli.tune_sid import tune_sid
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.load_config import load_config
from tests import synthetic


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    catalogue = synthetic.items()
    items = synthetic.write(catalogue, folder / "items.parquet")
    return items, synthetic.write(synthetic.impressions(catalogue), folder / "impressions.parquet")


def run(world, log=None, minutes=10.0, overrides=()):
    """Returns what was printed."""
    printed = io.StringIO()
    console = rich.console.Console(file=printed, width=200)
    config = load_config(None, ["rqvae.epochs=1", "rqvae.kmeans_mixtures=200", *overrides])
    tune_sid(*world, config, minutes, log, console)
    return printed.getvalue()


def test_recommends_a_configuration_that_can_be_loaded(world, tmp_path):
    printed = run(world)
    recommended = yaml.safe_load(printed.splitlines()[-1])
    assert set(recommended["rqvae"]) <= {"levels", "codebook_size", "latent_dim"}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(recommended), encoding="utf-8")
    assert load_config(str(path), ()).rqvae.levels == recommended["rqvae"]["levels"]
    assert "Levels and codes: " in printed


def test_out_of_time_it_recommends_what_it_has(world):
    printed = run(world, minutes=0.0, overrides=["rqvae.latent_dim=4"])
    assert len(re.findall(r"^\d+ x \d+, latent 4", printed, re.MULTILINE)) == 1


@pytest.mark.parametrize("log", [None, "logs/tune"])
def test_a_log_is_written_only_where_one_is_asked_for(world, tmp_path, monkeypatch, log):
    monkeypatch.chdir(tmp_path)
    run(world, log, minutes=0.0, overrides=["rqvae.latent_dim=4"])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files == ([tmp_path / log] if log else [])
    assert not log or "rqvae" in files[0].read_text()


def test_no_such_file(world):
    with pytest.raises(InputError, match=r"nowhere\.parquet: no such file"):
        run(("nowhere.parquet", world[1]))


def test_only_items_of_the_training_period_are_looked_at(world, tmp_path):
    # All but twenty items appear after the last impression: too few are left for any size.
    catalogue = synthetic.items()
    order = catalogue["created_at"].rank(method="first")
    after = synthetic.START + datetime.timedelta(days=synthetic.DAYS + 1)
    catalogue["created_at"] = catalogue["created_at"].where(order <= 20, after)
    items = synthetic.write(catalogue, tmp_path / "items.parquet")
    assert "there are few items" in run((items, world[1]))
