"""The interface of all stores of Semantic IDs."""

import abc
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.item_ids import ItemId
from semantic_id_ranking.serving.item_ids import to_text_keys
from semantic_id_ranking.serving.item_ids import to_texts
from semantic_id_ranking.serving.store.by_item import by_item
from semantic_id_ranking.serving.store.checkpoint import Checkpoint
from semantic_id_ranking.serving.store.counter_codec import decode_counters
from semantic_id_ranking.serving.store.counter_codec import encode_counters
from semantic_id_ranking.serving.store.errors import StoreError
from semantic_id_ranking.serving.store.errors import UnknownSpaceError
from semantic_id_ranking.serving.store.sid_codec import SidCodec
from semantic_id_ranking.serving.store.stored_items import StoredItems
from semantic_id_ranking.serving.store.stored_moment import StoredMoment
from semantic_id_ranking.serving.store.user_record import decode_user
from semantic_id_ranking.serving.store.user_record import encode_user
from semantic_id_ranking.serving.store.user_record import UserRecords

#: Kinds of what a namespace holds, each with keys of its own: items, items, users, and one key.
SID, COUNTER, USER, MOMENT = "sid", "counter", "user", "moment"
_MOMENT_KEY = "last"

Store = TypeVar("Store", bound="SidStore")


