"""Stores of Semantic IDs by item: a SQLite file, or Redis."""

from serving.store.checkpoint import Checkpoint
from serving.store.errors import StoreError
from serving.store.errors import UnknownSpaceError
from serving.store.open_store import open_store
from serving.store.sid_store import SidStore

__all__ = ["Checkpoint", "SidStore", "StoreError", "UnknownSpaceError", "open_store"]
