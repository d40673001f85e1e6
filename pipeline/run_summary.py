"""Summary of a run, as `summary.json` holds it."""

from typing import Literal

from semantic_id_ranking.pipeline.json_model import JsonModel

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
    """A metric on one slice of the evaluation split.

    Attributes:
        auc: Of a binary task: the probability, 0 to 1, that a positive impression is scored above a
            negative one; null where there is none. A regression task has no such key.
        rmse: Of a regression task: the root of the mean squared error, in the label's unit; null
            where there is none. A binary task has no such key.
        examples: Impressions of the slice that have a label of the task.
        why_not: Why the metric is null; no key where it is a number.
    """

    auc: float | None = None
    rmse: float | None = None
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
    """One of the two rankers of a run.

    Attributes:
        representation: Name of its item representation.
        table_rows: Rows of all its item embedding tables together.
        metrics: Task -> slice -> metric. The slices are `all`, `new` (items no older than a day),
            `unseen` (items not in training), `head`, `torso` and `tail`.
    """

    representation: str
    table_rows: int
    metrics: dict[str, dict[str, SliceMetric]]


class RunSummary(JsonModel):
    """The summary of a run.

    >>> RunSummary.read("runs/mine/summary.json").sid.unique_fraction  # doctest: +SKIP
    0.93

    Attributes:
        run_id: Its name in ML Metadata.
        impressions: The impressions by what became of them.
        sid: The Semantic IDs.
        tokenizer: The SID tokenizer.
        models: "ranker" and "baseline".
        blessed: Whether the ranker reached every threshold.
        missed: Each threshold that it missed, in words: task, slice, value.
        pushed: "ranker" and "semantic_id" -> the version folder; null where it was not pushed.
        seconds: Component id -> wall time, in seconds.
        inputs: "items" -> `missing`, items without a creation time, and those created in the
            `future` or `before_1970`; "impressions" -> `rows` read and `rejected` as bad.
    """

    run_id: str
    impressions: ImpressionCounts
    sid: SidSummary
    tokenizer: TokenizerSummary
    models: dict[Literal["ranker", "baseline"], ModelSummary]
    blessed: bool
    missed: list[str]
    pushed: dict[str, str | None]
    seconds: dict[str, float]
    inputs: dict[str, dict[str, int]]
