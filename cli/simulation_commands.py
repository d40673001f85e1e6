"""The commands of `sid` for simulated data: `sid simulate`, `sid compare-truth`."""

import dataclasses
from typing import Annotated

import typer

from semantic_id_ranking.cli.output import AsJson
from semantic_id_ranking.cli.output import Output
from semantic_id_ranking.simulation.simulation_config import SimulationConfig

app = typer.Typer()

_DEFAULT = SimulationConfig()


@app.command()
def simulate(
    output: Annotated[
        str,
        typer.Option(help="Folder of items.parquet, impressions.parquet and truth.parquet."),
    ],
    items: Annotated[int, typer.Option(help="Items before the first day.")] = _DEFAULT.items,
    users: Annotated[int, typer.Option(help="Users.")] = _DEFAULT.users,
    days: Annotated[int, typer.Option(help="Days of impressions.")] = _DEFAULT.days,
    impressions: Annotated[int, typer.Option(help="Impressions a day.")] = _DEFAULT.impressions,
    new_items: Annotated[int, typer.Option(help="Items a day that appear.")] = _DEFAULT.new_items,
    first_day: Annotated[
        int,
        typer.Option(
            help="The first day of the impressions, counted from 2024-01-01; days before it stay "
            "what they are without it."
        ),
    ] = _DEFAULT.first_day,
    dimensions: Annotated[int, typer.Option(help="Length of an embedding.")] = _DEFAULT.dimensions,
    seed: Annotated[int, typer.Option(help="Seed of all that is drawn.")] = _DEFAULT.seed,
    as_json: AsJson = False,
) -> None:
    """Makes up a log whose true probabilities are known, to measure how much a ranker reaches."""
    options = dict(locals())
    from semantic_id_ranking.cli import simulate as simulate_lib

    fields = [field.name for field in dataclasses.fields(SimulationConfig)]
    config = SimulationConfig(**{name: options[name] for name in fields})
    streams = Output(as_json)
    streams.result(simulate_lib.simulate(output, config, streams.console))


@app.command(name="compare-truth")
def compare_truth(
    run: Annotated[str, typer.Argument(metavar="DIR", help="Output folder of a run.")],
    truth: Annotated[str, typer.Option(help="truth.parquet, which sid simulate has written.")],
    as_json: AsJson = False,
) -> None:
    """Says how much of the best possible metrics the rankers of a run reach."""
    from semantic_id_ranking.cli import compare_truth as compare_truth_lib

    streams = Output(as_json)
    streams.result(compare_truth_lib.compare_truth(run, truth, streams.console))
