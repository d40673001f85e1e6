"""The commands of the daily mode: `sid day`, `sid status`."""

from typing import Annotated

import typer

from semantic_id_ranking.cli.config_options import Config
from semantic_id_ranking.cli.config_options import Overrides
from semantic_id_ranking.cli.input_options import Impressions
from semantic_id_ranking.cli.input_options import Items
from semantic_id_ranking.cli.input_options import RunOutput
from semantic_id_ranking.cli.input_options import SkipBad
from semantic_id_ranking.cli.output import AsJson
from semantic_id_ranking.cli.output import Output
from semantic_id_ranking.pipeline import exit_status
from semantic_id_ranking.pipeline.load_config import load_config


def day(
    items: Items,
    impressions: Impressions,
    output: RunOutput,
    redo: Annotated[
        bool, typer.Option("--redo", help="Do a day again that was done with other impressions.")
    ] = False,
    skip_bad: SkipBad = 0,
    config: Config = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Adds a day to what `sid run` has begun: scores it, trains on it, and releases the ranker."""
    from semantic_id_ranking.pipeline.days.run_day import run_day

    configured = load_config(config, overrides or ())
    streams = Output(as_json)
    result = run_day(items, impressions, output, configured, streams.console, redo, skip_bad)
    if result.repeated:
        streams.console.print(f"{result.record.name}: done before, nothing changed")
    streams.result(result.record.to_json())
    if result.record.ranker_version is None:
        raise typer.Exit(exit_status.NOT_BLESSED)
