"""Reading of the configuration: a YAML file and overrides, and what is wrong with them."""

import dataclasses
import datetime
import difflib
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
    location = [part for part in error["loc"] if not str(part).startswith("function-")]
    names, _ = _resolve(location)
    kind, value = error["type"], error["input"]
    if kind in ("missing", "missing_argument"):
        return f"{source}: {'.'.join(names)}: is missing"
    message = error["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if kind == "unexpected_keyword_argument":
        hint, owner = _unknown_key(location)
        if not owner:
            return f"{source}: {'.'.join(names)}: unknown key; {hint}"
        message = hint
    elif kind == "union_tag_invalid":
        names.append("name")
        value, message = error["ctx"]["tag"], f"known are {error['ctx']['expected_tags']}"
    return f"{source}: {'.'.join(names)}: {value!r} is not allowed; {message}"


def _resolve(location: Sequence[Any]) -> tuple[list[str], list[type]]:
    """Follows one of pydantic's locations through the dataclasses.

    Returns:
        The names to write, without the tag of a union's member; and the dataclasses that the
        location may hold, several where it is a union.
    """
    names, options = [], [Config]
    for part in location:
        if len(options) > 1:
            options = [option for option in options if option.name == part]
            continue
        names.append(str(part))
        if isinstance(part, str):
            hints = typing.get_type_hints(options[0]) if options else {}
            options = _dataclasses(hints.get(part))
    return names, options


def _dataclasses(kind: Any) -> list[type]:
    """The dataclasses in a field's type."""
    if dataclasses.is_dataclass(kind):
        return [kind]
    return [found for part in typing.get_args(kind) for found in _dataclasses(part)]


def _unknown_key(location: Sequence[Any]) -> tuple[str, bool]:
    """What would be right, and whether other members of a union have the key."""
    key = str(location[-1])
    (kind,) = _resolve(location[:-1])[1]
    _, siblings = _resolve(location[:-2])
    owners = [option.name for option in siblings if key in _fields(option)]
    if len(siblings) > 1 and owners:
        return f"{kind.name} has no such option; it belongs to {', '.join(owners)}", True
    close = difflib.get_close_matches(key, _fields(kind), n=1)
    known = ", ".join(_fields(kind))
    return (f"did you mean {close[0]}?" if close else f"known are {known}"), False


def _fields(kind: type) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


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
        config.representation.table_rows(config.rqvae.levels, config.rqvae.codebook_size)
    except ValueError as error:
        raise ConfigError(f"{source}: representation.{error}") from None
    if getattr(config.representation, "sampling", 0) and config.tokenizer.model != "unigram":
        fail(
            "representation.sampling",
            f"{config.representation.sampling} is not allowed; only a tokenizer of model unigram "
            f"is sampled, not one of model {config.tokenizer.model}",
        )
