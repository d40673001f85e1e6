"""Executor of ItemGen."""

import dataclasses
import functools
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from semantic_id_ranking.components.example_gen.executor import ParquetExampleGenExecutor
from semantic_id_ranking.components.example_gen.write_block import Features
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.item_parameters import ItemParameters
from semantic_id_ranking.inputs.items import check_items
from semantic_id_ranking.inputs.items import item_features
from semantic_id_ranking.inputs.rejects import Reject


class Executor(ParquetExampleGenExecutor):
    """Checks the items, then encodes and writes them on Beam."""

    def prepare(
        self, data: Mapping[str, DataSet], parameters: dict[str, Any]
    ) -> tuple[Sequence[Any], Features, Mapping[str, int], Sequence[Reject]]:
        """See the base class; the blocks are `ItemBlock`s, the counts `CreationCounts`."""
        items = ItemParameters(**parameters)
        blocks, created = check_items(data["items"], items, data.get("impressions"))
        features = functools.partial(item_features, parameters=items)
        return blocks, features, dataclasses.asdict(created), []
