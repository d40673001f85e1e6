"""History and counters of a user at the moment of a release, and their form in a store."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADER = np.dtype("<u4")


@dataclasses.dataclass(frozen=True)
class UserRecord:
    """History and counters of a user: of the last h events and m pairs of codes.

    Attributes:
        item_ids: The items of the history [h], most recent first.
        sids: int32 [h, L], their Semantic IDs; codes -1 of an item without one.
        labels: float32 [h, T], the labels of those events, NaN where there was none: of
            `StoredMoment.history_tasks`.
        counters: int64 [C], the user's: the block of `CounterLayout`.
        codes: int32 [m, 2], first two codes of Semantic IDs; a 0 stands behind an only code.
        by_codes: int64 [m, C], counters of the user's impressions of items that begin with them.
    """

    item_ids: Sequence[str]
    sids: NDArray[Any]
    labels: NDArray[Any]
    counters: NDArray[Any]
    codes: NDArray[Any]
    by_codes: NDArray[Any]

    @classmethod
    def nothing(cls, levels: int, width: int) -> "UserRecord":
        """The record of a user who had no impression.

        Args:
            levels: Codes of a Semantic ID (L).
            width: Counters of a key (C).
        """
        return cls(
            [],
            np.zeros((0, levels), np.int32),
            np.zeros((0, 0), np.float32),
            np.zeros(width, np.int64),
            np.zeros((0, 2), np.int32),
            np.zeros((0, width), np.int64),
        )


#: user_id -> record. One for each type of id: the key of a `Mapping` is invariant.
UserRecords = Mapping[str, UserRecord] | Mapping[bytes, UserRecord] | Mapping[int, UserRecord]


def encode_user(record: UserRecord) -> bytes:
    """Packs a record: sizes, then its arrays, little-endian, then the ids."""
    ids = [item.encode() for item in record.item_ids]
    sizes = [len(ids), record.sids.shape[1], record.labels.shape[1], len(record.counters)]
    lengths = [len(one) for one in ids]
    parts = (
        np.array([*sizes, len(record.codes), *lengths], _HEADER),
        *(np.asarray(array, dtype) for array, dtype in zip(_arrays(record), _DTYPES, strict=True)),
    )
    return b"".join([*(part.tobytes() for part in parts), *ids])


def decode_user(value: bytes) -> UserRecord:
    """Unpacks what `encode_user` made.

    Raises:
        ValueError: It is something else.
    """
    head = np.frombuffer(value, _HEADER, 5)
    events, levels, tasks, width, pairs = head.tolist()
    lengths = np.frombuffer(value, _HEADER, events, head.nbytes)
    start = head.nbytes + lengths.nbytes
    shapes = [(events, levels), (events, tasks), (width,), (pairs, 2), (pairs, width)]
    arrays = []
    for shape, dtype in zip(shapes, _DTYPES, strict=True):
        count = int(np.prod(shape))
        arrays.append(np.frombuffer(value, dtype, count, start).reshape(shape))
        start += count * dtype.itemsize
    ends = start + np.cumsum(lengths)
    if len(value) != (ends[-1] if events else start):
        raise ValueError(f"a value of {len(value)} bytes is no record of a user")
    bounds = zip(ends - lengths, ends, strict=True)
    ids = [value[begin:end].decode() for begin, end in bounds]
    sids, labels, counters, codes, by_codes = arrays
    return UserRecord(ids, sids, labels, counters, codes, by_codes)


_DTYPES = tuple(map(np.dtype, ("<i4", "<f4", "<i8", "<i4", "<i8")))


def _arrays(record: UserRecord) -> tuple[NDArray[Any], ...]:
    return (record.sids, record.labels, record.counters, record.codes, record.by_codes)
