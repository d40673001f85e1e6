"""The configuration of a run: one YAML file, read into frozen, validated dataclasses."""

import dataclasses
import datetime
import difflib
import types
import typing
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Literal

import pydantic
import yaml
from pydantic import ConfigDict
from pydantic import Field
from pydantic.dataclasses import dataclass

from components.errors import InputError
from trainer.ranker.config import RankerConfig
from trainer.ranker.config import RepresentationConfig
from trainer.ranker.config import TaskConfig
from trainer.rqvae.config import RqVaeConfig
from trainer.tokenizer.config import TokenizerConfig

_STRICT = ConfigDict(extra="forbid")

#: The slices every run is evaluated on, in the order they are reported.
SLICES = ("all", "new", "unseen", "head", "torso", "tail")


class ConfigError(InputError):
    """The configuration names an unknown field or holds a value out of range."""


@dataclass(frozen=True, config=_STRICT)
class ColumnsConfig:
    """The columns of the two Parquet files.

    Attributes:
        item_id: The item, in both files: string or integer.
        embedding: Content embedding of an item: list of floats.
        created_at: When the item appeared. Without such a column it is the item's first impression.
        title: Text for people to read; optional.
        user_id: The user of an impression: string or integer.
        timestamp: When the impression took place.
        current_item_id: The item the user looked at meanwhile; optional.
    """

    item_id: str = "item_id"
    embedding: str = "embedding"
    created_at: str = "created_at"
    title: str = "title"
    user_id: str = "user_id"
    timestamp: str = "timestamp"
    current_item_id: str = "current_item_id"


@dataclass(frozen=True, config=_STRICT)
class ContextConfig:
    """Context columns of the impressions that the ranker reads.

    Attributes:
        categorical: Columns of strings or integers, each given a vocabulary.
        numeric: Columns of numbers, each scaled to mean 0 and variance 1.
    """

    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()


@dataclass(frozen=True, config=_STRICT)
class SplitConfig:
    """How time is cut into training and evaluation.

    Attributes:
        evaluation_start: First instant of the evaluation period; a time without a zone is UTC. None
            takes the last `evaluation_fraction` of the time-ordered impressions.
        evaluation_fraction: Share of the impressions, the latest ones, kept for evaluation.
    """

    evaluation_start: datetime.datetime | None = None
    evaluation_fraction: float = Field(0.1, gt=0, lt=1)


@dataclass(frozen=True, config=_STRICT)
class HistoryConfig:
    """What of the user's past the ranker sees.

    Attributes:
        length: Items, at most (H), most recent first.
        positive: The binary task whose label 1 puts an item into the history. None takes the first
            binary task; where there is none, every impression counts.
    """

    length: int = Field(20, ge=1)
    positive: str | None = None


@dataclass(frozen=True, config=_STRICT)
class SlicesConfig:
    """Where the slices begin and end.

    Attributes:
        new_days: Items no older than this at the impression are new; days.
        head_share: The most popular items that make up this share of the training impressions are
            the head.
        torso_share: The next ones, up to this further share, are the torso; the others are the
            tail.
    """

    new_days: float = Field(1.0, gt=0)
    head_share: float = Field(0.5, gt=0, lt=1)
    torso_share: float = Field(0.3, gt=0, lt=1)


@dataclass(frozen=True, config=_STRICT)
class ThresholdConfig:
    """A bar the candidate has to clear to be blessed. A slice without data does not clear it.

    Attributes:
        task: Name of the task. AUC is read for a binary task, RMSE for a regression.
        slice: One of `SLICES`.
        value: AUC at least, or RMSE at most, this; None sets no such bar.
        change: AUC above the baseline's, or RMSE below it, by at least this; negative allows a
            loss. None sets no such bar.
    """

    task: str
    slice: Literal["all", "new", "unseen", "head", "torso", "tail"] = "all"
    value: float | None = None
    change: float | None = None


@dataclass(frozen=True, config=_STRICT)
class JoinConfig:
    """The feature join.

    Attributes:
        max_unknown_fraction: Share of impressions whose item has no Semantic ID, above which the
            run stops.
        shards: Groups of users worked on one after the other; more of them need less memory each.
    """

    max_unknown_fraction: float = Field(0.01, ge=0, le=1)
    shards: int = Field(16, ge=1)


@dataclass(frozen=True, config=_STRICT)
class BeamConfig:
    """Where the Beam stages run.

    Attributes:
        arguments: Beam pipeline arguments, such as those of a Dataflow run; empty runs on this
            machine.
    """

    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, config=_STRICT)
class Config:
    """Everything a run depends on beside its input files.

    Attributes:
        columns: Names of the input columns.
        tasks: What the ranker predicts.
        context: Context columns of the impressions.
        split: Training and evaluation period.
        history: What of the user's past is seen.
        rqvae: Content embeddings to Semantic IDs.
        tokenizer: Semantic IDs to pieces.
        representation: How the ranker sees an item; its rows are the table budget of tokenizer and
            baseline.
        ranker: The network.
        slices: Bounds of the evaluation slices.
        thresholds: What a ranker has to reach to be pushed. None: for each binary task an overall
            AUC of at least 0.5 that is at most 0.01 below the baseline's.
        join: The feature join.
        beam: Where Beam runs.
    """

    columns: ColumnsConfig = ColumnsConfig()
    tasks: tuple[TaskConfig, ...] = (TaskConfig(),)
    context: ContextConfig = ContextConfig()
    split: SplitConfig = SplitConfig()
    history: HistoryConfig = HistoryConfig()
    rqvae: RqVaeConfig = RqVaeConfig()
    tokenizer: TokenizerConfig = TokenizerConfig()
    representation: RepresentationConfig = RepresentationConfig()
    ranker: RankerConfig = RankerConfig()
    slices: SlicesConfig = SlicesConfig()
    thresholds: tuple[ThresholdConfig, ...] | None = None
    join: JoinConfig = JoinConfig()
    beam: BeamConfig = BeamConfig()

    @property
    def effective_thresholds(self) -> tuple[ThresholdConfig, ...]:
        """The configured thresholds, or the default ones."""
        if self.thresholds is not None:
            return self.thresholds
        return tuple(
            ThresholdConfig(task=task.name, value=0.5, change=-0.01)
            for task in self.tasks
            if task.type == "binary"
        )

    @property
    def positive_task(self) -> TaskConfig | None:
        """The task whose positives make the history; None where every impression counts."""
        binary = [task for task in self.tasks if task.type == "binary"]
        if self.history.positive is None:
            return binary[0] if binary else None
        return next(task for task in binary if task.name == self.history.positive)


