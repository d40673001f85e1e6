"""The demonstration: MovieLens through the whole pipeline, served, and 500 films ranked."""

import dataclasses
import os
import random
import sysconfig
from typing import Any

import rich.console
import rich.progress

from semantic_id_ranking.cli import rank as rank_lib
from semantic_id_ranking.cli import serve as serve_lib
from semantic_id_ranking.cli.candidates import Candidates
from semantic_id_ranking.cli.catalogue import Catalogue
from semantic_id_ranking.cli.demo import movielens
from semantic_id_ranking.cli.demo import weeks
from semantic_id_ranking.contracts.version_folders import RELEASE
from semantic_id_ranking.pipeline import run as run_lib
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.days.run_day import run_day
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.output_folder import require_folder_name
from semantic_id_ranking.pipeline.output_folder import require_own_metadata
from semantic_id_ranking.pipeline.output_lock import output_lock
from semantic_id_ranking.pipeline.terminal import logged_to
from semantic_id_ranking.pipeline.terminal import printable

_CANDIDATES = 500


def demo(
    output: str, config: Config, console: rich.console.Console, days: bool = False
) -> dict[str, Any]:
    """Runs it all.

    Args:
        output: Folder of everything it makes; the data goes into `data/` below it.
        config: The configuration of the run.
        console: Where to show it.
        days: Whether the run ends before the last dense weeks, which then follow as days.

    Returns:
        The content of the run's `summary.json`; with `days`, those as the ledger has them; and,
        where a model is served, `ranking`, as `sid rank` gives it.

    Raises:
        InputError: Another process works on the output, or it is no folder.
        ModuleNotFoundError: The packages with data and encoder are not installed.
    """
    require_folder_name(output)
    os.makedirs(output, exist_ok=True)
    with output_lock(output, "sid demo"):
        require_own_metadata(Destinations.under(output))
        data = _prepare(os.path.join(output, "data"), console)
    console.print(
        f"MovieLens: {data.films} films, {data.films_with_credits} of them with director or cast",
        highlight=False,
    )
    log = data.impressions
    if days:
        parts = weeks.write_weeks(data.impressions, os.path.join(output, "data", "weeks"))
        log = parts.log
        of_weeks = dataclasses.replace(config.days, length=float(weeks.DAYS_A_WEEK))
        config = dataclasses.replace(config, days=of_weeks)
    summary = run_lib.run(data.items, log, output, config, console)
    if not os.path.isfile(os.path.join(output, "serving", RELEASE)):
        return summary.to_json()
    if not summary.blessed:
        console.print("what was pushed by an earlier run stays served")
    result = summary.to_json()
    if days:
        result["days"] = _replay(data.items, parts.weeks, output, config, console)
    return {**result, "ranking": _rank(data, output, console)}


def _replay(
    items: str, log: list[str], output: str, config: Config, console: rich.console.Console
) -> list[dict[str, Any]]:
    """Adds a day for each file, which prints a line of it, and gives their records."""
    results = [run_day(items, week, output, config, console) for week in log]
    for result in results:
        if result.repeated:
            console.print(f"{result.record.name}: done before, nothing changed", highlight=False)
    return [result.record.to_json() for result in results]


def _rank(
    data: movielens.MovieLensData, output: str, console: rich.console.Console
) -> dict[str, Any]:
    """Serves what is released and ranks 500 films for one user."""
    catalogue = Catalogue.load(output)
    new = Candidates.load(data.new_item)
    rng = random.Random(0)
    films = rng.sample(sorted(catalogue.item_ids), _CANDIDATES - 1)
    candidates = Candidates([*films, *new.item_ids], new.embeddings, new.titles)
    user = rng.choice(sorted(u for u, h in catalogue.histories.items() if len(h) >= 10))

    from semantic_id_ranking.serving.server.model_server import ModelServer

    serving = os.path.join(output, "serving")
    log = os.path.join(output, "logs", "serve.log")
    with (
        logged_to(log),
        ModelServer(serve_lib.base_paths(serving)) as server,
        rank_lib.open_run_store(output, catalogue) as store,
    ):
        ranking = rank_lib.show_ranking(
            catalogue, candidates, user, {}, 10, server.address, store, console, new.item_ids
        )
    title = printable(new.titles.get(new.item_ids[0]) or new.item_ids[0])
    console.print(
        f"{title} was in no training data: the server encoded its embedding and ranked it.\n"
        f"Serve these models yourself: {_program()} serve --models {serving}",
        highlight=False,
        markup=False,
    )
    return ranking


def _program() -> str:
    """Path of the command `sid` of this environment."""
    return os.path.relpath(os.path.join(sysconfig.get_path("scripts"), "sid"))


def _prepare(directory: str, console: rich.console.Console) -> movielens.MovieLensData:
    with rich.progress.Progress(console=console, transient=True) as progress:
        task = progress.add_task("encoding the films' texts", total=None)
        return movielens.prepare(
            directory, lambda done, total: progress.update(task, completed=done, total=total)
        )
