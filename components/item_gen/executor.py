"""ItemGen: the work."""

import functools
from collections.abc import Sequence
from typing import Any

from semantic_id_ranking.components.parquet.example_gen_executor import ParquetExampleGenExecutor
from semantic_id_ranking.components.parquet.item_parameters import ItemParameters
from semantic_id_ranking.components.parquet.items import check_items
from semantic_id_ranking.components.parquet.items import item_features
from semantic_id_ranking.components.parquet.write_block import Features


class Executor(ParquetExampleGenExecutor):
    """Checks the items, then encodes and writes them on Beam."""

    def prepare(self, pattern: str, parameters: dict[str, Any]) -> tuple[Sequence[Any], Features]:
        """See the base class; the blocks are `ItemBlock`s."""
        items = ItemParameters(**parameters)
        return check_items(pattern, items), functools.partial(item_features, parameters=items)
