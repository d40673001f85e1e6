"""ItemGen: what goes in and what comes out."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from tfx.components.example_gen import component
from tfx.dsl.components.base import executor_spec

from semantic_id_ranking.components.item_gen import driver
from semantic_id_ranking.components.item_gen import executor
from semantic_id_ranking.components.parquet.example_gen_config import input_config
from semantic_id_ranking.components.parquet.example_gen_config import pack_parameters
from semantic_id_ranking.components.parquet.item_parameters import ItemParameters


class ItemGen(component.FileBasedExampleGen):
    """Reads items from Parquet.

    Outputs `examples` with the splits "train" (created before the start of the evaluation) and
    "eval" (the others; it may be empty). Features: `item_id` bytes, `embedding` float [D],
    `created_at` int64 microseconds since the epoch, `title` bytes (if there), and every other
    column under its name.

    Args:
        input_base: Folder of the file.
        pattern: The file's name in it, or a glob pattern; may hold TFX's {SPAN}, {VERSION} or
            {YYYY}, {MM}, {DD}. Only the files that match count for the cache (their number, size
            and time of change).
        parameters: Fields of `ItemParameters`.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)
    DRIVER_CLASS = driver.Driver

    def __init__(self, input_base: str, pattern: str, parameters: Mapping[str, Any]):
        super().__init__(
            input_base=input_base,
            input_config=input_config(pattern),
            custom_config=pack_parameters(dataclasses.asdict(ItemParameters(**parameters))),
        )
