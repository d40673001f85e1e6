"""Stores of Semantic IDs by item, with counters and users: a SQLite file, or Redis."""

from semantic_id_ranking.serving.store.checkpoint import Checkpoint
from semantic_id_ranking.serving.store.errors import StoreError
from semantic_id_ranking.serving.store.errors import UnknownSpaceError
from semantic_id_ranking.serving.store.open_store import open_store
from semantic_id_ranking.serving.store.sid_store import SidStore
from semantic_id_ranking.serving.store.stored_items import StoredItems
from semantic_id_ranking.serving.store.stored_moment import StoredMoment
from semantic_id_ranking.serving.store.user_record import UserRecord

__all__ = [
    "Checkpoint",
    "SidStore",
    "StoreError",
    "StoredItems",
    "StoredMoment",
    "UnknownSpaceError",
    "UserRecord",
    "open_store",
]
