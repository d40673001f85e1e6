"""The command line `sid`."""

import importlib.metadata
import importlib.resources
import os
import sys
import warnings
from typing import Annotated
from typing import Protocol
from typing import runtime_checkable

# Before any import of TensorFlow: its C++ log would bury what we print.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
warnings.filterwarnings("ignore")

import rich.console  # noqa: E402
import typer  # noqa: E402

from semantic_id_ranking.cli import config_commands  # noqa: E402
from semantic_id_ranking.cli import day_commands  # noqa: E402
from semantic_id_ranking.cli import serving_commands  # noqa: E402
from semantic_id_ranking.cli import simulation_commands  # noqa: E402
from semantic_id_ranking.cli.config_options import Config  # noqa: E402
from semantic_id_ranking.cli.config_options import Overrides  # noqa: E402
from semantic_id_ranking.cli.input_options import Impressions  # noqa: E402
from semantic_id_ranking.cli.input_options import Items  # noqa: E402
from semantic_id_ranking.cli.input_options import RunOutput  # noqa: E402
from semantic_id_ranking.cli.input_options import SkipBad  # noqa: E402
from semantic_id_ranking.cli.output import AsJson  # noqa: E402
from semantic_id_ranking.cli.output import Output  # noqa: E402
from semantic_id_ranking.contracts.errors import InputError  # noqa: E402
from semantic_id_ranking.pipeline import exit_status  # noqa: E402
from semantic_id_ranking.pipeline.load_config import load_config  # noqa: E402
from semantic_id_ranking.pipeline.os_errors import os_sentence  # noqa: E402
from semantic_id_ranking.pipeline.terminal import printable  # noqa: E402
from semantic_id_ranking.pipeline.terminal import silence_exit  # noqa: E402
from semantic_id_ranking.serving.store.store_url import hide_credentials  # noqa: E402

