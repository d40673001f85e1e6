"""The options of every command that reads a configuration."""

from typing import Annotated

import typer

Config = Annotated[str | None, typer.Option("--config", help="YAML file of the configuration.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="Overrides one field, such as ranker.epochs=3; may be repeated."),
]
