"""The two input files of a run, looked at before anything slow is imported."""

import dataclasses
import datetime
import os
from typing import Any

from semantic_id_ranking.components.parquet.evaluation_start import evaluation_start
from semantic_id_ranking.components.parquet.row_group import list_files
from semantic_id_ranking.components.parquet.row_group import read_schema
from semantic_id_ranking.pipeline.config import Config


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Input files that exist, with their optional columns and the split by time resolved.

    Attributes:
        items: Absolute path of the items.
        impressions: Absolute path of the impressions.
        evaluation_start: First instant of the evaluation period, UTC.
        has_current_item: Whether the impressions have a column of current items.
    """

    items: str
    impressions: str
    evaluation_start: datetime.datetime
    has_current_item: bool

    @classmethod
    def look(cls, items: str, impressions: str, config: Config) -> "Inputs":
        """Looks at the files: enough to refuse what cannot be read and to build the pipeline.

        The ExampleGens check every row later.

        Args:
            items: Path of the items, a Parquet file.
            impressions: Path of the impressions, a Parquet file.
            config: Names the columns.

        Raises:
            InputError: A file is missing or not Parquet, a column is missing, or time cannot be
            split.
        """
        columns = config.columns
        for path in list_files(items):
            read_schema(
                path,
                {
                    columns.item_id: "the id of the item",
                    columns.embedding: "the content embedding",
                },
            )
        required = {
            columns.user_id: "the user",
            columns.item_id: "the id of the item",
            columns.timestamp: "the time of the impression",
        }
        required |= {task.label: f"the label of task {task.name!r}" for task in config.tasks}
        for kind in ("categorical", "numeric"):
            names = getattr(config.context, kind)
            required |= dict.fromkeys(names, f"{kind} context")
        for path in list_files(impressions):
            schema = read_schema(path, required)
        start = config.split.evaluation_start
        if start is None:
            start = evaluation_start(
                impressions, columns.timestamp, config.split.evaluation_fraction
            )
        if start.tzinfo is None:
            start = start.replace(tzinfo=datetime.timezone.utc)
        return cls(
            items=os.path.abspath(items),
            impressions=os.path.abspath(impressions),
            evaluation_start=start,
            has_current_item=columns.current_item_id in schema.names,
        )

    def item_parameters(self, config: Config, code_version: str) -> dict[str, Any]:
        """Parameters of ItemGen: fields of `ItemParameters`."""
        columns = config.columns
        return {
            "item_id": columns.item_id,
            "embedding": columns.embedding,
            "created_at": columns.created_at,
            "title": columns.title,
            "evaluation_start": self.evaluation_start.isoformat(),
            "impressions_path": self.impressions,
            "impressions_item_id": columns.item_id,
            "impressions_timestamp": columns.timestamp,
            "code_version": code_version,
        }

    def impression_parameters(self, config: Config, code_version: str) -> dict[str, Any]:
        """Parameters of ImpressionGen: fields of `ImpressionParameters`."""
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
            "code_version": code_version,
        }
