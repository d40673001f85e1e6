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


def test_what_is_shown_is_a_configuration_of_the_same_run(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("tasks: [{name: like, label: liked}]\nsplit: {evaluation_start: 2024-01-02}\n")
    overrides = ["representation={name: sid_hybrid, tau: 2}", "ranker.epochs=7"]
    given = load_config(path, overrides)
    (tmp_path / "shown.yaml").write_text(
        printed("show", "--config", path, "--set", overrides[0], "--set", overrides[1])
    )
    shown = load_config(tmp_path / "shown.yaml")
    assert shown.effective_thresholds == given.effective_thresholds
    assert shown.thresholds == given.effective_thresholds
    for part in ("tasks", "split", "representation", "ranker", "rqvae", "history", "slices"):
        assert getattr(shown, part) == getattr(given, part)


def test_every_default_is_shown():
    shown = yaml.safe_load(printed("show"))
    assert shown["representation"] == {
        "name": "sid_spm",
        "rows": 4096,
        "separate_tables": False,
        "sampling": 0.0,
    }
    assert shown["thresholds"] == [{"task": "click", "slice": "all", "value": 0.5, "change": -0.01}]


def test_the_schema_is_printed():
    assert json.loads(printed("schema")) == config_schema()
