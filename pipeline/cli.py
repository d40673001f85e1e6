"""The command line `sid`."""

import os
import sys
import warnings
from typing import Annotated

# Before any import of TensorFlow: its C++ log would bury what we print.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
warnings.filterwarnings("ignore")

import rich.console  # noqa: E402
import typer  # noqa: E402

from components.errors import InputError  # noqa: E402
from pipeline.load_config import load_config  # noqa: E402
from pipeline.terminal import silence_exit  # noqa: E402

app = typer.Typer(
    help="Semantic IDs in place of hashed item IDs for ranking models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = rich.console.Console()

Config = Annotated[str | None, typer.Option("--config", help="YAML file of the configuration.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="Overrides one field, such as ranker.epochs=3; may be repeated."),
]


@app.command()
def run(
    items: Annotated[str, typer.Option(help="Parquet file of items.")],
    impressions: Annotated[str, typer.Option(help="Parquet file of impressions.")],
    output: Annotated[str, typer.Option(help="Folder of everything the run makes.")],
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Runs the whole pipeline on your data, on this machine."""
    from pipeline import run as run_lib

    run_lib.run(items, impressions, output, load_config(config, overrides or ()), console)


@app.command()
def demo(
    output: Annotated[str, typer.Option(help="Folder of everything the run makes.")] = (
        "runs/movielens"
    ),
    config: Config = "configs/movielens.yaml",
    overrides: Overrides = None,
) -> None:
    """Runs the pipeline on MovieLens, serves the result and ranks 500 films for one user."""
    from pipeline.demo import demo as demo_lib

    demo_lib.demo(output, load_config(config, overrides or ()), console)


@app.command()
def serve(
    models: Annotated[str, typer.Option(help="Folder with a base folder for each model.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="gRPC port; 0 takes a free one.")] = 8500,
) -> None:
    """Serves pushed models over gRPC, on this machine; production runs TensorFlow Serving."""
    from pipeline import serve as serve_lib

    serve_lib.serve(models, host, port, console)


@app.command()
def rank(
    run: Annotated[str, typer.Option(help="Output folder of a run, whose items are ranked.")],
    user: Annotated[
        str, typer.Option(help="The user, whose history at the end of the log counts.")
    ],
    candidates: Annotated[
        str | None,
        typer.Option(
            help="Text file with an item_id a line, or Parquet with item_id and, for items that "
            "the run does not know, embedding and title. Without it: 500 items of the run."
        ),
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option(
            help="column=value of a context column that the ranker reads; may be repeated."
        ),
    ] = None,
    top: Annotated[int, typer.Option(help="Items shown.", min=1)] = 10,
    address: Annotated[str, typer.Option(help="Host and port of the model server.")] = (
        "127.0.0.1:8500"
    ),
) -> None:
    """Ranks items for a user through a model server that runs already."""
    from pipeline import rank as rank_lib

    rank_lib.rank(run, user, candidates, context or (), top, address, console)


@app.command()
def encode(
    model: Annotated[str, typer.Option(help="A semantic_id SavedModel, or its base folder.")],
    items: Annotated[str, typer.Option(help="Parquet file of items.")],
    output: Annotated[str, typer.Option(help="Beginning of the names of the Parquet files made.")],
    workers: Annotated[int, typer.Option(help="Beam worker processes.", min=1)] = 1,
    config: Config = None,
    overrides: Overrides = None,
) -> None:
    """Gives items their Semantic IDs, in a Beam batch."""
    from pipeline import encode as encode_lib

    columns = load_config(config, overrides or ()).columns
    encode_lib.encode(model, items, output, columns, workers, console)


def main() -> None:
    """Entry point: bad input ends with status 2 and one sentence."""
    try:
        app(standalone_mode=False)
    except InputError as error:
        rich.console.Console(stderr=True).print(
            f"sid: {error}", highlight=False, markup=False, soft_wrap=True
        )
        sys.exit(2)
    except typer.Abort:
        sys.exit(130)
    except Exception as error:
        # Click's own errors (usage) know how to show themselves.
        if hasattr(error, "show") and hasattr(error, "exit_code"):
            error.show()
            sys.exit(error.exit_code)
        raise
    silence_exit()


if __name__ == "__main__":
    main()
