"""The commands of `sid config`: the configuration in force, its schema and its reference."""

import dataclasses
import json
import sys

import typer
import yaml

from semantic_id_ranking.cli.config_options import Config
from semantic_id_ranking.cli.config_options import Overrides
from semantic_id_ranking.pipeline.config import to_dict
from semantic_id_ranking.pipeline.config_reference import config_reference
from semantic_id_ranking.pipeline.config_schema import config_schema
from semantic_id_ranking.pipeline.load_config import load_config

app = typer.Typer(help="Prints the configuration, or what can be configured.")


@app.command()
def show(config: Config = None, overrides: Overrides = None) -> None:
    """Prints the configuration that a run would have, every field of it, as YAML."""
    configured = load_config(config, overrides or ())
    effective = dataclasses.replace(configured, thresholds=configured.effective_thresholds)
    sys.stdout.write(yaml.safe_dump(to_dict(effective), sort_keys=False, allow_unicode=True))


@app.command()
def schema() -> None:
    """Prints the JSON Schema of the configuration, by which editors complete the YAML."""
    sys.stdout.write(json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n")


@app.command(hidden=True)
def reference() -> None:
    """Prints docs/reference/configuration.md."""
    sys.stdout.write(config_reference())
