"""ImpressionGen: the work."""

import functools
from collections.abc import Sequence
from typing import Any

from semantic_id_ranking.components.parquet.example_gen_executor import ParquetExampleGenExecutor
from semantic_id_ranking.components.parquet.impression_parameters import ImpressionParameters
from semantic_id_ranking.components.parquet.impressions import check_impressions
from semantic_id_ranking.components.parquet.impressions import impression_features
from semantic_id_ranking.components.parquet.write_block import Features


class Executor(ParquetExampleGenExecutor):
    """Checks the impressions, then encodes and writes them on Beam."""

    def prepare(self, pattern: str, parameters: dict[str, Any]) -> tuple[Sequence[Any], Features]:
        """See the base class; the blocks are `RowGroup`s."""
        log = ImpressionParameters(**parameters)
        features = functools.partial(impression_features, parameters=log)
        return check_impressions(pattern, log), features
