"""The artifact types of this pipeline, beside TFX's standard ones."""

from tfx.types import artifact


class SemanticIds(artifact.Artifact):
    """Semantic IDs of items.

    Files: `sids-*.parquet`, columns `item_id` (string) and `sid` (list<int32>, one code a level),
    each item
    once. The Parquet schema's metadata holds the SID space under the key `sid_space`.
    """

    TYPE_NAME = "SemanticIds"


class SidReport(artifact.Artifact):
    """What the Semantic IDs of a run look like: `report.json`, made by `SidAnalyzer`."""

    TYPE_NAME = "SidReport"


class UserHistories(artifact.Artifact):
    """Each user's history at the end of the log, for serving.

    Files: `histories-*.parquet`, columns `user_id` (string) and `item_id` (list<string>, most
    recent first);
    `join.json`, what the join counted.
    """

    TYPE_NAME = "UserHistories"
