"""Component ImpressionGen: inputs, outputs and parameters."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tfx.dsl.components.base import executor_spec

from semantic_id_ranking.components.example_gen.component import ParquetExampleGen
from semantic_id_ranking.components.impression_gen import executor
from semantic_id_ranking.inputs.impression_parameters import ImpressionParameters


class ImpressionGen(ParquetExampleGen):
    """Reads an impression log from Parquet.

    Outputs `examples` with the splits "train" (before the start of the evaluation) and "eval" (from
    it on). Features: `user_id` bytes, without a value where the user is not known; `item_id` bytes;
    `timestamp` int64 microseconds since the epoch; `current_item_id` bytes if configured (empty
    where there is none); each task's label column (binary: int64 0 or 1; regression: float) and
    each context column (categorical: bytes; numeric: float), without a value where it is null. No
    other columns.

    Args:
        impressions: The impressions, as `Fingerprints.record` describes a data set.
        parameters: Fields of `ImpressionParameters`.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(self, impressions: Mapping[str, Any], parameters: Mapping[str, Any]):
        super().__init__(
            {"impressions": impressions}, dataclasses.asdict(ImpressionParameters(**parameters))
        )
