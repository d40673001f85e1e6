import json

import yaml
from typer.testing import CliRunner

from semantic_id_ranking.cli.main import app
from semantic_id_ranking.pipeline.config_schema import config_schema
from semantic_id_ranking.pipeline.load_config import load_config


def printed(*arguments):
    result = CliRunner().invoke(app, ["config", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_printed_configuration_is_that_of_the_same_run(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("tasks: [{name: like, label: liked}]\nsplit: {evaluation_start: 2024-01-02}\n")
    overrides = ["representation={name: sid_hybrid, tau: 2}", "ranker.epochs=7"]
    given = load_config(path, overrides)
    (tmp_path / "loaded.yaml").write_text(
        printed("show", "--config", path, "--set", overrides[0], "--set", overrides[1])
    )
    loaded = load_config(tmp_path / "loaded.yaml")
    assert loaded.effective_thresholds == given.effective_thresholds
    assert loaded.thresholds == given.effective_thresholds
    for part in ("tasks", "split", "representation", "ranker", "rqvae", "history", "slices"):
        assert getattr(loaded, part) == getattr(given, part)


def test_every_default_is_printed():
    given = yaml.safe_load(printed("show"))
    assert given["representation"] == {
        "name": "sid_spm",
        "rows": 4096,
        "separate_tables": False,
        "sampling": 0.0,
    }
    assert given["thresholds"] == [
        {
            "task": "click",
            "slice": "all",
            "value": 0.5,
            "change": -0.01,
            "metric": None,
            "peer": "random_hash",
            "at": "estimate",
        }
    ]


def test_the_schema_is_printed():
    assert json.loads(printed("schema")) == config_schema()
