"""Configuration of what is read: columns, context and period."""

import datetime

import pydantic
from pydantic import ConfigDict
from pydantic import Field
from pydantic.dataclasses import dataclass

from semantic_id_ranking.contracts.one_sentence import one_sentence
from semantic_id_ranking.trainer.ranker.context_spec import ITEM_AGE_COLUMN

_STRICT = ConfigDict(extra="forbid")


@one_sentence
@dataclass(frozen=True, config=_STRICT)
class ColumnsConfig:
    """The columns of the two Parquet files.

    Attributes:
        item_id: The item, in both files: string or integer.
        embedding: Content embedding of an item: list of floats.
        created_at: When the item appeared. Without such a column it is the item's first impression.
        title: Text for people to read; optional.
        user_id: The user of an impression: string or integer.
        timestamp: Time of the impression.
        current_item_id: The item the user looked at meanwhile; optional.
    """

    item_id: str = "item_id"
    embedding: str = "embedding"
    created_at: str = "created_at"
    title: str = "title"
    user_id: str = "user_id"
    timestamp: str = "timestamp"
    current_item_id: str = "current_item_id"


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
    """

    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    item_age: bool = False

    @pydantic.model_validator(mode="after")
    def _each_column_once(self) -> "ContextConfig":
        both = set(self.categorical) & set(self.numeric)
        if both:
            raise ValueError(f"{sorted(both)[0]!r} is both categorical and numeric; name it once")
        if self.item_age and ITEM_AGE_COLUMN in (*self.categorical, *self.numeric):
            raise ValueError(
                f"{ITEM_AGE_COLUMN!r} is the column that item_age adds; leave out one of them"
            )
        return self


@one_sentence
@dataclass(frozen=True, config=_STRICT)
class SplitConfig:
    """The split by time into training and evaluation.

    Attributes:
        evaluation_start: First instant of the evaluation period; a time without a zone is UTC. None
            takes the last `evaluation_fraction` of the time-ordered impressions.
        evaluation_fraction: Share of the impressions, the latest ones, kept for evaluation.
    """

    evaluation_start: datetime.datetime | None = None
    evaluation_fraction: float = Field(default=0.1, gt=0, lt=1)

    @pydantic.field_validator("evaluation_start")
    @classmethod
    def _exists_in_utc(cls, value: datetime.datetime | None) -> datetime.datetime | None:
        try:
            if value is not None and value.tzinfo is not None:
                value.astimezone(datetime.timezone.utc)
        except OverflowError:
            raise ValueError("there is no such time in UTC") from None
        return value
