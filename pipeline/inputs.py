"""The two inputs of a run, looked at before anything slow is imported."""

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any

from semantic_id_ranking.inputs import impressions as impressions_lib
from semantic_id_ranking.inputs import items as items_lib
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.evaluation_start import check_evaluation
from semantic_id_ranking.inputs.evaluation_start import check_training
from semantic_id_ranking.inputs.evaluation_start import evaluation_start
from semantic_id_ranking.inputs.evaluation_start import impression_times
from semantic_id_ranking.inputs.fingerprint import Fingerprints
from semantic_id_ranking.inputs.first_impressions import lacks_creation
from semantic_id_ranking.inputs.impression_parameters import ImpressionParameters
from semantic_id_ranking.inputs.item_parameters import ItemParameters
from semantic_id_ranking.inputs.timestamps import to_microseconds
from semantic_id_ranking.pipeline.config import Config


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Inputs that can be read, with their optional columns and the split by time resolved.

    Attributes:
        items: The items.
        impressions: The impressions.
        evaluation_start: First instant of the evaluation period, UTC.
        has_current_item: Whether the impressions have a column of current items.
        items_need_impressions: Whether items lack a creation time, for which their first impression
            stands.
        skip_bad: Bad impressions that are put aside, at most.
        notes: Sentences on what people should know of the inputs.
    """

    items: DataSet
    impressions: DataSet
    evaluation_start: datetime.datetime
    has_current_item: bool
    items_need_impressions: bool
    skip_bad: int
    notes: tuple[str, ...]

    @classmethod
    def look(
        cls,
        items: str | Sequence[str],
        impressions: str | Sequence[str],
        config: Config,
        skip_bad: int = 0,
    ) -> "Inputs":
        """Looks at the files, at the types of all columns, at the items' ids and at all times.

        The ExampleGens check every other value later.

        Args:
            items: Paths of the items: files, folders or patterns.
            impressions: Paths of the impressions.
            config: Names the columns.
            skip_bad: Bad impressions that are put aside, at most.

        Raises:
            InputError: A file is missing or not Parquet, a column is missing or of a wrong type,
                an item comes twice, or time cannot be split.
        """
        item_data, log = DataSet.open(items), DataSet.open(impressions)
        columns = config.columns
        inputs = cls(
            items=item_data,
            impressions=log,
            evaluation_start=datetime.datetime.fromtimestamp(0, datetime.timezone.utc),
            has_current_item=log.has(columns.current_item_id),
            items_need_impressions=False,
            skip_bad=skip_bad,
            notes=(),
        )
        notes = items_lib.check_columns(item_data, ItemParameters(**inputs.item_parameters(config)))
        notes += impressions_lib.check_columns(
            log, ImpressionParameters(**inputs.impression_parameters(config))
        )
        times = impression_times(log, columns.timestamp, skip_bad)
        start = config.split.evaluation_start
        if start is None:
            start = evaluation_start(times, config.split.evaluation_fraction)
        if start.tzinfo is None:
            start = start.replace(tzinfo=datetime.timezone.utc)
        check_training(times.min(), to_microseconds(start), log.name, columns.timestamp)
        check_evaluation(times.max(), to_microseconds(start), log.name, columns.timestamp)
        items_lib.check_ids(item_data, columns.item_id)
        return dataclasses.replace(
            inputs,
            evaluation_start=start,
            items_need_impressions=lacks_creation(item_data, columns.created_at),
            notes=tuple(notes),
        )

    def item_gen(self, config: Config, fingerprints: Fingerprints) -> dict[str, Any]:
        """Arguments of ItemGen."""
        log = fingerprints.record(self.impressions) if self.items_need_impressions else None
        return {
            "items": fingerprints.record(self.items),
            "impressions": log,
            "parameters": self.item_parameters(config),
        }

    def impression_gen(self, config: Config, fingerprints: Fingerprints) -> dict[str, Any]:
        """Arguments of ImpressionGen."""
        return {
            "impressions": fingerprints.record(self.impressions),
            "parameters": self.impression_parameters(config),
        }

    def item_parameters(self, config: Config) -> dict[str, Any]:
        """Fields of `ItemParameters`."""
        columns = config.columns
        return {
            "item_id": columns.item_id,
            "embedding": columns.embedding,
            "created_at": columns.created_at,
            "title": columns.title,
            "evaluation_start": self.evaluation_start.isoformat(),
            "impressions_item_id": columns.item_id,
            "impressions_timestamp": columns.timestamp,
        }

    def impression_parameters(self, config: Config) -> dict[str, Any]:
        """Fields of `ImpressionParameters`."""
        columns = config.columns
        return {
            "user_id": columns.user_id,
            "item_id": columns.item_id,
            "timestamp": columns.timestamp,
            "current_item_id": columns.current_item_id if self.has_current_item else None,
            "tasks": [
                {"name": task.name, "label": task.label, "type": task.type} for task in config.tasks
            ],
            "context": {
                "categorical": list(config.context.categorical),
                "numeric": list(config.context.numeric),
            },
            "evaluation_start": self.evaluation_start.isoformat(),
            "skip_bad": self.skip_bad,
        }
