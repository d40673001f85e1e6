"""Configuration of the past and the context of an impression that the ranker reads."""

from typing import Literal

import pydantic
from pydantic import ConfigDict
from pydantic import Field
from pydantic.dataclasses import dataclass

from semantic_id_ranking.contracts.counters import COUNTER_COLUMNS
from semantic_id_ranking.contracts.one_sentence import one_sentence
from semantic_id_ranking.trainer.ranker.context_spec import ITEM_AGE_COLUMN

DAY_MICROSECONDS = 86_400_000_000

_STRICT = ConfigDict(extra="forbid")


@one_sentence
@dataclass(frozen=True, config=_STRICT)
class ContextConfig:
    """Context columns of the impressions that the ranker reads.

    Attributes:
        categorical: Columns of strings or integers, each given a vocabulary.
        numeric: Columns of numbers, each scaled to mean 0 and variance 1.
        item_age: Whether the ranker also reads the age of the candidate at the impression: the days
            since its `created_at`, 0 before, as a scaled log(1 + days). It is asked for as the
            context column `item_age_days`, by candidate, when the ranker is served; a NaN stands
            for the mean.
        counters: Whether the ranker also reads impressions, labels and positives of each binary
            task before the impression: of the item (of all time, and recent ones), of the user, and
            of the user with items that begin with the same codes. It reads them as scaled
            log(1 + impressions), and log-odds of smoothed rates. They are asked for as the context
            columns `item_counters` and `user_code_counters`, by candidate, and `user_counters` when
            the ranker is served; a NaN stands for the mean.
        counters_as_of: What counters and history know at an impression. `day_start`: the days
            before its own, as a server does whose state is made anew every day. `event`: everything
            before the impression itself, as a server does that follows every event.
        half_life_days: After how many days an impression counts half in the recent counters of an
            item; at least an eighth of `days.length`.
    """

    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    item_age: bool = False
    counters: bool = False
    counters_as_of: Literal["day_start", "event"] = "day_start"
    half_life_days: float = Field(default=7.0, gt=0)

    @pydantic.model_validator(mode="after")
    def _each_column_once(self) -> "ContextConfig":
        both = set(self.categorical) & set(self.numeric)
        if both:
            raise ValueError(f"{sorted(both)[0]!r} is both categorical and numeric; name it once")
        if self.item_age and ITEM_AGE_COLUMN in (*self.categorical, *self.numeric):
            raise ValueError(
                f"{ITEM_AGE_COLUMN!r} is the column that item_age adds; leave out one of them"
            )
        taken = sorted(set(COUNTER_COLUMNS) & {*self.categorical, *self.numeric})
        if self.counters and taken:
            raise ValueError(f"{taken[0]!r} is a column that counters adds; leave out one of them")
        return self


@one_sentence
@dataclass(frozen=True, config=_STRICT)
class HistoryConfig:
    """The history of a user that the ranker reads.

    Attributes:
        length: Items, at most (H), most recent first.
        positive: The binary task whose label 1 puts an item into the history. None takes the first
            binary task; where there is none, every impression counts.
        events: What makes the history: `positives`, or `all` impressions. With `all` the ranker
            also reads the labels of the history's impressions, by task.
    """

    length: int = Field(default=20, ge=1)
    positive: str | None = None
    events: Literal["positives", "all"] = "positives"

    @property
    def labelled(self) -> bool:
        """Whether the ranker reads the labels of the history's impressions."""
        return self.events == "all"


@one_sentence
@dataclass(frozen=True, config=_STRICT)
class DaysConfig:
    """The days by which the state of users and items moves on.

    Attributes:
        length: Length of a day; days of 24 hours. Day k is [k, k + 1) lengths since 1970, UTC.
        late: An impression of a day that the state already has in it: `drop` leaves
            it out, `join` joins it as if it were at the start of the first new day.
        replay: The last days that a refresh of the SID space trains on, and counts anew by codes.
            Of days that are in the log of `sid run`, the whole log is.
    """

    length: float = Field(default=1.0, ge=1 / 24)
    late: Literal["drop", "join"] = "drop"
    replay: int = Field(default=14, ge=1)

    @property
    def microseconds(self) -> int:
        """Length of a day."""
        return round(self.length * DAY_MICROSECONDS)


@one_sentence
@dataclass(frozen=True, config=_STRICT)
class JoinConfig:
    """The feature join.

    Attributes:
        max_unknown_fraction: Share of impressions whose item has no Semantic ID, above which the
            run stops.
        shards: Groups of users worked on one after the other; more of them need less memory each.
            None: a group for each half million impressions, eight at least.
    """

    max_unknown_fraction: float = Field(default=0.01, ge=0, le=1)
    shards: int | None = Field(default=None, ge=1)
