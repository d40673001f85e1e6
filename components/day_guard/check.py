"""The check of DayGuard."""

import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tfx import types
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.types import artifact_utils

from semantic_id_ranking.components.day_guard.compare import compare
from semantic_id_ranking.components.day_guard.compared import Compared
from semantic_id_ranking.components.day_guard.guard_config import GuardConfig
from semantic_id_ranking.components.day_guard.summary import Statistics
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError


def check_day(
    statistics: types.Artifact,
    earlier_statistics: types.Artifact,
    earlier_semantic_ids: types.Artifact,
    parameters: str,
) -> None:
    """Refuses a day that differs too much from the one before it.

    Args:
        statistics: ExampleStatistics of the day's impressions.
        earlier_statistics: Of those of the last accepted day.
        earlier_semantic_ids: The Semantic IDs as of it.
        parameters: JSON of `compared`, the arguments of `Compared`, and `limits`, those of
            `GuardConfig`.

    Raises:
        InputError: It differs too much. Names each column, what came, and what is right.
    """
    given = json.loads(parameters)
    compared = Compared(**given["compared"])

    def known_items(ids: list[str]) -> set[str]:
        wanted, known = pa.array(ids, pa.string()), set()
        for path in sid_table.files(earlier_semantic_ids.uri):
            column = pq.ParquetFile(path).read(["item_id"])["item_id"]
            known.update(column.filter(pc.is_in(column, value_set=wanted)).to_pylist())
        return known

    complaints = compare(
        _read(statistics),
        _read(earlier_statistics),
        compared,
        GuardConfig(**given["limits"]),
        known_items,
    )
    if complaints:
        raise InputError(f"{compared.source}: {'; '.join(complaints)}")


def _read(artifact: types.Artifact) -> dict[str, Statistics]:
    return {
        split: stats_artifact_utils.load_statistics(artifact, split).proto()
        for split in artifact_utils.decode_split_names(artifact.split_names)
    }
