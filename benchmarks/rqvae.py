"""The RQ-VAE against FAISS's residual quantiser, on items unseen by both.

`make bench-rqvae DATA=DIR` trains both on the items of the first 90 % of time, measures on the
last 10 % and writes `benchmarks/out/rqvae.json`. Expect a `ratio` of the relative errors, ours to
that of FAISS, around 0.9: below 1, ours is better.
"""

import dataclasses
import os
import tempfile
from collections.abc import Sequence
from typing import Annotated
from typing import Any

import numpy as np
import typer

from benchmarks import command
from benchmarks import peers
from benchmarks.data_set import created_first
from benchmarks.data_set import Items
from benchmarks.data_set import read_items
from benchmarks.semantic_ids import encode
from benchmarks.semantic_ids import train_rqvae
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.trainer.rqvae import analysis
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig

_SIZES = ((4, 256), (8, 256), (3, 1024))


def measure(items: Items, seen: np.ndarray, config: RqVaeConfig) -> dict[str, Any]:
    """Trains an RQ-VAE and measures it.

    Args:
        items: All items.
        seen: bool [N], the items to train on; the others are measured.
        config: The recipe.

    Returns:
        `relative_error` of the unseen items, relative to their spread around the seen ones' mean;
        `codebook_use` and `perplexity` of the seen items; `unique_fraction` and `prefixes` of all;
        `epochs`, `seconds`, and the sizes.
    """
    training = train_rqvae(items.ids, items.embeddings, seen, config)
    sids = encode(training.model, items.embeddings)
    unseen = items.embeddings[~seen]
    reconstructed = training.model.decode(sids[~seen]).numpy()
    return {
        "levels": config.levels,
        "codebook_size": config.codebook_size,
        "seed": config.seed,
        "relative_error": analysis.relative_error(
            unseen, reconstructed, items.embeddings[seen].mean(axis=0)
        ),
        "unseen": len(unseen),
        "training_items": int(seen.sum()),
        "codebook_use": analysis.codebook_use(sids[seen], config.codebook_size),
        "perplexity": analysis.perplexity(sids[seen]),
        "unique_fraction": analysis.unique_fraction(sids),
        "prefixes": [
            dataclasses.asdict(row) for row in analysis.prefix_table(sids, items.embeddings)
        ],
        "epochs": training.epochs,
        "seconds": training.seconds,
    }


def measure_faiss(
    items: Items, seen: np.ndarray, runs: Sequence[tuple[int, int, int]]
) -> list[tuple[float, float]]:
    """Relative errors and seconds of FAISS's residual quantiser (beam 1) on the same items.

    Args:
        items: All items.
        seen: bool [N].
        runs: (levels, codebook size, seed); a codebook size is a power of two.
    """
    unseen, mean = items.embeddings[~seen], items.embeddings[seen].mean(axis=0)
    with tempfile.TemporaryDirectory() as folder:
        np.save(os.path.join(folder, "train.npy"), items.embeddings[seen])
        np.save(os.path.join(folder, "test.npy"), unseen)
        requests = [[levels, size.bit_length() - 1, seed] for levels, size, seed in runs]
        seconds = peers.run("residual_quantizer", folder, requests)
        return [
            (
                analysis.relative_error(
                    unseen, np.load(os.path.join(folder, f"reconstructed_{number}.npy")), mean
                ),
                seconds[number],
            )
            for number in range(len(runs))
        ]


def main(
    data: Annotated[str, typer.Option(help="Folder of items.parquet and impressions.parquet.")],
    config: Annotated[str | None, typer.Option(help="YAML file of the configuration.")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="rqvae.field=value.")] = None,
    seeds: Annotated[int, typer.Option(help="Trainings of each size.")] = 3,
    validation: Annotated[
        bool,
        typer.Option(help="Measure within the first 90 %, to choose a recipe by, not the last 10."),
    ] = False,
    output: Annotated[str, typer.Option(help="The report.")] = "benchmarks/out/rqvae.json",
) -> None:
    """Measures the RQ-VAE against FAISS."""
    configured = load_config(config, overrides or ())
    items = read_items(data, configured)
    first = created_first(items.created_at)
    if validation:
        items = Items(*(values[first] for values in vars(items).values()))
        first = created_first(items.created_at)
    wanted = [(*size, seed) for size in _SIZES for seed in range(seeds)]
    print(f"FAISS: {len(wanted)} trainings on {first.sum()} items", flush=True)
    peer = measure_faiss(items, first, wanted)
    runs = []
    for (levels, size, seed), (peer_error, peer_seconds) in zip(wanted, peer, strict=True):
        recipe = dataclasses.replace(configured.rqvae, levels=levels, codebook_size=size, seed=seed)
        run = {"data": os.path.basename(os.path.abspath(data))} | measure(items, first, recipe)
        run["faiss_relative_error"] = peer_error
        run["ratio"] = run["relative_error"] / peer_error
        run["faiss_seconds"] = peer_seconds
        runs.append(run)
        print(
            f"{levels} x {size}, seed {seed}: error {run['relative_error']:.4f}, FAISS "
            f"{peer_error:.4f}, ratio {run['ratio']:.3f}, use {min(run['codebook_use']):.2f}, "
            f"unique {run['unique_fraction']:.3f}, {run['seconds']:.0f} s",
            flush=True,
        )
    ratios = [run["ratio"] for run in runs]
    report = {
        "geometric_mean_ratio": float(np.exp(np.mean(np.log(ratios)))),
        "largest_ratio": max(ratios),
        "runs": runs,
    }
    print(f"geometric mean {report['geometric_mean_ratio']:.3f}, largest {max(ratios):.3f}")
    command.write_json(output, report)


if __name__ == "__main__":
    command.run(main)
