"""Refusals of configurations that are made in Python."""

import functools
import inspect
from typing import Any
from typing import TypeVar

import pydantic

from semantic_id_ranking.contracts.config_sentence import config_sentence
from semantic_id_ranking.contracts.errors import InputError

Kind = TypeVar("Kind")


def one_sentence(kind: type[Kind]) -> type[Kind]:
    """Decorates a pydantic dataclass, which then refuses arguments by an `InputError`.

    Pydantic's own error has several lines, and says neither what came nor which fields there are.
    What is validated as a part of another dataclass stays pydantic's to report.

    Args:
        kind: The dataclass.

    Returns:
        The same class.

    Example:
        >>> from pydantic.dataclasses import dataclass
        >>> @one_sentence
        ... @dataclass
        ... class Sizes:
        ...     levels: pydantic.PositiveInt
        >>> Sizes(levels=0)
        Traceback (most recent call last):
        semantic_id_ranking.contracts.errors.InputError: Sizes: levels: 0 is not allowed; input \
should be greater than 0
    """
    validate: Any = kind.__init__

    @functools.wraps(validate)
    def __init__(self: Kind, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        if args:
            _refuse_unnamed(kind, args)
        try:
            validate(self, *args, **kwargs)
        except pydantic.ValidationError as error:
            raise InputError(f"{kind.__name__}: {config_sentence(error, kind)}") from None

    made: Any = kind
    made.__init__ = __init__
    return kind


def _refuse_unnamed(kind: type, args: tuple[Any, ...]) -> None:
    """Refuses values without a name where fields are keyword-only: pydantic takes some of them."""
    parameters = inspect.signature(kind).parameters.values()
    unnamed = sum(parameter.kind is parameter.POSITIONAL_OR_KEYWORD for parameter in parameters)
    if len(args) > unnamed:
        raise InputError(
            f"{kind.__name__}: {args[unnamed]!r} is not allowed; give fields by their names"
        )
