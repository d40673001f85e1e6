"""Configuration of what is read: columns and period."""

import datetime

import pydantic
from pydantic import ConfigDict
from pydantic import Field
from pydantic.dataclasses import dataclass

from semantic_id_ranking.contracts.one_sentence import one_sentence

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
