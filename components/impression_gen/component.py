"""ImpressionGen: what goes in and what comes out."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tfx.components.example_gen import component
from tfx.dsl.components.base import executor_spec

from semantic_id_ranking.components.impression_gen import executor
from semantic_id_ranking.components.parquet.example_gen_config import input_config
from semantic_id_ranking.components.parquet.example_gen_config import pack_parameters
from semantic_id_ranking.components.parquet.impression_parameters import ImpressionParameters


class ImpressionGen(component.FileBasedExampleGen):
    """Reads an impression log from Parquet.

    Outputs `examples` with the splits "train" (before the start of the evaluation) and "eval" (from
    it on). Features: `user_id`, `item_id` bytes, `timestamp` int64 microseconds since the epoch,
    `current_item_id` bytes if configured (empty where there is none), each task's label column
    (binary: int64 0 or 1; regression: float), each context column (categorical: bytes; numeric:
    float; no value where it is null). No other columns.

    Args:
        input_base: Folder of the file.
        pattern: The file's name in it, or a glob pattern; may hold TFX's {SPAN}, {VERSION} or
            {YYYY}, {MM}, {DD}. Only the files that match count for the cache (their number, size
            and time of change).
        parameters: Fields of `ImpressionParameters`.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(self, input_base: str, pattern: str, parameters: Mapping[str, Any]):
        super().__init__(
            input_base=input_base,
            input_config=input_config(pattern),
            custom_config=pack_parameters(dataclasses.asdict(ImpressionParameters(**parameters))),
        )
