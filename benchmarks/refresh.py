"""A refresh of the SID space, against training from nothing; and drift where there is none.

`make bench-refresh DATA=DIR` writes `benchmarks/out/refresh.json`. The earlier space knows the
first half of the items by time, the new one all. Expect, of a refresh that keeps the codes of the
first half, over 80 % of its first codes and 50 % of its Semantic IDs as they were, and an error of
the held-out items within 2 % of training from nothing; and "keep" on each of 14 days.
"""

import dataclasses
from typing import Annotated
from typing import Any

import numpy as np
import typer

from benchmarks import command
from benchmarks.data_set import created_first
from benchmarks.data_set import read_items
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.trainer.rqvae import analysis
from semantic_id_ranking.trainer.rqvae.align import align_codes
from semantic_id_ranking.trainer.rqvae.align import rename
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.rqvae.drift import drift_report
from semantic_id_ranking.trainer.rqvae.drift import KnownItems
from semantic_id_ranking.trainer.rqvae.encode_array import encode_array
from semantic_id_ranking.trainer.rqvae.semantic_id_report import Sample
from semantic_id_ranking.trainer.rqvae.train import train
from semantic_id_ranking.trainer.rqvae.train import Training
from semantic_id_ranking.trainer.rqvae.train_and_export import profile_of

_VALIDATION_SHARE = 20


def measure(embeddings: np.ndarray, created_at: np.ndarray, config: RqVaeConfig) -> dict[str, Any]:
    """Refreshes in several recipes, for one seed.

    Args:
        embeddings: float32 [N, D].
        created_at: int64 [N], microseconds since the epoch.
        config: Sizes, recipe and seed.

    Returns:
        `items`; of each recipe the `error` of the held-out items, its `change` against training
        from nothing, and the share of the first half's, and of all, items whose first code, first
        two codes, ... are as before: `kept_first_half`, `kept_all`.
    """
    first = created_first(created_at, 0.5)
    held_out = np.random.default_rng(config.seed).permutation(len(first)) % _VALIDATION_SHARE == 0
    training, validation = embeddings[~held_out], embeddings[held_out]
    earlier = train(embeddings[first & ~held_out], embeddings[first & held_out], config).model
    recipes: dict[str, Training] = {
        "from_nothing": train(training, validation, config),
        "keep_first_half": train(
            training, validation, config, start=earlier, keep=first[~held_out]
        ),
        "keep_all": train(training, validation, config, start=earlier),
        "keep_none": train(
            training, validation, config, start=earlier, keep=np.zeros(len(training), bool)
        ),
    }
    old = encode_array(earlier, embeddings)
    mean = training.mean(axis=0)
    result: dict[str, Any] = {"items": len(first), "first_half": int(first.sum())}
    for name, model in {"earlier": earlier, **{n: t.model for n, t in recipes.items()}}.items():
        new = encode_array(model, embeddings)
        if name != "earlier":
            permutations = align_codes(old[first], new[first], config.codebook_size)
            new = rename(new, permutations)
        same = np.cumprod(new == old, axis=1)
        decoded = model.decode(model.encode(validation)).numpy()
        result[name] = {
            "error": analysis.relative_error(validation, decoded, mean),
            "kept_first_half": same[first].mean(axis=0).tolist(),
            "kept_all": same.mean(axis=0).tolist(),
        }
    for name in recipes:
        result[name]["change"] = result[name]["error"] / result["from_nothing"]["error"] - 1
        result[name]["seconds"] = recipes[name].seconds
    return result


def judge_days(
    embeddings: np.ndarray, created_at: np.ndarray, config: RqVaeConfig, days: int, size: int | None
) -> dict[str, Any]:
    """Judges the second half of the items, day by day, by a profile of the first.

    Args:
        embeddings: float32 [N, D].
        created_at: int64 [N].
        config: The recipe.
        days: Number of days.
        size: New items of a day; None: all of the second half in equal days.

    Returns:
        `new_items` of each day; the number of days of each verdict, `undisturbed` and with items
        that another encoder made: `rotated`, `scaled` a hundredfold, `permuted`, or all `zeros`.
    """
    order = np.argsort(created_at, kind="stable")
    before, after = np.array_split(embeddings[order], 2)
    held_out = np.arange(len(before)) % _VALIDATION_SHARE == 0
    model = train(before[~held_out], before[held_out], config).model
    profile = profile_of(model, before[~held_out], before[held_out])
    rng = np.random.default_rng(config.seed)
    width = embeddings.shape[1]
    rotation = np.linalg.qr(rng.normal(size=(width, width)))[0].astype(np.float32)
    columns = rng.permutation(width)
    parts = (
        np.array_split(after, days)
        if size is None
        else np.split(after, range(size, len(after), size))
    )
    result: dict[str, Any] = {"new_items": [len(part) for part in parts[:days]]}
    encoders = {
        "undisturbed": lambda rows: rows,
        "rotated": lambda rows: rows @ rotation,
        "scaled": lambda rows: 100 * rows,
        "permuted": lambda rows: rows[:, columns],
        "zeros": lambda rows: 0 * rows,
    }
    for name, encoder in encoders.items():
        verdicts: dict[str, int] = {}
        for part in parts[:days]:
            rows = encoder(part)
            sids = encode_array(model, rows)
            sample = Sample(rows, sids, model.decode(sids).numpy())
            known = KnownItems(0, 0, *4 * (sids[:0],))
            verdict = drift_report(profile, sample, known)["verdict"]
            verdicts[verdict] = verdicts.get(verdict, 0) + 1
        result[name] = verdicts
    return result


def main(
    data: Annotated[str, typer.Option(help="Folder of items.parquet and impressions.parquet.")],
    config: Annotated[str | None, typer.Option(help="YAML file of the configuration.")] = None,
    seeds: Annotated[int, typer.Option(help="Number of seeds.", min=1)] = 3,
    output: str = "benchmarks/out/refresh.json",
) -> None:
    """Measures what a refresh keeps and what it costs, and judges days without drift."""
    loaded = load_config(config)
    items = read_items(data, loaded)
    report: dict[str, Any] = {"data": data, "seeds": []}
    for seed in range(seeds):
        recipe = dataclasses.replace(loaded.rqvae, seed=seed)
        report["seeds"].append(measure(items.embeddings, items.created_at, recipe))
        command.write_json(output, report)
    report["days"] = judge_days(items.embeddings, items.created_at, loaded.rqvae, 14, None)
    report["small_days"] = judge_days(items.embeddings, items.created_at, loaded.rqvae, 200, 20)
    command.write_json(output, report)


if __name__ == "__main__":
    command.run(main)
