"""Component ItemGen: inputs, outputs and parameters."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tfx.dsl.components.base import executor_spec

from semantic_id_ranking.components.example_gen.component import ParquetExampleGen
from semantic_id_ranking.components.item_gen import executor
from semantic_id_ranking.inputs.item_parameters import ItemParameters


class ItemGen(ParquetExampleGen):
    """Reads items from Parquet.

    Outputs `examples` with the splits "train" (created before the start of the evaluation) and
    "eval" (the others; it may be empty). Features: `item_id` bytes, `embedding` float [D],
    `created_at` int64 microseconds since the epoch, `title` bytes (if there), and every other
    column that can be carried along under its name.

    Args:
        items: The items, as `Fingerprints.record` describes a data set.
        impressions: The impressions, if an item's first impression stands for its creation.
        parameters: Fields of `ItemParameters`.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        items: Mapping[str, Any],
        impressions: Mapping[str, Any] | None,
        parameters: Mapping[str, Any],
    ):
        data = {"items": items} | ({"impressions": impressions} if impressions else {})
        super().__init__(data, dataclasses.asdict(ItemParameters(**parameters)))