def load(path: str | None = None, overrides: Sequence[str] = ()) -> Config:
    """Reads a configuration.

    Args:
        path: A YAML file; None starts from the defaults.
        overrides: `key=value` with a dotted key, such as `ranker.epochs=3`; the value is YAML. They
            are applied in their order, after the file.

    Returns:
        The validated configuration.

    Raises:
        ConfigError: The file is missing or is no YAML mapping, a key is unknown or a value out of
        range.
    """
    source = path or "the configuration"
    tree = _read_yaml(path) if path else {}
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator or not key:
            raise ConfigError(f"--set {override}: write it as key=value, such as ranker.epochs=3")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise ConfigError(f"--set {override}: the value {text!r} is not valid YAML") from None
        _set(tree, key.split("."), value, override)
    try:
        config = pydantic.TypeAdapter(Config).validate_python(tree)
    except pydantic.ValidationError as error:
        raise ConfigError(_sentence(source, error.errors()[0])) from None
    _check(config, source)
    return config


def to_dict(part: Any) -> dict[str, Any]:
    """A part of the configuration as plain JSON types, such as a TFX parameter takes."""
    return pydantic.TypeAdapter(type(part)).dump_python(part, mode="json")


def _read_yaml(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            tree = yaml.safe_load(file)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid YAML ({' '.join(str(error).split())})") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: holds a {type(tree).__name__}; a mapping of fields is needed")
    return tree


def _set(tree: dict[str, Any], keys: list[str], value: Any, override: str) -> None:
    for key in keys[:-1]:
        branch = tree.setdefault(key, {})
        if not isinstance(branch, dict):
            raise ConfigError(f"--set {override}: {key} is not a group of fields")
        tree = branch
    tree[keys[-1]] = value


def _sentence(source: str, error: Mapping[str, Any]) -> str:
    """One sentence on one of pydantic's errors: where, what came, what would be right."""
    location = [part for part in error["loc"] if not str(part).startswith(("function-", "tagged-"))]
    field = ".".join(str(part) for part in location)
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        known = _fields_at(Config, location[:-1])
        close = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
        return f"{source}: {field}: unknown key; {hint}"
    if error["type"] in ("missing", "missing_argument"):
        return f"{source}: {field}: is missing"
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"{source}: {field}: {error['input']!r} is not allowed; {message}"


def _fields_at(kind: Any, location: Sequence[Any]) -> list[str]:
    """Names of the fields of the dataclass that a location within `kind` leads to."""
    for part in location:
        if dataclasses.is_dataclass(kind) and isinstance(part, str):
            kind = typing.get_type_hints(kind).get(part)
        while not dataclasses.is_dataclass(kind) and typing.get_args(kind):
            options = typing.get_args(kind)
            is_union = typing.get_origin(kind) in (typing.Union, types.UnionType)
            kind = (
                next((o for o in options if o is not type(None)), None) if is_union else options[0]
            )
    return [f.name for f in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []


def _check(config: Config, source: str) -> None:
    """Checks what one field alone cannot show."""

    def fail(field: str, text: str) -> typing.NoReturn:
        raise ConfigError(f"{source}: {field}: {text}")

    names = [task.name for task in config.tasks]
    if not names:
        fail("tasks", "is empty; give at least one task")
    for position, name in enumerate(names):
        if not name.isidentifier():
            fail(f"tasks.{position}.name", f"{name!r} is not allowed; use letters, digits and _")
        if name in names[:position]:
            fail(f"tasks.{position}.name", f"{name!r} appears twice; each task needs its own name")
    binary = [task.name for task in config.tasks if task.type == "binary"]
    positive = config.history.positive
    if positive is not None and positive not in binary:
        fail("history.positive", f"{positive!r} is not a binary task; there are {binary}")
    for position, threshold in enumerate(config.effective_thresholds):
        if threshold.task not in names:
            fail(
                f"thresholds.{position}.task",
                f"{threshold.task!r} is not a task; there are {names}",
            )
    both = set(config.context.categorical) & set(config.context.numeric)
    if both:
        fail("context", f"{sorted(both)[0]!r} is both categorical and numeric; name it once")
    if config.slices.head_share + config.slices.torso_share >= 1:
        fail("slices", "head_share and torso_share add up to 1 or more; leave a share for the tail")
    codes = config.rqvae.levels * config.rqvae.codebook_size
    if codes > 0xFFFE:
        fail(
            "rqvae",
            f"levels x codebook_size is {codes}; the tokenizer has characters for {0xFFFE} codes",
        )
    if config.representation.name == "sid_spm" and config.representation.rows < codes + 1:
        fail(
            "representation.rows",
            f"{config.representation.rows} is not allowed; sid_spm needs a row for each of "
            f"the {codes} codes and one more, {codes + 1} at least",
        )
