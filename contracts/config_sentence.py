"""One-sentence messages on errors of a configuration."""

import dataclasses
import difflib
import typing
from collections.abc import Sequence
from typing import Any

import pydantic

#: Characters of a value, at most.
_LONGEST = 200


def config_sentence(refusal: pydantic.ValidationError, kind: type[Any]) -> str:
    """Where, what came, what would be right: of the first of pydantic's errors.

    Args:
        refusal: Of the validation of a `kind`.
        kind: A dataclass of `config_dataclass`.
    """
    error = refusal.errors()[0]
    location = [part for part in error["loc"] if not str(part).startswith("function-")]
    if location and isinstance(location[0], int):
        location[0] = _fields(kind)[location[0]]
    names, parts = _resolve(kind, location)
    field = ".".join(names)
    problem, value = error["type"], error["input"]
    if problem in ("missing", "missing_argument"):
        return f"{field}: is missing"
    message = error["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if problem == "unexpected_keyword_argument":
        hint, owner = _unknown_key(kind, location)
        if not owner:
            return f"{field}: unknown key; {hint}"
        message = hint
    elif problem == "value_error" and len(parts) == 1:
        # Fields that do not agree: what came is the whole part, and the message names the field.
        return ": ".join([*filter(None, [field]), message])
    elif problem == "union_tag_invalid":
        field += ".name"
        value, message = error["ctx"]["tag"], f"known are {error['ctx']['expected_tags']}"
    return f"{field}: {_text(value)} is not allowed; {message}"


def _text(value: Any) -> str:
    """A value as it may stand in a sentence."""
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _resolve(root: type[Any], location: Sequence[Any]) -> tuple[list[str], list[type[Any]]]:
    """Follows one of pydantic's locations through the dataclasses.

    Returns:
        The names to write, without the tag of a union's member; and the dataclasses that the
        location may hold, several where it is a union.
    """
    names: list[str] = []
    options: list[type[Any]] = [root]
    for part in location:
        if len(options) > 1:
            options = [option for option in options if option.name == part]
            continue
        names.append(str(part))
        if isinstance(part, str):
            hints = typing.get_type_hints(options[0]) if options else {}
            options = _dataclasses(hints.get(part))
    return names, options


def _dataclasses(kind: Any) -> list[type[Any]]:
    """The dataclasses in a field's type."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return [kind]
    return [found for part in typing.get_args(kind) for found in _dataclasses(part)]


def _unknown_key(root: type[Any], location: Sequence[Any]) -> tuple[str, bool]:
    """The expected value, and the members of a union that have the key."""
    key = str(location[-1])
    (kind,) = _resolve(root, location[:-1])[1]
    _, siblings = _resolve(root, location[:-2])
    owners = [option.name for option in siblings if key in _fields(option)]
    if len(siblings) > 1 and owners:
        return f"{kind.name} has no such option; it belongs to {', '.join(owners)}", True
    close = difflib.get_close_matches(key, _fields(kind), n=1)
    known = ", ".join(_fields(kind))
    return (f"did you mean {close[0]}?" if close else f"known are {known}"), False


def _fields(kind: type[Any]) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]
