"""What goes wrong between a caller and a store."""


class StoreError(RuntimeError):
    """A store cannot be reached, or holds what it should not."""


class UnknownSpaceError(StoreError):
    """A store holds no Semantic IDs of the space that is asked for."""
