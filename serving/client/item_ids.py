"""Ids of items and users as text: one rule for all that clients are given."""

import numbers

#: What an id may be; an integer stands for its decimal digits.
ItemId = str | bytes | int


def to_text(item_id: ItemId) -> str:
    """An id as the pipeline knows it.

    Args:
        item_id: A string, UTF-8 bytes, or an integer, which stands for its decimal digits, as in
            the inputs of the pipeline.

    Raises:
        ValueError: It is something else, or bytes that are not UTF-8.

    Example:
        `to_text(7)`, `to_text(b"7")` and `to_text("7")` are all "7".
    """
    if isinstance(item_id, str):
        return str(item_id)
    if isinstance(item_id, bytes):
        try:
            return item_id.decode()
        except UnicodeDecodeError:
            raise ValueError(f"item id {item_id!r}: expected UTF-8") from None
    if isinstance(item_id, numbers.Integral) and not isinstance(item_id, bool):
        return str(int(item_id))
    raise ValueError(f"item id {item_id!r}: expected a string, bytes or an integer")
