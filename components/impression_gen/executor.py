"""Executor of ImpressionGen."""

import functools
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from semantic_id_ranking.components.example_gen.executor import ParquetExampleGenExecutor
from semantic_id_ranking.components.example_gen.write_block import Features
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.impression_parameters import ImpressionParameters
from semantic_id_ranking.inputs.impressions import check_impressions
from semantic_id_ranking.inputs.impressions import impression_features
from semantic_id_ranking.inputs.rejects import Reject


class Executor(ParquetExampleGenExecutor):
    """Checks the impressions, then encodes and writes them on Beam."""

    def prepare(
        self, data: Mapping[str, DataSet], parameters: dict[str, Any]
    ) -> tuple[Sequence[Any], Features, Mapping[str, int], Sequence[Reject]]:
        """See the base class; the blocks are `Block`s."""
        log = ImpressionParameters(**parameters)
        blocks, rejects = check_impressions(data["impressions"], log)
        features = functools.partial(impression_features, parameters=log)
        return blocks, features, {"rows": data["impressions"].rows}, rejects