class SidStore(abc.ABC):
    """Semantic IDs and counters by item, in a namespace for each SID space.

    The namespace is the space's fingerprint: two spaces live side by side while rankers change over
    from one to the other. Each keeps the number of levels and codes of its space, and values that
    do not fit them are refused. Threads may share a store.

    An item's counters are what a ranker of the space reads of it beside its Semantic ID, such as
    impressions. Users have records of their own beside them, with history and counters, which the
    same round trip reads.

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
        item_ids: Sequence[ItemId],
        sids: NDArray[Any],
        checkpoint: Checkpoint | None = None,
        continues: bool = False,
        counters: NDArray[Any] | None = None,
    ) -> None:
        """Writes the Semantic IDs of many items, all or none; an item's earlier one is replaced.

        Args:
            fingerprint: Their space.
            item_ids: N items; an integer stands for its decimal digits, bytes for UTF-8 text, as
                wherever ids are taken.
            sids: [N, L] integers, 0 .. K-1.
            checkpoint: How far the batch has come with them; replaces the one before.
            continues: Refuse them where the checkpoint before is of another source: it has begun
                since, and a mix of both would pass for one of them.
            counters: As of `put_counters`, in the same transaction; None: they stay as they are.

        Raises:
            UnknownSpaceError: The store has no such namespace; `add_space` makes it.
            StoreError: Another batch has begun since.
            ValueError: Semantic IDs or counters do not fit the space, or are not one for each item,
                or an id is of another type, as with every method.
        """
        space = self._require_space(fingerprint)
        values = {SID: by_item(item_ids, SidCodec(space).encode(sids), "Semantic IDs")}
        if counters is not None:
            values[COUNTER] = by_item(item_ids, encode_counters(counters), "rows of counters")
        self._write(fingerprint, values, checkpoint, continues)

    def get(self, fingerprint: str, item_ids: Sequence[ItemId]) -> NDArray[np.int32]:
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
        space, (sids,) = self._read(fingerprint, [(SID, to_texts("item_ids", item_ids))])
        return self._decoded(fingerprint, space, sids)

    def put_counters(
        self, fingerprint: str, item_ids: Sequence[ItemId], counters: NDArray[Any]
    ) -> None:
        """Writes the counters of many items, all or none; an item's earlier ones are replaced.

        Args:
            fingerprint: The space.
            item_ids: N items, with a Semantic ID or without.
            counters: [N, C] numbers, which are kept as float32; NaN for one that is not known.
        """
        self._require_space(fingerprint)
        values = by_item(item_ids, encode_counters(counters), "rows of counters")
        self._write(fingerprint, {COUNTER: values})

    def put_users(
        self,
        fingerprint: str,
        users: UserRecords,
        checkpoint: Checkpoint | None = None,
        continues: bool = False,
    ) -> None:
        """Writes the records of many users, all or none; a user's earlier one is replaced.

        Args:
            fingerprint: The space of the Semantic IDs in the records.
            users: user_id -> record.
            checkpoint: As of `put`, as are the errors.
            continues: As of `put`.
        """
        records = to_text_keys("users", users)
        self._require_space(fingerprint)
        values = {user: encode_user(record) for user, record in records.items()}
        self._write(fingerprint, {USER: values}, checkpoint, continues)

    def put_moment(self, fingerprint: str, moment: StoredMoment) -> None:
        """Writes of which moment counters and users are, once all of them are there."""
        self._require_space(fingerprint)
        self._write(fingerprint, {MOMENT: {_MOMENT_KEY: moment.to_bytes()}})

    def get_items(
        self, fingerprint: str, item_ids: Sequence[ItemId], width: int, user: ItemId | None = None
    ) -> StoredItems:
        """Reads Semantic IDs and counters of many items and the record of a user, as of one moment.

        It takes one round trip.

        Args:
            fingerprint: The space.
            item_ids: N items, repeated or not.
            width: Counters of an item that the caller reads (C).
            user: The user; None asks for none.

        Returns:
            What the store has of each. Another number of counters than C, as a ranker of other
            tasks reads them, are none.

        Raises:
            UnknownSpaceError: The store has no such namespace.
            StoreError: A Semantic ID does not fit the space, or a record is damaged.
        """
        item_ids = to_texts("item_ids", item_ids)
        users = [] if user is None else to_texts("user", [user])
        keys = [(SID, item_ids), (COUNTER, item_ids), (USER, users), (MOMENT, [_MOMENT_KEY])]
        space, (sids, counters, records, moments) = self._read(fingerprint, keys)
        decoded = self._decoded(fingerprint, space, sids)
        try:
            record = next((decode_user(one) for one in records if one is not None), None)
        except ValueError as error:
            raise StoreError(f"{self.name}: {error}") from error
        moment = next((StoredMoment.from_bytes(one) for one in moments if one is not None), None)
        counted = np.array([one is not None for one in counters], bool)
        return StoredItems(decoded, decode_counters(counters, width), counted, record, moment)

    @abc.abstractmethod
    def checkpoint(self, fingerprint: str) -> Checkpoint | None:
        """The last checkpoint of a space; None where there is none."""

    def count(self, fingerprint: str) -> int:
        """Number of items that have a Semantic ID of a space."""
        return self._count(fingerprint, SID)

    def count_users(self, fingerprint: str) -> int:
        """Number of users that have a record in a space."""
        return self._count(fingerprint, USER)

    @abc.abstractmethod
    def keep_users(self, fingerprint: str, kept: Collection[str]) -> None:
        """Removes the records of all users of a space but these."""

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
    def _write(
        self,
        fingerprint: str,
        values: Mapping[str, Mapping[str, bytes]],
        checkpoint: Checkpoint | None = None,
        continues: bool = False,
    ) -> None:
        """Writes kind -> key -> value and a checkpoint, in one transaction that may look at it."""

    @abc.abstractmethod
    def _read(
        self, fingerprint: str, keys: Sequence[tuple[str, Sequence[str]]]
    ) -> tuple[SidSpace | None, Sequence[Sequence[bytes | None]]]:
        """Reads the space, None where there is none, and of each kind a value or None by key.

        All of it is as of one moment.
        """

    @abc.abstractmethod
    def _count(self, fingerprint: str, kind: str) -> int:
        """Number of keys of a kind."""

    def _require_space(self, fingerprint: str) -> SidSpace:
        space = self.spaces().get(fingerprint)
        if space is None:
            raise self._unknown(fingerprint)
        return space

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
