"""`sid tune-sid`: levels, codes a level and width of the latent for a set of items."""

import dataclasses
import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import rich.console
import rich.table

from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.look_at_inputs import look_at_inputs
from semantic_id_ranking.pipeline.terminal import logged_to

# Trials are there to be compared: shorter than a run's training, and on a sample of a large set.
_EPOCHS = 8
_ITEMS = 20_000
_NARROWER = (2, 4)


def tune_sid(
    items: str | Sequence[str],
    impressions: str | Sequence[str],
    config: Config,
    minutes: float,
    log: str | None,
    console: rich.console.Console,
) -> dict[str, Any]:
    """Tries a few sizes and prints a table, the choice and what to write into the configuration.

    Only items of the training period are looked at; the newest tenth of them is measured.

    Args:
        items: Items: Parquet files, folders or patterns.
        impressions: Impressions, as the items; they say where the training period ends.
        config: Columns, split and the recipe that all trials share.
        minutes: No trial begins after so many.
        log: File for the libraries' messages; None drops them.
        console: Where to print.

    Returns:
        The same, for `--json`: `trials`, a list of the fields of `Trial`; `not_tried`, [levels,
        codes] of those there was no time for; `rqvae`, the configuration to take; `reasons`.

    Raises:
        InputError: The input is not what it should be.
    """
    begin = time.monotonic()
    inputs = look_at_inputs(items, impressions, config)
    with logged_to(os.path.abspath(log or os.devnull)):
        from semantic_id_ranking.inputs.item_arrays import read_items
        from semantic_id_ranking.pipeline.component_parameters import item_parameters
        from semantic_id_ranking.trainer.rqvae import tune

        parameters = item_parameters(config, inputs)
        read = read_items(inputs.items, parameters, inputs.impressions)
        embeddings, newest = _training_items(read, parameters.evaluation_start, config.rqvae.seed)
        attainable = float((np.unique(embeddings, axis=0, return_counts=True)[1] == 1).sum())
        attainable /= len(embeddings)

        def measure(levels: int, codebook_size: int, latent_dim: int | None) -> "tune.Trial":
            recipe = dataclasses.replace(
                config.rqvae,
                levels=levels,
                codebook_size=codebook_size,
                latent_dim=latent_dim,
                epochs=min(config.rqvae.epochs, _EPOCHS),
            )
            trial = tune.measure(embeddings, newest, recipe)
            console.print(
                f"{levels} x {codebook_size}, latent {trial.latent_dim}: {trial.seconds:.0f} s",
                highlight=False,
            )
            return trial

        def in_time() -> bool:
            return time.monotonic() - begin < 60 * minutes

        sizes = tune.sizes_for(len(embeddings))
        trials = [measure(*sizes[0], config.rqvae.latent_dim)]
        trials += [measure(*size, config.rqvae.latent_dim) for size in sizes[1:] if in_time()]
        size = tune.choose(trials, attainable)
        widths = [size.trial]
        if config.rqvae.latent_dim is None:
            narrower = [embeddings.shape[1] // part for part in _NARROWER]
            chosen = (size.trial.levels, size.trial.codebook_size)
            widths += [measure(*chosen, width) for width in narrower if width and in_time()]
        width = tune.choose_latent(widths)
    _print(console, [*trials, *widths[1:]], width.trial)
    not_tried = sizes[len(trials) :]
    if not_tried:
        skipped = ", ".join(f"{levels} x {codes}" for levels, codes in not_tried)
        console.print(f"Not tried for want of time: {skipped}.", highlight=False)
    console.print(f"Levels and codes: {size.reason}.", highlight=False)
    if len(widths) > 1:
        console.print(f"Latent: {width.reason}.", highlight=False)
    best = width.trial
    latent = f", latent_dim: {best.latent_dim}" if best != size.trial else ""
    console.print(
        f"\nrqvae: {{levels: {best.levels}, codebook_size: {best.codebook_size}{latent}}}",
        highlight=False,
    )
    rqvae = {"levels": best.levels, "codebook_size": best.codebook_size}
    return {
        "trials": [dataclasses.asdict(trial) for trial in [*trials, *widths[1:]]],
        "not_tried": [list(size) for size in not_tried],
        "rqvae": rqvae | ({"latent_dim": best.latent_dim} if latent else {}),
        "reasons": [size.reason, *([width.reason] if len(widths) > 1 else [])],
    }


def _training_items(read, evaluation_start: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings [N, D] of a sample of the training period, and which are its newest tenth."""
    from semantic_id_ranking.inputs.timestamps import to_microseconds

    rows = np.flatnonzero(read.created_at < to_microseconds(evaluation_start))
    rows = np.random.default_rng(seed).permutation(rows)[:_ITEMS]
    created_at = read.created_at[rows]
    newest = np.zeros(len(rows), bool)
    newest[np.argsort(created_at, kind="stable")[-max(len(rows) // 10, 1) :]] = True
    return read.embeddings[rows], newest


def _print(console: rich.console.Console, trials: list, chosen: object) -> None:
    table = rich.table.Table("levels", "codes", "latent", "error", "own SID", "use", "seconds")
    for trial in trials:
        table.add_row(
            str(trial.levels),
            str(trial.codebook_size),
            str(trial.latent_dim),
            f"{trial.relative_error:.4f}",
            f"{trial.unique_fraction:.1%}",
            f"{trial.codebook_use:.0%}",
            f"{trial.seconds:.0f}",
            style="bold" if trial == chosen else None,
        )
    console.print(table)
