"""The options of the commands that read items and impressions."""

from typing import Annotated

import typer

Items = Annotated[
    list[str],
    typer.Option(
        help="Items: a Parquet file, a folder or a pattern (** for any folders); may be repeated."
    ),
]
RunOutput = Annotated[str, typer.Option("--output", help="Folder of everything the run makes.")]
Impressions = Annotated[list[str], typer.Option(help="Impressions, as --items; may be repeated.")]
SkipBad = Annotated[
    int,
    typer.Option(
        help="Bad impressions, at most, that go to OUTPUT/impressions.rejects.parquet with the "
        "reason; one more stops the run.",
        min=0,
    ),
]
