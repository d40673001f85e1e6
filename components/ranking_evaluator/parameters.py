"""Parameters of RankingEvaluator."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from semantic_id_ranking.evaluation.evaluation_spec import EvaluationSpec
from semantic_id_ranking.evaluation.evaluation_spec import ITEM_RATE
from semantic_id_ranking.evaluation.threshold_config import ThresholdConfig

CANDIDATE = "candidate"


@dataclasses.dataclass(frozen=True)
class EvaluationParameters:
    """Parameters of RankingEvaluator.

    Attributes:
        tasks: Task -> "binary" or "regression".
        slices: Slice -> feature and value of the examples in it; None for the one of all.
        thresholds: What the candidate has to reach to be blessed.
        splits: Splits of the examples that are scored.
        baselines: What the candidate is compared with: rankers, and `ITEM_RATE`.
    """

    tasks: Mapping[str, str]
    slices: Mapping[str, tuple[str, str] | None]
    thresholds: tuple[ThresholdConfig, ...]
    splits: tuple[str, ...] = ("eval",)
    baselines: tuple[str, ...] = ()

    @property
    def rankers(self) -> tuple[str, ...]:
        """The baselines that are rankers."""
        return tuple(name for name in self.baselines if name != ITEM_RATE)

    def spec(self, more: Sequence[str] = ()) -> EvaluationSpec:
        """What is evaluated: the candidate, the baselines, and more models."""
        return EvaluationSpec(
            self.tasks, (CANDIDATE, *self.baselines, *more), tuple(self.slices), self.baselines
        )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "EvaluationParameters":
        """Reads what `dataclasses.asdict` wrote, as JSON holds it."""
        return cls(
            tasks=values["tasks"],
            slices={name: feature and tuple(feature) for name, feature in values["slices"].items()},
            thresholds=tuple(ThresholdConfig(**one) for one in values["thresholds"]),
            splits=tuple(values["splits"]),
            baselines=tuple(values["baselines"]),
        )
