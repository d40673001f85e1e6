"""The artifact types of this pipeline, beside TFX's standard ones.

Their names have the form that Kubeflow Pipelines asks of a type: a namespace, a dot, a name.
"""

from tfx.types import artifact


class SemanticIds(artifact.Artifact):
    """Semantic IDs of items.

    Files: `sids-*.parquet`, columns `item_id` (string) and `sid` (list<int32>, one code a level),
    each item once. The Parquet schema's metadata holds the SID space under the key `sid_space`.
    `sids-gone-*.parquet` among them has items of an earlier artifact that the input has no more.
    `_counts.json`: how many items were `encoded`, `kept` from the earlier artifact, and `gone`.
    """

    TYPE_NAME = "sid.SemanticIds"


class SidReport(artifact.Artifact):
    """The report on the Semantic IDs of a run: `report.json`, made by `SidAnalyzer`."""

    TYPE_NAME = "sid.Report"


class DriftReport(artifact.Artifact):
    """Whether a day's items suit the SID space: `drift.json`, made by `DriftCheck`.

    It holds `verdict` ("keep", "refresh" or "stop"), `reason` (a line), `findings` and the numbers
    that these come from; see `trainer/rqvae/drift.py`.
    """

    TYPE_NAME = "sid.DriftReport"


class RefreshReport(artifact.Artifact):
    """What a refresh of the SID space keeps, buys and moves: `refresh.json`.

    It holds `items` (how many are in `both` spaces, `gone` and `new`, and the share of those in
    both that keep the first code, the first two, ...: `kept`); `reconstruction`, the relative error
    of today's items `before` and `after`; of so many `impressions` of the last day, by task,
    `moved`: the share whose prediction moves and the mean change, by carrying alone and after the
    training; `metrics` of the new ranker, the baselines and the served one on them, and the
    thresholds `missed`. Made by `RefreshEvaluator`.
    """

    TYPE_NAME = "sid.RefreshReport"


class State(artifact.Artifact):
    """What is known of users and items at a moment: the start of a day.

    Files, Parquet but for two; lists of the same prefix have equal lengths, C is the number of
    counters, those of `CounterLayout.block`:
    `users-*.parquet`: `user_id` (string); the last events that make history, the most recent first:
    `item_id` (list<string>), `timestamp` (list<int64>, microseconds since 1970), `label_<task>`
    (list<float32>, NaN where there is none); and, where counters are joined, those of the user, by
    name (int64), `codes` (list<int32>, the first two codes of a Semantic ID, one pair after the
    other) and the counters of the user's impressions of items that begin with such a pair,
    `codes_<name>` (list<int32>);
    `items.parquet`: `item_id` (string), counters of all time, by name (int64), and recent ones,
    `recent_<name>` (float64), as they are at the start of the day `recent_day` (int64) with the
    impressions of that day on top (U of `feature_joiner.days`), and `created_at` (int64,
    microseconds since 1970; the smallest number where it is not known);
    `titles/titles-*.parquet`, columns `item_id` and `title` (string), of the items that have one;
    `item_ages/item_ages-*.parquet`, columns `item_id` (string) and `age_days` (float32) at the last
    impression, where item ages are joined;
    `join.json`, what the join counted;
    `state.json`, the moment (`as_of`, ISO 8601; `day`, its number), the number of files of users
    (`groups`), the number and the sum of all labels by task (`labels`), and the terms under which
    the state may be continued.
    """

    TYPE_NAME = "sid.State"


class Predictions(artifact.Artifact):
    """What rankers predict of evaluated impressions, made by `RankingEvaluator`.

    Files: `predictions-*.parquet`, one a file of examples and in its order. Columns: `user_id`
    (string, null where there is no user), `item_id` (string), `timestamp` (UTC); `slice_<name>`
    (bool) of each slice but `all`; `label_<task>` and `weight_<task>` (float32; weight 0: no
    label, the label says nothing); `score_<model>_<task>` (float32, as the model answered).
    """

    TYPE_NAME = "sid.Predictions"


class RankingEvaluation(artifact.Artifact):
    """Metrics of rankers and the differences between them: `metrics.json`.

    Its content is that of `evaluation.report.make_report`, and `missed`: each threshold that the
    candidate missed, in words. Made by `RankingEvaluator`.
    """

    TYPE_NAME = "sid.RankingEvaluation"


class ReleasedModels(artifact.Artifact):
    """What became what is served: `release.json`, of the form of the one in `serving/`.

    There is no file where the ranker was not blessed. The custom property `pushed` is the number of
    models that are new versions.
    """

    TYPE_NAME = "sid.Release"


class RankerState(artifact.Artifact):
    """The state of a ranker's training, from which the next training goes on.

    Files: `state.json`, what it is the state of: SID space, representation, tasks, moments of the
    labels, days, metrics, and by table what its rows stand for; `variables.index` and
    `variables.data-*`, a TensorFlow checkpoint of weights and optimizer slots by name;
    `assets.extra/SHA256SUMS`. See `semantic_id_ranking.trainer.ranker.ranker_state.RankerState`.
    """

    TYPE_NAME = "sid.RankerState"
