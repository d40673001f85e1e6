"""The artifact types of this pipeline, beside TFX's standard ones.

Their names have the form that Kubeflow Pipelines asks of a type: a namespace, a dot, a name.
"""

from tfx.types import artifact


class SemanticIds(artifact.Artifact):
    """Semantic IDs of items.

    Files: `sids-*.parquet`, columns `item_id` (string) and `sid` (list<int32>, one code a level),
    each item once. The Parquet schema's metadata holds the SID space under the key `sid_space`.
    """

    TYPE_NAME = "sid.SemanticIds"


class SidReport(artifact.Artifact):
    """The report on the Semantic IDs of a run: `report.json`, made by `SidAnalyzer`."""

    TYPE_NAME = "sid.Report"


class UserHistories(artifact.Artifact):
    """Users and items at the end of the log, for serving.

    Files: `histories-*.parquet`, columns `user_id` (string) and `item_id` (list<string>, most
    recent first);
    `titles/titles-*.parquet`, columns `item_id` and `title` (string), of the items that have one;
    `item_ages/item_ages-*.parquet`, columns `item_id` (string) and `age_days` (float32), where item
    ages are joined;
    `join.json`, what the join counted.
    """

    TYPE_NAME = "sid.Histories"
