"""Reading of the configuration: a YAML file and overrides, and what is wrong with them."""

import dataclasses
import datetime
import difflib
import types
import typing
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import pydantic

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.output_folder import refuse_pipe
from semantic_id_ranking.pipeline.yaml_text import parse_yaml
from semantic_id_ranking.trainer.ranker.context_spec import ITEM_AGE_COLUMN
from semantic_id_ranking.trainer.ranker.table_budget import baseline_rows


class ConfigError(InputError):
    """The configuration names an unknown field or holds a value out of range."""


def load_config(path: str | None = None, overrides: Sequence[str] = ()) -> Config:
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
            value = parse_yaml(text)
        except ValueError as error:
            raise ConfigError(
                f"--set {override}: the value {text!r} is not valid YAML ({error})"
            ) from None
        _set(tree, key.split("."), value, override)
    try:
        config = pydantic.TypeAdapter(Config).validate_python(tree)
    except pydantic.ValidationError as error:
        raise ConfigError(_sentence(source, error.errors()[0])) from None
    _check(config, source)
    return config


def _read_yaml(path: str) -> dict[str, Any]:
    refuse_pipe(path)
    try:
        with open(path, encoding="utf-8") as file:
            tree = parse_yaml(file.read())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise ConfigError(f"{path}: is not valid YAML ({error})") from None
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
    message = error["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
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
    if config.context.item_age and ITEM_AGE_COLUMN in (
        *config.context.categorical,
        *config.context.numeric,
    ):
        fail(
            "context",
            f"{ITEM_AGE_COLUMN!r} is the column that item_age adds; leave out one of them",
        )
    start = config.split.evaluation_start
    if start is not None and start.tzinfo is not None:
        try:
            start.astimezone(datetime.timezone.utc)
        except OverflowError:
            fail("split.evaluation_start", f"'{start}' is not allowed; UTC has no such time")
    if config.slices.head_share + config.slices.torso_share >= 1:
        fail("slices", "head_share and torso_share add up to 1 or more; leave a share for the tail")
    codes = config.rqvae.levels * config.rqvae.codebook_size
    if codes > 0xFFFE:
        fail(
            "rqvae",
            f"levels x codebook_size is {codes}; the tokenizer has characters for {0xFFFE} codes",
        )
    try:
        baseline_rows(config.representation, config.rqvae.levels, config.rqvae.codebook_size)
    except ValueError as error:
        fail("representation", str(error))
    if config.representation.sampling and config.tokenizer.model != "unigram":
        fail(
            "representation.sampling",
            f"{config.representation.sampling} is not allowed; only a tokenizer of model unigram "
            f"is sampled, not one of model {config.tokenizer.model}",
        )
    if config.representation.name == "sid_spm" and config.representation.rows < codes + 1:
        fail(
            "representation.rows",
            f"{config.representation.rows} is not allowed; sid_spm needs a row for each of "
            f"the {codes} codes and one more, {codes + 1} at least",
        )