app = typer.Typer(
    help="Semantic IDs in place of hashed item IDs for ranking models.",
    epilog=exit_status.EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_SIGNALS = {exit_status.INTERRUPTED: "interrupted", exit_status.TERMINATED: "terminated"}


@runtime_checkable
class _UsageError(Protocol):
    """Click's own errors, which Typer has a copy of, and which know how to show themselves."""

    message: str
    exit_code: int

    def show(self) -> None: ...


def _show_version(asked: bool) -> None:
    if asked:
        print(f"sid {importlib.metadata.version('semantic-id-ranking')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Takes the options before the command."""


@app.command()
def run(
    items: Items,
    impressions: Impressions,
    output: RunOutput,
    new_space: Annotated[
        bool,
        typer.Option(
            "--new-space",
            help="Train a SID space, or take that of rqvae.model, though OUTPUT has released one, "
            "which else is kept.",
        ),
    ] = False,
    skip_bad: SkipBad = 0,
    config: Config = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Runs the whole pipeline on your data, on this machine."""
    from semantic_id_ranking.pipeline import run as run_lib

    configured = load_config(config, overrides or ())
    streams = Output(as_json)
    summary = run_lib.run(
        items, impressions, output, configured, streams.console, skip_bad, new_space
    )
    streams.result(summary.to_json())
    if not summary.blessed:
        raise typer.Exit(exit_status.NOT_BLESSED)


@app.command()
def demo(
    output: RunOutput = "runs/movielens",
    config: Annotated[
        str | None,
        typer.Option(help="YAML file of the configuration; without it, that of MovieLens."),
    ] = None,
    overrides: Overrides = None,
    days: Annotated[
        bool,
        typer.Option("--days", help="Replay six weeks, one after the other, as days of sid day."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Runs the pipeline on MovieLens, serves the result and ranks 500 films for one user."""
    from semantic_id_ranking.cli.demo import demo as demo_lib

    if config is None:
        config = str(importlib.resources.files("semantic_id_ranking") / "configs/movielens.yaml")
    streams = Output(as_json)
    summary = demo_lib.demo(output, load_config(config, overrides or ()), streams.console, days)
    streams.result(summary)
    if not summary["blessed"]:
        raise typer.Exit(exit_status.NOT_BLESSED)


@app.command()
def encode(
    model: Annotated[str, typer.Option(help="A semantic_id SavedModel, or its base folder.")],
    items: Items,
    output: Annotated[
        str,
        typer.Option(
            help="Folder of Parquet files made, which appears when it is complete; an earlier "
            "output there is replaced."
        ),
    ],
    workers: Annotated[int, typer.Option(help="Beam worker processes.", min=1)] = 1,
    earlier: Annotated[
        str | None,
        typer.Option(
            help="An earlier output: only new and changed items are encoded, others copied from it."
        ),
    ] = None,
    re_encode_all: Annotated[
        bool,
        typer.Option(
            "--re-encode-all",
            help="Encode every item, also where the earlier output is of another model.",
        ),
    ] = False,
    skip_bad: Annotated[
        int,
        typer.Option(
            help="Bad items, at most, that go to OUTPUT.rejects.parquet with the reason; one more "
            "stops the run.",
            min=0,
        ),
    ] = 0,
    config: Config = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Gives items their Semantic IDs, in a Beam batch."""
    from semantic_id_ranking.cli import encode as encode_lib

    columns = load_config(config, overrides or ()).columns
    streams = Output(as_json)
    result = encode_lib.encode(
        model, items, output, columns, workers, earlier, re_encode_all, skip_bad, streams.console
    )
    streams.result(result)


@app.command(name="tune-sid")
def tune_sid(
    items: Items,
    impressions: Impressions,
    minutes: Annotated[float, typer.Option(help="No trial begins after so many.", min=0)] = 8.0,
    log: Annotated[
        str | None,
        typer.Option(help="File for the libraries' messages; without it they are dropped."),
    ] = None,
    config: Config = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Tries a few sizes of Semantic IDs on your items and recommends one, saying why."""
    from semantic_id_ranking.cli import tune_sid as tune_sid_lib

    configured = load_config(config, overrides or ())
    output = Output(as_json)
    output.result(
        tune_sid_lib.tune_sid(items, impressions, configured, minutes, log, output.console)
    )


@app.command()
def gc(
    directory: Annotated[
        str, typer.Argument(metavar="DIR", help="Output folder of runs.", show_default=False)
    ],
    keep: Annotated[
        int, typer.Option(help="Finished runs whose artifacts stay, the newest ones.", min=1)
    ],
    as_json: AsJson = False,
) -> None:
    """Removes artifacts that neither the newest runs nor the served models need."""
    from semantic_id_ranking.cli import gc as gc_lib

    output = Output(as_json)
    output.result(gc_lib.gc(directory, keep, output.console))


app.add_typer(day_commands.app)
app.add_typer(serving_commands.app)
app.add_typer(simulation_commands.app)
app.add_typer(config_commands.app, name="config")


def main() -> None:
    """Entry point; how it ends is documented in `exit_status`."""
    with exit_status.signals_unwind():
        try:
            # Typer returns the status of its own exits, of Ctrl-C among them.
            status = app(standalone_mode=False) or 0
        except BaseException as error:
            # Any exception may follow from a signal.
            status = exit_status.received_signal() or _status_of(error)
    if status in _SIGNALS:
        _say(_SIGNALS[status])
    if status != exit_status.REFUSED:
        silence_exit()
    if status:
        sys.exit(status)


def _status_of(error: BaseException) -> int:
    """Says in one sentence what was refused; raises an error of the program again."""
    if isinstance(error, InputError):
        return _refuse(str(error))
    if isinstance(error, ModuleNotFoundError):
        from semantic_id_ranking.cli.extras import extra_sentence

        if sentence := extra_sentence(error):
            return _refuse(sentence)
    if isinstance(error, typer.Abort):
        return exit_status.INTERRUPTED
    if isinstance(error, _UsageError):
        # A URL given as another argument is quoted.
        error.message = hide_credentials(error.message)
        error.show()
        return error.exit_code
    if sentence := os_sentence(error):
        return _refuse(sentence)
    raise error


def _refuse(reason: str) -> int:
    _say(reason)
    return exit_status.REFUSED


def _say(text: str) -> None:
    rich.console.Console(stderr=True).print(
        f"sid: {printable(text)}", highlight=False, markup=False, emoji=False, soft_wrap=True
    )


if __name__ == "__main__":
    main()
