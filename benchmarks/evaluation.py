"""Metrics of an experiment's predictions, slice by slice."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.experiment import Experiment
from semantic_id_ranking.evaluation.bootstrap import draw_clusters
from semantic_id_ranking.evaluation.bootstrap import resampled_auc
from semantic_id_ranking.evaluation.metrics import report
from semantic_id_ranking.pipeline.config import SLICES


class Evaluation:
    """Judges predictions of the evaluation period.

    Attributes:
        draws: float32 [R, U], how often each of the evaluation period's users was drawn: the same
            for every ranker, so that differences are paired.
    """

    def __init__(self, experiment: Experiment, resamples: int):
        """Draws the users.

        Args:
            experiment: Whose predictions are judged.
            resamples: Draws of the bootstrap (R).
        """
        joined, rows = experiment.joined, experiment.evaluation_rows
        self._tasks = experiment.data.config.tasks
        self._labels = {task.name: joined.labels[task.name][rows] for task in self._tasks}
        self._slices = {name: joined.slices[name][rows] for name in SLICES}
        users, user = np.unique(joined.user[rows], return_inverse=True)
        self.user = user.reshape(-1)
        """int64 [E], the column of `draws` that each impression belongs to."""
        self.draws = draw_clusters(len(users), resamples)

    def metrics(self, predictions: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
        """All metrics.

        Args:
            predictions: Task name to float32 [E].

        Returns:
            One report a task and slice, with their names.
        """
        return [
            {"task": task.name, "slice": name}
            | report(
                task.type,
                self._labels[task.name][mask],
                predictions[task.name][mask],
                self.user[mask],
            )
            for task in self._tasks
            for name, mask in self._slices.items()
        ]

    def resampled(self, task: str, predictions: np.ndarray, name: str) -> np.ndarray:
        """AUC under every draw of users.

        Args:
            task: Name of a binary task.
            predictions: float32 [E].
            name: Name of a slice.

        Returns:
            float64 [R].
        """
        mask = self._slices[name]
        return resampled_auc(
            self._labels[task][mask], predictions[mask], self.user[mask], self.draws
        )

    def mean(self, values: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean of a value of the impressions.

        Args:
            values: [E].

        Returns:
            The mean, and the mean under every draw of users, float64 [R].
        """
        sums = np.bincount(self.user, values, self.draws.shape[1])
        counts = np.bincount(self.user, minlength=self.draws.shape[1])
        return float(values.mean()), (self.draws @ sums) / (self.draws @ counts)
