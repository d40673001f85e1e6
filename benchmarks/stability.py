"""Stability of Semantic IDs: an RQ-VAE of the first half of time against one of all of it.

`make bench-stability DATA=DIR` writes `benchmarks/out/stability.json`. Expect codes that do not
agree by name, clusterings that share most of their information, and rankers of the same AUC within
the interval: what an RQ-VAE learnt of old items serves the new ones.
"""

import dataclasses
import os
from typing import Annotated
from typing import Any

import numpy as np
import typer

from benchmarks import command
from benchmarks.data_set import created_first
from benchmarks.data_set import read_data_set
from benchmarks.evaluation import Evaluation
from benchmarks.experiment import Experiment
from benchmarks.semantic_ids import train_resources
from benchmarks.semantic_ids import train_sids
from benchmarks.sid_agreement import code_agreement
from benchmarks.sid_agreement import mutual_information
from benchmarks.sid_agreement import pair_agreement
from semantic_id_ranking.evaluation.bootstrap import interval
from semantic_id_ranking.evaluation.bootstrap import seed_mean
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.load_config import ConfigError
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.pipeline.terminal import logged_to

SLICES = ("all", "new", "unseen")


def training_items(created_at: np.ndarray, training: np.ndarray) -> dict[str, np.ndarray]:
    """The items that each version sees.

    Args:
        created_at: int64 [N], microseconds since the epoch.
        training: bool [N], the items of the training period.

    Returns:
        bool [N] of `v0`, the first half of the training period's items by their time, and of `v1`,
        all of them.
    """
    rows = np.flatnonzero(training)
    first = np.zeros(len(created_at), bool)
    first[rows[created_first(created_at[rows], 0.5)]] = True
    return {"v0": first, "v1": training}


class Stability:
    """Both versions, seed by seed."""

    def __init__(self, experiment: Experiment, resamples: int):
        """Prepares.

        Args:
            experiment: The data set.
            resamples: Draws of the bootstrap.
        """
        self._experiment = experiment
        self._evaluation = Evaluation(experiment, resamples)
        self._config: Config = experiment.data.config
        self._versions = training_items(
            experiment.data.items.created_at, experiment.data.training_items
        )
        self._samples: dict[str, list[np.ndarray]] = {name: [] for name in SLICES}

    def run(self, seed: int) -> dict[str, Any]:
        """Trains both RQ-VAEs and a ranker on each.

        Args:
            seed: Of both RQ-VAEs and both rankers.

        Returns:
            What the report says of this seed.
        """
        data, config = self._experiment.data, self._config
        items, task = data.items, config.positive_task.name
        rqvae = dataclasses.replace(config.rqvae, seed=seed)
        sids, samples, ranker = {}, {}, {}
        for version, mask in self._versions.items():
            trained = train_sids(items.ids, items.embeddings, mask, rqvae)
            sids[version], space = trained.sids, trained.space
            resources = train_resources(
                items.ids,
                trained,
                data.item_counts(),
                config.representation.tokenizer_rows(space.levels, space.codebook_size),
                config.tokenizer,
            )
            predictions = self._experiment.train(
                sids[version],
                resources,
                config.representation,
                dataclasses.replace(config.ranker, seed=seed),
            ).predict()
            ranker[version] = {
                row["slice"]: row["auc"]
                for row in self._evaluation.metrics(predictions)
                if row["task"] == task and row["slice"] in SLICES
            }
            samples[version] = {
                name: self._evaluation.resampled(task, predictions[task], name) for name in SLICES
            }
        for name in SLICES:
            self._samples[name].append(samples["v1"][name] - samples["v0"][name])
        return {"seed": seed, **_agreement(sids["v0"], sids["v1"]), "auc": ranker}

    def differences(self) -> dict[str, dict[str, Any]]:
        """AUC with v1 less AUC with v0, over the seeds run so far: 95 % interval by slice."""
        result = {}
        for name, samples in self._samples.items():
            low, high = interval(seed_mean(np.array(samples)))
            known = low == low
            result[name] = {
                "ci": [low, high] if known else None,
                "same": bool(low <= 0 <= high) if known else None,
            }
        return result

    @property
    def items(self) -> dict[str, int]:
        """Number of items that each version sees."""
        return {version: int(mask.sum()) for version, mask in self._versions.items()}


def _agreement(first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
    return {
        "code_agreement": code_agreement(first, second),
        "pair_agreement": pair_agreement(first, second),
        "mutual_information": mutual_information(first[:, 0], second[:, 0]),
    }


def main(
    data: Annotated[str, typer.Option(help="Folder of a data set.")],
    config: Annotated[str | None, typer.Option(help="YAML file of its configuration.")] = None,
    seeds: Annotated[int, typer.Option(help="Number of seeds.", min=1)] = 3,
    impressions: Annotated[
        int, typer.Option(help="Impressions, at most: those of random users.")
    ] = 650_000,
    resamples: Annotated[int, typer.Option(help="Draws of the bootstrap.")] = 500,
    output: str = "benchmarks/out/stability.json",
) -> None:
    """Measures how far Semantic IDs depend on when their RQ-VAE was trained."""
    loaded = load_config(config)
    if loaded.positive_task is None:
        raise ConfigError(f"{config}: tasks: none is binary; AUC needs one")
    data_set = read_data_set(data, loaded).sample_users(impressions, seed=0)
    stability = Stability(Experiment(data_set), resamples)
    runs = []
    with logged_to(f"{os.path.splitext(os.path.abspath(output))[0]}.log"):
        for seed in range(seeds):
            runs.append(stability.run(seed))
            print(
                f"seed {seed}: level-1 codes equal {runs[-1]['code_agreement'][0]:.3f}, normalised "
                f"mutual information {runs[-1]['mutual_information']['normalized']:.3f}, "
                f"AUC {runs[-1]['auc']}",
                flush=True,
            )
    command.write_json(
        output,
        {
            "data": data_set.name,
            "representation": loaded.representation.name,
            "rows": loaded.representation.rows,
            "items": stability.items,
            "runs": runs,
            "auc_difference": stability.differences(),
        },
    )


if __name__ == "__main__":
    command.run(main)
