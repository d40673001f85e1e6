"""Values of a store by the items that they are of."""

from collections.abc import Sequence

from semantic_id_ranking.serving.item_ids import ItemId
from semantic_id_ranking.serving.item_ids import to_texts


def by_item(item_ids: Sequence[ItemId], values: Sequence[bytes], what: str) -> dict[str, bytes]:
    """Values by ids as text; of an id that is repeated, the last one.

    Args:
        item_ids: N ids.
        values: N values.
        what: What they are, for messages.

    Raises:
        ValueError: There is another number of them, or one of the ids is none.
    """
    items = to_texts("item_ids", item_ids)
    if len(values) != len(items):
        raise ValueError(f"{len(values)} {what} for {len(items)} items")
    return dict(zip(items, values, strict=True))
