"""Records sorted on disk, so that memory does not grow with their number."""

import os
from collections.abc import Iterator

import numpy as np

_FILES = 256


class Spill:
    """Records with a key, put away in any order and read back in the order of their keys.

    A record lies in one of 256 files, by the first byte of its key; only one of them is in memory
    at a time. The keys have to be spread evenly, as hashes are.

    Args:
        folder: Made for the files; must not exist.
        dtype: Of a record: a structure with a field "key", uint64.
    """

    def __init__(self, folder: str, dtype: np.dtype):
        os.makedirs(folder)
        self._folder = folder
        self._dtype = dtype

    def add(self, records: np.ndarray) -> None:
        """Puts records [n] away."""
        files = (records["key"] >> np.uint64(56)).astype(np.int64)
        order = np.argsort(files, kind="stable")
        bounds = np.searchsorted(files[order], np.arange(_FILES + 1))
        for number in range(_FILES):
            begin, end = bounds[number], bounds[number + 1]
            if begin < end:
                with open(self._path(number), "ab") as file:
                    records[order[begin:end]].tofile(file)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yields the 256 sorted arrays of `read`, in order."""
        return map(self.read, range(_FILES))

    def read(self, number: int) -> np.ndarray:
        """The records whose key's first byte is a number, sorted; there may be none."""
        path = self._path(number)
        exists = os.path.exists(path)
        records = np.fromfile(path, self._dtype) if exists else np.empty(0, self._dtype)
        return records[np.argsort(records["key"], kind="stable")]

    def _path(self, number: int) -> str:
        return os.path.join(self._folder, f"{number:02x}")
