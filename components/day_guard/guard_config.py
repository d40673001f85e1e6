"""The configuration of the guard: limits of what may differ between two days."""

from pydantic import ConfigDict
from pydantic import Field
from pydantic.dataclasses import dataclass

from semantic_id_ranking.contracts.one_sentence import one_sentence

_STRICT = ConfigDict(extra="forbid")


@one_sentence
@dataclass(frozen=True, config=_STRICT)
class GuardConfig:
    """How far a day's impressions may differ from the last accepted day's, or `sid day` stops.

    Attributes:
        infinity_norm: L-infinity distance of a categorical column's frequencies: the greatest
            change of the share of one category. 1 never stops.
        jensen_shannon: Jensen-Shannon divergence of the histograms of a numeric column or of a
            regression label, in bits. 1 never stops.
        label_odds: The factor by which the odds of a binary label, positives to negatives, may
            rise or fall, beyond what is chance, which counts users rather than impressions. None
            never stops.
        impressions: The factor by which the number of impressions may rise or fall; not looked at
            on the first day after `sid run`. None never stops.
        missing: Change of the share of impressions that lack a column's value. 1 never stops.
        unknown_items: Share of impressions, among those of the day's 1,000 most frequent items,
            whose item has no Semantic ID before the day. 1 never stops.
        integer_ids: Change of the share of ids of items or users that are written as integers,
            among those of the 1,000 most frequent. 1 never stops.
        repeated: Whether impressions that are equal to those of the last accepted day but for their
            times stop it.
    """

    infinity_norm: float = Field(default=0.3, ge=0, le=1)
    jensen_shannon: float = Field(default=0.3, ge=0, le=1)
    label_odds: float | None = Field(default=1.5, gt=1)
    impressions: float | None = Field(default=10.0, gt=1)
    missing: float = Field(default=0.3, ge=0, le=1)
    unknown_items: float = Field(default=0.8, ge=0, le=1)
    integer_ids: float = Field(default=0.5, ge=0, le=1)
    repeated: bool = True
