"""Mean and spread of a label, by which the model standardises it."""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.features import label_feature


@dataclasses.dataclass(frozen=True)
class LabelMoments:
    """Moments of a task's label in the train split, in the label's unit.

    Attributes:
        mean: Mean.
        std: Standard deviation; 1 for a label that never varies.
    """

    mean: float = 0.0
    std: float = 1.0

    @classmethod
    def measure(
        cls, dataset: tf.data.Dataset, tasks: Sequence[TaskConfig], of_all: bool = False
    ) -> dict[str, "LabelMoments"]:
        """Measures the labels of regressions and of balanced binary tasks, in one pass.

        Args:
            dataset: Batches that hold `label_<task>` float32 [B], NaN where there is none.
            tasks: The tasks; other ones need no moments and are left out.
            of_all: Measures other binary tasks too, as a labelled history needs it.

        Returns:
            Moments by task name.

        Raises:
            ValueError: A task has no label at all.
        """
        names = {
            task.name: label_feature(task)
            for task in tasks
            if of_all or task.type == "regression" or task.positive_weight == "balanced"
        }
        if not names:
            return {}
        columns = list(names.values())

        def accumulate(state: tf.Tensor, batch: dict[str, tf.Tensor]) -> tf.Tensor:
            labels = tf.cast(tf.stack([batch[column] for column in columns]), tf.float64)
            known = tf.logical_not(tf.math.is_nan(labels))
            labels = tf.where(known, labels, 0.0)
            ones = tf.cast(known, tf.float64)
            return state + tf.reduce_sum(tf.stack([ones, labels, labels**2]), axis=2)

        count, total, squares = dataset.reduce(
            tf.zeros([3, len(columns)], tf.float64), accumulate
        ).numpy()
        for name, labels in zip(names, count, strict=True):
            if not labels:
                raise ValueError(f"no training impression has a label of task {name}")
        mean = total / count
        variance = squares / count - mean**2
        return {
            name: cls(float(m), float(v**0.5) if v > 1e-12 * (1 + m * m) else 1.0)
            for name, m, v in zip(names, mean, variance, strict=True)
        }
