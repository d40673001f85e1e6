"""Parameters of ItemGen."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ItemParameters:
    """Columns of the items and the split by time.

    Attributes:
        item_id: Column of ids, unique.
        embedding: Column of content embeddings.
        created_at: Column of creation times; None, an absent column and a null stand for the first
            impression.
        title: Column of titles, for people to read; None and an absent column for none.
        embedding_dim: Length of the embeddings; None takes the first one's.
        evaluation_start: ISO 8601; items created before it train, the others evaluate. UTC where it
            names no zone.
        impressions_item_id: The impressions' column of item ids.
        impressions_timestamp: Their column of timestamps.
    """

    item_id: str = "item_id"
    embedding: str = "embedding"
    created_at: str | None = "created_at"
    title: str | None = "title"
    embedding_dim: int | None = None
    evaluation_start: str
    impressions_item_id: str = "item_id"
    impressions_timestamp: str = "timestamp"

    def columns(self) -> list[str]:
        """The columns that have a meaning; all others are carried along."""
        named = [self.item_id, self.embedding, self.created_at, self.title]
        return [name for name in named if name is not None]
