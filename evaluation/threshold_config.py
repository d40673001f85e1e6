"""Threshold that a candidate has to reach to be blessed."""

from typing import Literal

import pydantic
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from semantic_id_ranking.contracts.one_sentence import one_sentence

_STRICT = ConfigDict(extra="forbid")


@one_sentence
@dataclass(frozen=True, config=_STRICT)
class ThresholdConfig:
    """A bar the candidate has to clear to be blessed. A slice without data does not clear it.

    Attributes:
        task: Name of the task.
        slice: One of `SLICES`.
        value: The metric at least this, or, where less is better, at most this; None sets no such
            bar.
        change: Better than the peer's metric by at least this; negative allows a loss. None sets no
            such bar.
        metric: "auc", "gauc" (AUC within users), "ndcg_at_5", "ndcg_at_10" (within users' days),
            "log_loss" or "normalized_entropy" of a binary task, "rmse" of a regression. None takes
            AUC or RMSE.
        peer: The model that `change` compares with: one of `baselines`, or "served", the ranker
            that is served, where one is evaluated. None takes the baseline that is strongest in
            this metric and slice.
        at: What of the change has to clear the bar: its "estimate", or "lower", the lower end of
            its 95 % interval.
    """

    task: str
    slice: Literal["all", "new", "unseen", "head", "torso", "tail"] = "all"
    value: float | None = None
    change: float | None = None
    metric: (
        Literal["auc", "gauc", "ndcg_at_5", "ndcg_at_10", "log_loss", "normalized_entropy", "rmse"]
        | None
    ) = None
    peer: str | None = None
    at: Literal["estimate", "lower"] = "estimate"

    @pydantic.model_validator(mode="after")
    def _has_an_interval(self) -> "ThresholdConfig":
        if self.at == "lower" and self.change is None:
            raise ValueError("at: lower reads the interval of a change; give change, too")
        return self
