"""Summary of a run, as `summary.json` holds it."""

from typing import Any
from typing import Literal

from semantic_id_ranking.contracts.json_model import JsonModel

#: The two splits of the impressions.
Split = Literal["train", "eval"]


class ImpressionCounts(JsonModel):
    """Impressions by what became of them.

    Attributes:
        joined: Impressions of known items, by split: those that trained and evaluated.
        unknown_items: Impressions of items that `items` does not have; they are in no split.
        without_user: Of the joined ones, those whose user is null, by split.
        masked_labels: Of the joined ones, those whose label is null, by split and task.
    """

    joined: dict[Split, int]
    unknown_items: int
    without_user: dict[Split, int]
    masked_labels: dict[Split, dict[str, int]]


class SidSummary(JsonModel):
    """The Semantic IDs of a run; a part of `SemanticIdReport`, where each number is explained.

    Attributes:
        levels: Codes in a Semantic ID (L).
        codebook_size: Codes at each level (K).
        fingerprint: The SID space, 16 hexadecimal digits.
        unique_fraction: Share of the items that have a Semantic ID of their own, 0 to 1.
        codebook_use: Share of each level's codes in use, L numbers from 0 to 1.
        reconstruction: Relative reconstruction error; 0 is exact, 1 as bad as the mean item.
        reconstruction_median: The same of medians.
        outlying_items: Items that both errors leave out.
        idle_levels: Levels, from 0, that use less than a tenth of their codes.
    """

    levels: int
    codebook_size: int
    fingerprint: str
    unique_fraction: float
    codebook_use: list[float]
    reconstruction: float
    reconstruction_median: float
    outlying_items: int
    idle_levels: list[int]


class TokenizerSummary(JsonModel):
    """The SID tokenizer of a run.

    Attributes:
        pieces: Its pieces, `<unk>` included: the rows of an embedding table of pieces.
        multi_code_pieces: Those of them that are of several codes.
        mean_pieces_per_impression: Pieces of an item, averaged over the training impressions, 1 to
            L.
    """

    pieces: int
    multi_code_pieces: int
    mean_pieces_per_impression: float


class SliceMetric(JsonModel):
    """The metrics of one model on one slice of the evaluation split.

    A binary task has `auc` to `ece`, a regression `rmse`; the other has no such keys. A metric is
    null where there is none.

    Attributes:
        auc: The probability, 0 to 1, that a positive impression is scored above a negative one.
        gauc: The same within a user, over the users of both classes, weighted by their impressions.
        ndcg_at_5: nDCG of the first five impressions of a user's day, over the days with a
            positive, 0 to 1; equal scores are in a random order.
        ndcg_at_10: The same of the first ten.
        log_loss: Mean log-loss, in nats.
        normalized_entropy: The log-loss over that of predicting the mean label; below 1 the
            predictions say more than the mean.
        ece: Mean difference of mean prediction and mean label in bins of equal mass, 0 to 1.
        rmse: The root of the mean squared error, in the label's unit.
        mean_prediction: Mean score.
        mean_label: Mean label.
        prediction_over_label: The first over the second; 1 is calibrated in the mean.
        examples: Impressions of the slice that have a label of the task.
        why_not: Why AUC or RMSE is null; no key where it is a number.
    """

    auc: float | None = None
    gauc: float | None = None
    ndcg_at_5: float | None = None
    ndcg_at_10: float | None = None
    log_loss: float | None = None
    normalized_entropy: float | None = None
    ece: float | None = None
    rmse: float | None = None
    mean_prediction: float | None
    mean_label: float | None
    prediction_over_label: float | None
    examples: int
    why_not: str | None = None

    @property
    def metric(self) -> str:
        """Which of the two it has, "auc" or "rmse"."""
        return "auc" if "auc" in self.model_fields_set else "rmse"

    @property
    def value(self) -> float | None:
        """The number; None where there is none."""
        return self.auc if self.metric == "auc" else self.rmse


class ModelSummary(JsonModel):
    """The ranker or a baseline of a run.

    Attributes:
        representation: Name of its item representation; "item_rate" of what has none.
        table_rows: Rows of all its item embedding tables together.
        metrics: Task -> slice -> metrics. The slices are `all`, `new` (items no older than a day),
            `unseen` (items not in training), `head`, `torso` and `tail`.
    """

    representation: str
    table_rows: int
    metrics: dict[str, dict[str, SliceMetric]]


class Difference(JsonModel):
    """A metric of the ranker less that of a baseline, on the same impressions.

    Attributes:
        estimate: The difference; null where one of the two has no such metric.
        low: Lower end of its 95 % interval; null where it is not known.
        high: Upper end.
        gain: Whether the interval says that the ranker is "better" or "worse", or leaves it
            "undecided"; null where the slice carries no claim.
    """

    estimate: float | None
    low: float | None
    high: float | None
    gain: Literal["better", "worse", "undecided"] | None


class SliceComparison(JsonModel):
    """The ranker against the baselines on one slice.

    Attributes:
        examples: Impressions that have a label of the task.
        positives: Those of label 1, of a binary task.
        negatives: Those of label 0, of a binary task.
        users: Users of these impressions.
        items: Items of these impressions.
        caution: Why the slice carries no claim; null where it does.
        differences: Baseline -> metric -> difference.
    """

    examples: int
    positives: int | None = None
    negatives: int | None = None
    users: int
    items: int
    caution: str | None
    differences: dict[str, dict[str, Difference]]


class EvaluationSummary(JsonModel):
    """The ranker against the baselines.

    Attributes:
        headline: The gain over the strongest baseline on all impressions in the first task, its
            interval, and on how many.
        strongest: Task -> the baseline of the best AUC or RMSE over all impressions.
        slices: Task -> slice -> comparison.
        limits: What an interval leaves out, in words.
    """

    headline: str
    strongest: dict[str, str]
    slices: dict[str, dict[str, SliceComparison]]
    limits: list[str]


class RunOrigin(JsonModel):
    """What a run was made of.

    Attributes:
        config: The effective configuration.
        seeds: "rqvae" and "ranker" -> the seed of its training.
        versions: Package, and "python" -> version.
        data: "items" and "impressions" -> digest of the content of their files.
    """

    config: dict[str, Any]
    seeds: dict[str, int]
    versions: dict[str, str]
    data: dict[str, str]


class RunSummary(JsonModel):
    """The summary of a run.

    >>> RunSummary.read("runs/mine/summary.json").sid.unique_fraction  # doctest: +SKIP
    0.93

    Attributes:
        run_id: Its name in ML Metadata.
        impressions: The impressions by what became of them.
        sid: The Semantic IDs.
        tokenizer: The SID tokenizer.
        models: "ranker", and each baseline by its name.
        evaluation: The ranker against the others.
        blessed: Whether the ranker reached every threshold.
        missed: Each threshold that it missed, in words: task, slice, value.
        pushed: "ranker" and "semantic_id" -> the version folder; null where it was not pushed.
        seconds: Component id -> wall time, in seconds.
        inputs: "items" -> `missing`, items without a creation time, and those created in the
            `future` or `before_1970`; "impressions" -> `rows` read and `rejected` as bad.
        made_of: All that the run depends on.
    """

    run_id: str
    impressions: ImpressionCounts
    sid: SidSummary
    tokenizer: TokenizerSummary
    models: dict[str, ModelSummary]
    evaluation: EvaluationSummary
    blessed: bool
    missed: list[str]
    pushed: dict[str, str | None]
    seconds: dict[str, float]
    inputs: dict[str, dict[str, int]]
    made_of: RunOrigin
