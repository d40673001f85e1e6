"""Description of what is evaluated: tasks, models, slices."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence

from semantic_id_ranking.evaluation.slices import SLICE_FEATURES

#: The baseline that is no model: what an item's earlier labels alone predict, from FeatureJoiner.
ITEM_RATE = "item_rate"


@dataclasses.dataclass(frozen=True)
class EvaluationSpec:
    """What is evaluated.

    Attributes:
        tasks: Task -> "binary" or "regression".
        models: Names of the models whose scores are there.
        slices: Names of the slices; `all` is among them.
        baselines: Those of the models that are baselines.
    """

    tasks: Mapping[str, str]
    models: Sequence[str]
    slices: Sequence[str] = tuple(SLICE_FEATURES)
    baselines: Sequence[str] = ()
