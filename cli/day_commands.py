"""The commands of the daily mode: `sid day`, `sid backfill`, `sid refresh`, `sid status`."""

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

app = typer.Typer()


@app.command()
def day(
    items: Items,
    impressions: Impressions,
    output: RunOutput,
    redo: Annotated[
        bool,
        typer.Option(
            "--redo",
            help="Do a day again that was done with other impressions, and repeat what follows.",
        ),
    ] = False,
    skip_bad: SkipBad = 0,
    config: Config = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Adds a day to what `sid run` has begun: scores it, trains on it, and releases the ranker."""
    from semantic_id_ranking.pipeline.days.day_config import day_config
    from semantic_id_ranking.pipeline.days.run_day import run_day

    configured = day_config(output, config, overrides or ())
    streams = Output(as_json)
    result = run_day(items, impressions, output, configured, streams.console, redo, skip_bad)
    if result.repeated:
        streams.console.print(f"{result.record.name}: done before, nothing changed")
    streams.result(result.record.to_json())
    if result.record.ranker_version is None:
        raise typer.Exit(exit_status.NOT_BLESSED)


@app.command()
def backfill(
    items: Items,
    impressions: Impressions,
    output: RunOutput,
    first: Annotated[str, typer.Option("--from", help="The first day, such as 2024-01-31.")],
    last: Annotated[str, typer.Option("--to", help="The last day.")],
    skip_bad: SkipBad = 0,
    config: Config = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Adds days in their order. In the paths, {day} stands for the day, such as 2024-01-31."""
    from semantic_id_ranking.pipeline.days.backfill import backfill as backfill_lib
    from semantic_id_ranking.pipeline.days.day_config import day_config

    configured = day_config(output, config, overrides or ())
    streams = Output(as_json)
    results = backfill_lib(
        items, impressions, output, configured, streams.console, first, last, skip_bad
    )
    for result in results:
        if result.repeated:
            streams.console.print(f"{result.record.name}: done before, nothing changed")
    streams.result({"days": [result.record.to_json() for result in results]})
    if results[-1].record.ranker_version is None:
        raise typer.Exit(exit_status.NOT_BLESSED)


@app.command()
def refresh(
    items: Items,
    output: RunOutput,
    skip_bad: SkipBad = 0,
    config: Config = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Makes the SID space anew, and all that is frozen with it; keeps the IDs that it can."""
    from semantic_id_ranking.pipeline.days.day_config import day_config
    from semantic_id_ranking.pipeline.days.refresh import refresh as refresh_lib

    configured = day_config(output, config, overrides or ())
    streams = Output(as_json)
    result = refresh_lib(items, output, configured, streams.console, skip_bad)
    streams.result({"record": result.record.to_json(), "report": result.report})
    if result.record.ranker_version is None:
        raise typer.Exit(exit_status.NOT_BLESSED)


@app.command()
def status(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="Output folder of a run.")],
    as_json: AsJson = False,
) -> None:
    """Says what is served since when, how the last days went, and what the next one will do."""
    from semantic_id_ranking.pipeline.days.status import print_status
    from semantic_id_ranking.pipeline.days.status import status as status_lib

    content = status_lib(directory)
    streams = Output(as_json)
    print_status(content, streams.console)
    streams.result(content)
