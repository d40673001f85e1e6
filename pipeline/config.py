"""The configuration of a run: frozen, validated dataclasses."""

from typing import Any
from typing import Literal

import pydantic
from pydantic import ConfigDict
from pydantic import Field
from pydantic.dataclasses import dataclass

from semantic_id_ranking.components.day_guard.guard_config import GuardConfig
from semantic_id_ranking.contracts.one_sentence import one_sentence
from semantic_id_ranking.evaluation.evaluation_spec import ITEM_RATE
from semantic_id_ranking.evaluation.metric_names import METRICS
from semantic_id_ranking.evaluation.missed_thresholds import SERVED
from semantic_id_ranking.evaluation.slices import SLICE_FEATURES
from semantic_id_ranking.evaluation.threshold_config import ThresholdConfig
from semantic_id_ranking.pipeline.input_config import ColumnsConfig
from semantic_id_ranking.pipeline.input_config import SplitConfig
from semantic_id_ranking.pipeline.join_config import ContextConfig
from semantic_id_ranking.pipeline.join_config import DaysConfig
from semantic_id_ranking.pipeline.join_config import HistoryConfig
from semantic_id_ranking.pipeline.join_config import JoinConfig
from semantic_id_ranking.serving.store.store_url import require_no_credentials
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.representations import DEFAULT as DEFAULT_REPRESENTATION
from semantic_id_ranking.trainer.ranker.representations import parse_representation
from semantic_id_ranking.trainer.ranker.representations import Representation
from semantic_id_ranking.trainer.ranker.representations import RepresentationConfig
from semantic_id_ranking.trainer.rqvae.config import RqVaeConfig
from semantic_id_ranking.trainer.tokenizer.config import TokenizerConfig
from semantic_id_ranking.trainer.tokenizer.sid_text import require_encodable

_STRICT = ConfigDict(extra="forbid")

#: What a ranker is compared with.
Baseline = Literal[
    "item_rate",
    "random_hash",
    "individual_id",
    "dense",
    "dense_projected",
    "sid_ngram",
    "sid_prefix",
    "sid_spm",
    "id_plus_sid",
    "sid_hybrid",
]

#: The slices every run is evaluated on, in the order they are reported.
SLICES = tuple(SLICE_FEATURES)


@one_sentence
@dataclass(frozen=True, config=_STRICT)
class SlicesConfig:
    """The bounds of the slices.

    Attributes:
        new_days: Items no older than this at the impression are new; days.
        head_share: The most popular items that make up this share of the training impressions are
            the head.
        torso_share: The next ones, up to this further share, are the torso; the others are the
            tail.
    """

    new_days: float = Field(default=1.0, gt=0)
    head_share: float = Field(default=0.5, gt=0, lt=1)
    torso_share: float = Field(default=0.3, gt=0, lt=1)

    @pydantic.model_validator(mode="after")
    def _leave_a_tail(self) -> "SlicesConfig":
        if self.head_share + self.torso_share >= 1:
            raise ValueError(
                "head_share and torso_share add up to 1 or more; leave a share for the tail"
            )
        return self


@one_sentence
@dataclass(frozen=True, config=_STRICT)
class ServingConfig:
    """The folder that a model server watches, and the store that its clients read.

    Attributes:
        keep_versions: Versions of each model that stay there, the newest ones; older ones are
            deleted when a new one is pushed. 2 at least leave one to roll back to.
        store: The store that a release writes the Semantic IDs into, before the models are pushed:
            sqlite:///path, redis://host:port/database or rediss://…; or env:NAME, the environment
            variable that holds the URL, or file:PATH, which a URL with a password needs. None
            writes them nowhere.
        load_seconds: Seconds between a new encoder and its ranker, where a ranker is served
            already: time for model servers to find and load it. Where they take longer, requests
            for new items wait for it.
    """

    keep_versions: int = Field(default=3, ge=1)
    store: str | None = None
    load_seconds: float = Field(default=10.0, ge=0, le=600)

    @pydantic.model_validator(mode="after")
    def _keep_no_password(self) -> "ServingConfig":
        """Refuses a URL with a password, which the message does not repeat."""
        if self.store is not None:
            try:
                require_no_credentials(self.store)
            except ValueError as error:
                raise ValueError(f"store: {error}") from None
        return self


