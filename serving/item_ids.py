"""Ids as text: one rule for every argument of the clients and the stores that holds ids."""

import numbers
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import cast

from numpy.typing import ArrayLike

#: What an id may be; an integer stands for its decimal digits.
ItemId = str | bytes | int

#: item_id -> content embedding [D]. One for each type of id: the key of a `Mapping` is invariant.
ItemEmbeddings = Mapping[str, ArrayLike] | Mapping[bytes, ArrayLike] | Mapping[int, ArrayLike]


def to_text(item_id: ItemId) -> str:
    """An id as the pipeline knows it.

    Args:
        item_id: A string, UTF-8 bytes, or an integer, which stands for its decimal digits, as in
            the inputs of the pipeline.

    Raises:
        ValueError: It is something else, or has no UTF-8 form.

    Example:
        `to_text(7)`, `to_text(b"7")` and `to_text("7")` are all "7".
    """
    try:
        if isinstance(item_id, str):
            item_id.encode()
            return str(item_id)
        if isinstance(item_id, bytes):
            return item_id.decode()
    except UnicodeError:
        raise ValueError(f"item id {item_id!r}: expected UTF-8") from None
    if isinstance(item_id, numbers.Integral) and not isinstance(item_id, bool):
        return str(int(item_id))
    raise ValueError(f"item id {item_id!r}: expected a string, bytes or an integer")


def to_texts(argument: str, item_ids: Iterable[ItemId]) -> list[str]:
    """The ids of an argument.

    Args:
        argument: Its name, for messages.
        item_ids: Many ids.

    Raises:
        ValueError: It is one value and no list, or one of them is no id.
    """
    if isinstance(item_ids, (str, bytes)) or not isinstance(item_ids, Iterable):
        raise ValueError(f"{argument} is {item_ids!r}; a list of ids is wanted")
    return _convert(argument, item_ids)


def to_text_keys(argument: str, values: Any) -> dict[str, Any]:
    """A mapping from ids, with the ids as text.

    Args:
        argument: Its name, for messages.
        values: id -> value.

    Raises:
        ValueError: A key is no id.
    """
    keys = list(values.keys())
    return dict(zip(_convert(argument, keys), (values[key] for key in keys), strict=True))


def _convert(argument: str, item_ids: Iterable[ItemId]) -> list[str]:
    item_ids = list(item_ids)
    if set(map(type, item_ids)) == {str}:
        try:
            # At once: two halves of a character make none with a line feed between them.
            "\n".join(cast("list[str]", item_ids)).encode()
            return cast("list[str]", item_ids)
        except UnicodeError:
            pass  # `to_text` names the id.
    try:
        return [to_text(item_id) for item_id in item_ids]
    except ValueError as error:
        raise ValueError(f"{argument}: {error}") from None
