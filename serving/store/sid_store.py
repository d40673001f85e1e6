"""The interface of all stores of Semantic IDs."""

import abc
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.store.checkpoint import Checkpoint
from semantic_id_ranking.serving.store.counter_codec import decode_counters
from semantic_id_ranking.serving.store.counter_codec import encode_counters
from semantic_id_ranking.serving.store.errors import StoreError
from semantic_id_ranking.serving.store.errors import UnknownSpaceError
from semantic_id_ranking.serving.store.sid_codec import SidCodec
from semantic_id_ranking.serving.store.stored_items import StoredItems

Store = TypeVar("Store", bound="SidStore")


class SidStore(abc.ABC):
    """Semantic IDs and counters by item, in a namespace for each SID space.

    The namespace is the space's fingerprint: two spaces live side by side while rankers change over
    from one to the other. Each keeps the number of levels and codes of its space, and values that
    do not fit them are refused. Threads may share a store.

    An item's counters are what a ranker of the space reads of it beside its Semantic ID, such as
    impressions. Names are kept for the record of a user beside them, which the same round trip may
    read; there is none yet.

    Attributes:
        name: The store's URL without credentials, for messages.
        batch_items: Items that one `put` of a large batch had best hold.

    Example:
        ```
        with open_store("redis://localhost:6379/0") as store:
            space = encoder.space()
            store.add_space(space)
            store.put(space.fingerprint, ["item1"], encoder.encode(embeddings))
            store.get(space.fingerprint, ["item1", "item2"])  # [[3, 1, 4], [-1, -1, -1]]
        ```
    """

    batch_items: int

    def __init__(self, name: str):
        self.name = name

    @abc.abstractmethod
    def spaces(self) -> Mapping[str, SidSpace]:
        """The SID spaces that the store holds, by fingerprint.

        Raises:
            StoreError: The store does not answer, as with every method.
        """

    def add_space(self, space: SidSpace) -> None:
        """Makes the namespace of a space; one that is there already stays as it is.

        Raises:
            StoreError: The store holds the fingerprint with another number of levels or codes.
        """
        held = self.spaces().get(space.fingerprint)
        if held is None:
            self._add_space(space)
        elif held != space:
            raise StoreError(
                f"{self.name}: holds SID space {space.fingerprint} with {held.levels} levels of "
                f"{held.codebook_size} codes, not {space.levels} of {space.codebook_size}"
            )

    def put(
        self,
        fingerprint: str,
        item_ids: Sequence[str],
        sids: NDArray[Any],
        checkpoint: Checkpoint | None = None,
        continues: bool = False,
    ) -> None:
        """Writes the Semantic IDs of many items, all or none; an item's earlier one is replaced.

        Args:
            fingerprint: Their space.
            item_ids: N items.
            sids: [N, L] integers, 0 .. K-1.
            checkpoint: How far the batch has come with them; replaces the one before.
            continues: Refuse them where the checkpoint before is of another source: it has begun
                since, and a mix of both would pass for one of them.

        Raises:
            UnknownSpaceError: The store has no such namespace; `add_space` makes it.
            StoreError: Another batch has begun since.
            ValueError: The Semantic IDs do not fit the space, or are not one for each item.
        """
        space = self.spaces().get(fingerprint)
        if space is None:
            raise self._unknown(fingerprint)
        values = SidCodec(space).encode(sids)
        if len(values) != len(item_ids):
            raise ValueError(f"{len(values)} Semantic IDs for {len(item_ids)} items")
        self._put(fingerprint, list(item_ids), values, checkpoint, continues)

    def get(self, fingerprint: str, item_ids: Sequence[str]) -> NDArray[np.int32]:
        """Reads the Semantic IDs of many items.

        Args:
            fingerprint: Their space.
            item_ids: N items, repeated or not.

        Returns:
            [N, L] int32; codes -1 where the store has none.

        Raises:
            UnknownSpaceError: The store has no such namespace.
            StoreError: A value does not fit the space.
        """
        return self._decoded(fingerprint, *self._get(fingerprint, list(item_ids)))

    def put_counters(
        self, fingerprint: str, item_ids: Sequence[str], counters: NDArray[Any]
    ) -> None:
        """Writes the counters of many items, all or none; an item's earlier ones are replaced.

        Args:
            fingerprint: The space.
            item_ids: N items, with a Semantic ID or without.
            counters: [N, C] numbers, which are kept as float32; NaN for one that is not known.

        Raises:
            UnknownSpaceError: The store has no such namespace; `add_space` makes it.
            ValueError: The counters have another shape, or are not of one row for each item.
        """
        if fingerprint not in self.spaces():
            raise self._unknown(fingerprint)
        values = encode_counters(counters)
        if len(values) != len(item_ids):
            raise ValueError(f"{len(values)} rows of counters for {len(item_ids)} items")
        self._put_counters(fingerprint, list(item_ids), values)

    def get_items(self, fingerprint: str, item_ids: Sequence[str], width: int) -> StoredItems:
        """Reads the Semantic IDs and counters of many items, in one round trip.

        Args:
            fingerprint: The space.
            item_ids: N items, repeated or not.
            width: Counters of an item that the caller reads (C).

        Returns:
            What the store has of each. Another number of counters than C, as a ranker of other
            tasks reads them, are none.

        Raises:
            UnknownSpaceError: The store has no such namespace.
            StoreError: A Semantic ID does not fit the space.
        """
        space, sids, counters = self._get_items(fingerprint, list(item_ids))
        return StoredItems(
            self._decoded(fingerprint, space, sids), decode_counters(counters, width)
        )

    @abc.abstractmethod
    def checkpoint(self, fingerprint: str) -> Checkpoint | None:
        """The last checkpoint of a space; None where there is none."""

    @abc.abstractmethod
    def count(self, fingerprint: str) -> int:
        """Number of items that have a Semantic ID of a space."""

    @abc.abstractmethod
    def drop(self, fingerprint: str) -> None:
        """Removes a space with all that it holds; nothing happens where there is none."""

    @abc.abstractmethod
    def close(self) -> None:
        """Closes the connections."""

    def __enter__(self: Store) -> Store:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @abc.abstractmethod
    def _add_space(self, space: SidSpace) -> None:
        """Makes a namespace that is not there."""

    @abc.abstractmethod
    def _put(
        self,
        fingerprint: str,
        item_ids: Sequence[str],
        values: Sequence[bytes],
        checkpoint: Checkpoint | None,
        continues: bool,
    ) -> None:
        """Writes values and checkpoint in one transaction, which may look at the one before."""

    @abc.abstractmethod
    def _get(
        self, fingerprint: str, item_ids: Sequence[str]
    ) -> tuple[SidSpace | None, Sequence[bytes | None]]:
        """Reads the space, None where there is none, and a value or None for each item."""

    @abc.abstractmethod
    def _put_counters(
        self, fingerprint: str, item_ids: Sequence[str], values: Sequence[bytes]
    ) -> None:
        """Writes values in one transaction."""

    @abc.abstractmethod
    def _get_items(
        self, fingerprint: str, item_ids: Sequence[str]
    ) -> tuple[SidSpace | None, Sequence[bytes | None], Sequence[bytes | None]]:
        """As `_get`, with the value of each item's counters, or None, behind it."""

    def _decoded(
        self, fingerprint: str, space: SidSpace | None, values: Sequence[bytes | None]
    ) -> NDArray[Any]:
        if space is None:
            raise self._unknown(fingerprint)
        try:
            return SidCodec(space).decode(values)
        except ValueError as error:
            raise StoreError(f"{self.name}: {error}") from error

    def _require_same_batch(
        self, fingerprint: str, held: Checkpoint | None, mine: Checkpoint
    ) -> None:
        if held is None or held.source != mine.source:
            raise StoreError(
                f"{self.name}: other Semantic IDs are being published into SID space {fingerprint} "
                "since; this publish has ended, and the other one goes on"
            )

    def _unknown(self, fingerprint: str) -> UnknownSpaceError:
        held = ", ".join(sorted(self.spaces())) or "none"
        return UnknownSpaceError(
            f"{self.name}: holds no Semantic IDs of SID space {fingerprint} (it holds {held}); "
            "load them with `sid publish`"
        )