@one_sentence
@dataclass(frozen=True, config=_STRICT)
class BeamConfig:
    """The runner of the Beam stages.

    Attributes:
        arguments: Beam pipeline arguments, such as those of a Dataflow run; empty runs on this
            machine.
    """

    arguments: tuple[str, ...] = ()


@one_sentence
@dataclass(frozen=True, config=_STRICT)
class Config:
    """Everything a run depends on beside its input files.

    Attributes:
        columns: Names of the input columns.
        tasks: What the ranker predicts.
        context: Context columns of the impressions.
        split: Training and evaluation period.
        history: What of the user's past is seen.
        days: What a day is.
        guard: How far a day may differ from the one before it.
        rqvae: Content embeddings to Semantic IDs.
        tokenizer: Semantic IDs to pieces.
        representation: How the ranker sees an item; its rows are the table budget of tokenizer and
            baselines.
        baselines: What the ranker is compared with on every evaluation, one at least. "item_rate"
            is no model: the smoothed rate of an item's labels, as far as the ranker knows them:
            with `context.counters` before the impression, as `context.counters_as_of` says, else
            before the evaluation period, or the day; for a regression the mean label of all items.
            A name of a representation is the same ranker with as many rows of that representation,
            trained alike.
        ranker: The network.
        slices: Bounds of the evaluation slices.
        thresholds: What a ranker has to reach to be pushed. None: for each binary task an overall
            AUC of at least 0.5 that is at most 0.01 below that of the first baseline that is
            trained; if none is, below that of "item_rate".
        join: The feature join.
        serving: Where models are pushed to.
        beam: Where Beam runs.
    """

    columns: ColumnsConfig = ColumnsConfig()
    tasks: tuple[TaskConfig, ...] = (TaskConfig(),)
    context: ContextConfig = ContextConfig()
    split: SplitConfig = SplitConfig()
    history: HistoryConfig = HistoryConfig()
    days: DaysConfig = DaysConfig()
    guard: GuardConfig = GuardConfig()
    rqvae: RqVaeConfig = RqVaeConfig()
    tokenizer: TokenizerConfig = TokenizerConfig()
    representation: Representation = DEFAULT_REPRESENTATION
    baselines: tuple[Baseline, ...] = Field(default=("item_rate", "random_hash"), min_length=1)
    ranker: RankerConfig = RankerConfig()
    slices: SlicesConfig = SlicesConfig()
    thresholds: tuple[ThresholdConfig, ...] | None = None
    join: JoinConfig = JoinConfig()
    serving: ServingConfig = ServingConfig()
    beam: BeamConfig = BeamConfig()

    @pydantic.model_validator(mode="after")
    def _parts_agree(self) -> "Config":
        """Refuses what no part can see by itself; the message begins with the field."""
        names = [task.name for task in self.tasks]
        if not names:
            raise ValueError("tasks: is empty; give at least one task")
        for position, name in enumerate(names):
            if name in names[:position]:
                raise ValueError(
                    f"tasks.{position}.name: {name!r} appears twice; each task needs its own name"
                )
        binary = [task.name for task in self.tasks if task.type == "binary"]
        if self.history.positive not in (None, *binary):
            raise ValueError(
                f"history.positive: {self.history.positive!r} is not a binary task; there are "
                f"{binary}"
            )
        if self.days.length > 8 * self.context.half_life_days:
            raise ValueError(
                f"context.half_life_days: {self.context.half_life_days:g} is not allowed; it has "
                f"to be an eighth of days.length, {self.days.length:g}, at least"
            )
        for position, name in enumerate(self.baselines):
            if name in self.baselines[:position]:
                raise ValueError(f"baselines.{position}: {name!r} appears twice; name it once")
        peers = [*self.baselines, SERVED]
        for position, threshold in enumerate(self.thresholds or ()):
            if threshold.peer not in (None, *peers):
                raise ValueError(
                    f"thresholds.{position}.peer: {threshold.peer!r} is not evaluated; there are "
                    f"{peers}"
                )
            if threshold.task not in names:
                raise ValueError(
                    f"thresholds.{position}.task: {threshold.task!r} is not a task; there are "
                    f"{names}"
                )
            kind = next(task.type for task in self.tasks if task.name == threshold.task)
            if threshold.metric not in (None, *METRICS[kind]):
                raise ValueError(
                    f"thresholds.{position}.metric: {threshold.metric!r} is no metric of a {kind} "
                    f"task such as {threshold.task}; there are {list(METRICS[kind])}"
                )
        return self

    @pydantic.model_validator(mode="after")
    def _codes_have_rows_and_characters(self) -> "Config":
        """Refuses a table or a tokenizer that the Semantic IDs do not fit."""
        levels, codebook_size = self.rqvae.levels, self.rqvae.codebook_size
        try:
            require_encodable(levels, codebook_size)
        except ValueError as error:
            raise ValueError(f"rqvae: {error}") from None
        try:
            self.representation.table_rows(levels, codebook_size)
        except ValueError as error:
            raise ValueError(f"representation.{error}") from None
        for name, baseline in self.trained_baselines.items():
            try:
                baseline.table_rows(levels, codebook_size)
            except ValueError as error:
                raise ValueError(f"baselines: {name} has {error}") from None
        sampling = getattr(self.representation, "sampling", 0)
        if sampling and self.tokenizer.model != "unigram":
            raise ValueError(
                f"representation.sampling: {sampling} is not allowed; only a tokenizer of model "
                f"unigram is sampled, not one of model {self.tokenizer.model}"
            )
        return self

    @property
    def effective_thresholds(self) -> tuple[ThresholdConfig, ...]:
        """The configured thresholds, or the default ones."""
        if self.thresholds is not None:
            return self.thresholds
        peer = next(iter(self.trained_baselines), ITEM_RATE)
        return tuple(
            ThresholdConfig(task=task.name, value=0.5, change=-0.01, peer=peer)
            for task in self.tasks
            if task.type == "binary"
        )

    @property
    def trained_baselines(self) -> dict[str, RepresentationConfig]:
        """The representations of the baselines that are trained, by name.

        They have as many rows; where no configuration sets how many the representation takes, that
        is `representation.rows`.
        """
        sizes = self.rqvae.levels, self.rqvae.codebook_size
        of_ranker = self.representation
        budget = {
            "rows": of_ranker.table_rows(*sizes) or of_ranker.rows,
            "separate_tables": of_ranker.separate_tables,
        }
        names = [name for name in self.baselines if name != ITEM_RATE]
        return {name: parse_representation({"name": name, **budget}) for name in names}

    @property
    def counted_tasks(self) -> tuple[str, ...] | None:
        """The binary tasks that are counted; None where there are no counters."""
        if not self.context.counters:
            return None
        return tuple(task.name for task in self.tasks if task.type == "binary")

    @property
    def positive_task(self) -> TaskConfig | None:
        """The task whose positives make the history; None where every impression counts."""
        binary = [task for task in self.tasks if task.type == "binary"]
        if self.history.positive is None:
            return binary[0] if binary else None
        return next(task for task in binary if task.name == self.history.positive)


def to_dict(part: Any) -> dict[str, Any]:
    """A part of the configuration as plain JSON types, such as a TFX parameter takes."""
    content: dict[str, Any] = pydantic.TypeAdapter(type(part)).dump_python(part, mode="json")
    return content
