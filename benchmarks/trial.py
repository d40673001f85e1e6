"""One trial of the sweep, and the bench that trials run on."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any
from typing import Literal

import numpy as np

from benchmarks.copies import other_copy
from benchmarks.copies import relative_difference
from benchmarks.copies import with_copies
from benchmarks.data_set import DataSet
from benchmarks.evaluation import Evaluation
from benchmarks.experiment import Experiment
from benchmarks.experiment import TrainedRanker
from benchmarks.semantic_ids import Sids
from benchmarks.semantic_ids import train_resources
from benchmarks.variants import Variant
from semantic_id_ranking.trainer.ranker.representations import RepresentationConfig
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer

#: Slices whose AUC claims are made of.
CLAIM_SLICES = ("all", "new", "unseen")

_POPULARITY = ("head", "torso", "tail")


@dataclasses.dataclass(frozen=True)
class Trial:
    """One ranker of the sweep.

    Attributes:
        variant: How it sees an item.
        rows: Its table budget.
        seed: Of the RQ-VAE and of the ranker.
        world: "main" is the data set; "v0" the same with Semantic IDs by an RQ-VAE of the first
            half of the training period's items; "copies" has every item twice.
    """

    variant: Variant
    rows: int
    seed: int
    world: Literal["main", "v0", "copies"] = "main"


@dataclasses.dataclass(frozen=True)
class TrialResult:
    """The result of a trial.

    Attributes:
        trial: The trial.
        table_rows: Rows of its table.
        lookups: Mean table rows of an item, of all items and of those of each popularity slice.
        lookups_samples: float64 [R], head items' mean less tail items' under each draw of items.
        metrics: A report a task and slice, see `Evaluation.metrics`.
        samples: Slice to the AUC of the first task under each draw of users, float64 [R].
        difference: In the world of copies, the mean relative difference of the predictions for an
            item and for its copy, and the same under each draw of users, float64 [R]; None else.
        seconds: Of the training.
    """

    trial: Trial
    table_rows: int
    lookups: Mapping[str, float | None]
    lookups_samples: np.ndarray
    metrics: list[dict[str, Any]]
    samples: Mapping[str, np.ndarray]
    difference: tuple[float, np.ndarray] | None
    seconds: float


class Bench:
    """A data set ready for trials."""

    def __init__(self, data: DataSet, sids: Mapping[tuple[str, int], Sids], resamples: int):
        """Prepares.

        Args:
            data: The data set.
            sids: Semantic IDs by version ("v0", "v1") and seed.
            resamples: Draws of the bootstrap (R).
        """
        self._data = data
        self._sids = sids
        self._resamples = resamples

    def run(self, trial: Trial) -> TrialResult:
        """Trains and judges one ranker.

        Raises:
            ValueError: The representation cannot be had with these rows.
        """
        version = "v0" if trial.world == "v0" else "v1"
        world = "copies" if trial.world == "copies" else "main"
        experiment, evaluation = self._world(world)
        data = experiment.data
        ranker = experiment.train(
            self._sids_of(version, trial.seed, world).sids,
            self.resources(trial.variant.config(trial.rows), trial.seed, version, world),
            trial.variant.config(trial.rows),
            dataclasses.replace(data.config.ranker, seed=trial.seed),
        )
        predictions = ranker.predict()
        task = data.config.positive_task.name
        lookups, lookups_samples = self._lookups(ranker.lookups(), experiment.joined.popularity)
        return TrialResult(
            trial=trial,
            table_rows=ranker.table_rows,
            lookups=lookups,
            lookups_samples=lookups_samples,
            metrics=evaluation.metrics(predictions),
            samples={
                name: evaluation.resampled(task, predictions[task], name) for name in CLAIM_SLICES
            },
            difference=self._difference(ranker, predictions[task]) if world == "copies" else None,
            seconds=ranker.training.seconds,
        )

    def _difference(
        self, ranker: TrainedRanker, predictions: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Mean relative difference to the predictions for the candidates' copies."""
        experiment, evaluation = self._world("copies")
        twins = other_copy(experiment.joined.candidate, len(self._data.items.ids))
        others = ranker.predict(twins)[experiment.data.config.positive_task.name]
        return evaluation.mean(relative_difference(predictions, others))

    def resources(
        self,
        config: RepresentationConfig,
        seed: int,
        version: str = "v1",
        world: str = "main",
    ) -> SidTokenizer:
        """Resources of a representation besides its configuration.

        Args:
            config: Its configuration.
            seed: Of the RQ-VAE.
            version: "v0" or "v1".
            world: "main" or "copies".

        Raises:
            ValueError: Its rows do not suffice.
        """
        space = self._sids[version, seed].space
        rows = config.tokenizer_rows(space.levels, space.codebook_size)
        return self._resources(rows, seed, version, world)

    @functools.lru_cache(maxsize=8)  # noqa: B019 - a bench lives as long as its process.
    def _resources(self, rows: int, seed: int, version: str, world: str) -> SidTokenizer:
        data = self._world(world)[0].data
        sids = self._sids_of(version, seed, world)
        return train_resources(
            data.items.ids, sids, data.item_counts(), rows, data.config.tokenizer
        )

    def _sids_of(self, version: str, seed: int, world: str) -> Sids:
        sids = self._sids[version, seed]
        return sids.twice() if world == "copies" else sids

    @functools.lru_cache(maxsize=2)  # noqa: B019
    def _world(self, world: str) -> tuple[Experiment, Evaluation]:
        experiment = Experiment(self._data if world == "main" else with_copies(self._data))
        return experiment, Evaluation(experiment, self._resamples)

    def _lookups(
        self, lookups: np.ndarray, popularity: np.ndarray
    ) -> tuple[dict[str, float | None], np.ndarray]:
        """Means by popularity, and draws of head less tail."""
        groups = {name: lookups[popularity == name.encode()] for name in _POPULARITY}
        means = {"all": float(lookups.mean())}
        means |= {name: float(part.mean()) if len(part) else None for name, part in groups.items()}
        rng = np.random.default_rng(0)
        draws = {
            name: np.array([rng.choice(part, len(part)).mean() for _ in range(self._resamples)])
            for name, part in groups.items()
            if len(part) and name != "torso"
        }
        none = np.full(self._resamples, np.nan)
        return means, draws.get("head", none) - draws.get("tail", none)
