"""Parameters of RankingEvaluator."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from semantic_id_ranking.evaluation.threshold_config import ThresholdConfig


@dataclasses.dataclass(frozen=True)
class EvaluationParameters:
    """Parameters of RankingEvaluator.

    Attributes:
        tasks: Task -> "binary" or "regression".
        slices: Slice -> feature and value of the examples in it; None for the one of all.
        thresholds: What the candidate has to reach to be blessed.
        splits: Splits of the examples that are scored.
    """

    tasks: Mapping[str, str]
    slices: Mapping[str, tuple[str, str] | None]
    thresholds: tuple[ThresholdConfig, ...]
    splits: tuple[str, ...] = ("eval",)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "EvaluationParameters":
        """Reads what `dataclasses.asdict` wrote, as JSON holds it."""
        return cls(
            tasks=values["tasks"],
            slices={name: feature and tuple(feature) for name, feature in values["slices"].items()},
            thresholds=tuple(ThresholdConfig(**one) for one in values["thresholds"]),
            splits=tuple(values["splits"]),
        )
