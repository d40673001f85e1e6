"""Errors between a caller and a SID store."""

from semantic_id_ranking.serving.errors import ClientError


class StoreError(ClientError):
    """A store cannot be reached, or holds what it should not."""


class UnknownSpaceError(StoreError):
    """A store holds no Semantic IDs of the space that is asked for."""
