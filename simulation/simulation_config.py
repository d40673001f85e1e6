"""Sizes of a simulated data set."""

import pydantic
from pydantic import ConfigDict
from pydantic import Field
from pydantic.dataclasses import dataclass

from semantic_id_ranking.contracts.one_sentence import one_sentence

#: Days that can be simulated, from 2024-01-01 on: the inputs refuse impressions of the future.
MAX_DAYS = 500


@one_sentence
@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class SimulationConfig:
    """Sizes of a simulated data set.

    Two that differ only in `days` and `first_day` are of one world: what they have in common, items
    and days, is the same to the bit.

    Attributes:
        items: Items that are there before day 0.
        users: Users; all are there from the start.
        days: Days of impressions.
        impressions: Impressions a day.
        new_items: Items a day that appear, from day 0 on.
        first_day: The first day of the impressions, counted from 2024-01-01.
        dimensions: Length of an embedding (D).
        seed: Seed of everything drawn.
    """

    items: int = Field(default=10_000, ge=1, le=100_000_000)
    users: int = Field(default=2_000, ge=1, le=100_000_000)
    days: int = Field(default=30, ge=1, le=MAX_DAYS)
    impressions: int = Field(default=20_000, ge=1, le=100_000_000)
    new_items: int = Field(default=100, ge=0, le=10_000_000)
    first_day: int = Field(default=0, ge=0, lt=MAX_DAYS)
    dimensions: int = Field(default=32, ge=1, le=16_384)
    seed: int = Field(default=0, ge=0)

    @pydantic.model_validator(mode="after")
    def _ends_in_the_past(self) -> "SimulationConfig":
        if self.end > MAX_DAYS:
            raise ValueError(
                f"first_day and days add up to {self.end}; at most {MAX_DAYS} days can be simulated"
            )
        return self

    @property
    def end(self) -> int:
        """The day after the last one."""
        return self.first_day + self.days
