"""The Semantic IDs of an earlier run, on disk, for workers to look up."""

import os

import numpy as np

from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.encoding.item_keys import item_keys
from semantic_id_ranking.encoding.spill import Spill

_KEYS = "earlier_keys.bin"
_RECORDS = "earlier_records.bin"


class EarlierSids:
    """Finds an item's Semantic ID by the hash of its id and the digest of its embedding.

    Two ids of one hash do no harm: a Semantic ID depends on the embedding alone.

    Args:
        folder: Where `EarlierWriter` wrote.
        levels: Codes in a Semantic ID.
    """

    def __init__(self, folder: str, levels: int):
        self._keys = _map(os.path.join(folder, _KEYS), np.dtype("<u8"))
        self._records = _map(os.path.join(folder, _RECORDS), record_type(levels))

    def find(self, item_ids: np.ndarray, digests: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Looks items up.

        Args:
            item_ids: [n] object (str).
            digests: int64 [n].

        Returns:
            Which items are as they were, bool [n], and the Semantic IDs int32 [those, L] of these.
        """
        if not len(self._records):
            return np.zeros(len(item_ids), bool), self._records["sid"]
        keys = item_keys(item_ids)
        rows = np.searchsorted(self._keys, keys)
        records = self._records[np.minimum(rows, len(self._records) - 1)]
        same = (records["key"] == keys) & (records["digest"] == digests)
        return same, records["sid"][same]


class EarlierWriter:
    """Writes what `EarlierSids` reads.

    Args:
        folder: An existing folder.
    """

    def __init__(self, folder: str):
        self._folder = folder

    def append(self, records: np.ndarray) -> None:
        """Appends records, whose keys are not below those of the records before."""
        # The keys lie by themselves too: a search among them then touches nothing else.
        for name, values in ((_KEYS, records["key"]), (_RECORDS, records)):
            with open(os.path.join(self._folder, name), "ab") as file:
                values.tofile(file)


def record_type(levels: int) -> np.dtype:
    """The kept record of an item."""
    return np.dtype([("key", "<u8"), ("digest", "<i8"), ("sid", "<i4", (levels,))])


def spill_earlier(path: str, space: SidSpace, any_space: bool, folder: str) -> Spill:
    """Reads an earlier output.

    Args:
        path: A folder of Parquet files, or one such file.
        space: The space of the model at hand.
        any_space: Whether the output may live in another one.
        folder: Made for the records, of `record_type`.

    Raises:
        InputError: It is not such an output, has no digests, or lives in another space.
    """
    try:
        files = sid_table.files(path)
        schemas = [sid_table.read_schema(file) for file in files]
        spaces = [sid_table.space_of(schema) for schema in schemas]
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read as an earlier output of `sid encode`: {error}."
        ) from error
    for file, schema, its_space in zip(files, schemas, spaces, strict=True):
        if its_space.fingerprint != space.fingerprint and not any_space:
            raise InputError(
                f"{file}: lives in SID space {its_space.fingerprint} but the model makes "
                f"{space.fingerprint}; encode without an earlier output or say --re-encode-all."
            )
        if sid_table.DIGEST not in schema.names:
            raise InputError(
                f"{file}: column {sid_table.DIGEST!r} is missing, which tells the changed items; "
                "encode without an earlier output."
            )
    records = record_type(spaces[0].levels)
    spill = Spill(folder, records)
    for item_ids, sids, digests in sid_table.read_batches(files):
        batch = np.empty(len(item_ids), records)
        batch["key"], batch["digest"], batch["sid"] = item_keys(item_ids), digests, sids
        spill.add(batch)
    return spill


def put_earlier(path: str, space: SidSpace, folder: str) -> None:
    """Puts an earlier output where `EarlierSids` finds it.

    Args:
        path: A folder of Parquet files, or one such file.
        space: The space that it has to live in.
        folder: An existing folder.

    Raises:
        InputError: As `spill_earlier`.
    """
    writer = EarlierWriter(folder)
    for records in spill_earlier(path, space, False, os.path.join(folder, "earlier")):
        writer.append(records)


def _map(path: str, dtype: np.dtype) -> np.ndarray:
    """A file as an array; an empty one cannot be mapped."""
    return np.memmap(path, dtype, "r") if os.path.getsize(path) else np.empty(0, dtype)
