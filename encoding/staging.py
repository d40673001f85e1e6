"""The folder in which an output grows until it is complete."""

import glob
import json
import os
from collections import Counter
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from semantic_id_ranking.inputs.rejects import REJECTS

#: Names of the files of an output, a regular expression.
PART_NAME = r"part-\d{5,}-of-\d{5,}\.parquet"
_ERROR = "error.txt"


@dataclass(frozen=True)
class Staging:
    """Files that appear under their names only when they are complete.

    Attributes:
        folder: An existing folder, on the file system of the output, that workers share.
        parts: Number of parts that the output will have.
    """

    folder: str
    parts: int

    @property
    def table(self) -> str:
        """Folder of the parts, the output to be."""
        return os.path.join(self.folder, "table")

    def commit(
        self, number: int, table: pa.Table, rejects: pa.Table, counts: Mapping[str, int]
    ) -> None:
        """Writes a part.

        Args:
            number: Of the part.
            table: Its Semantic IDs.
            rejects: Its bad items, of the schema `REJECTS`.
            counts: What was counted; once they are written the part is done.
        """
        os.makedirs(self.table, exist_ok=True)
        name = f"part-{number:05d}-of-{self.parts:05d}.parquet"
        self._write(os.path.join("table", name), lambda path: pq.write_table(table, path))
        if len(rejects):
            self._write(f"rejects-{number:05d}.parquet", lambda path: pq.write_table(rejects, path))
        self._write(f"done-{number:05d}.json", lambda path: _write_text(path, json.dumps(counts)))

    def done(self) -> set[int]:
        """Numbers of the parts that are done."""
        return {
            int(path[path.rindex("-") + 1 : -len(".json")]) for path in self._glob("done-*.json")
        }

    def counts(self) -> Counter[str]:
        """The sum of the counts of all parts."""
        total: Counter[str] = Counter()
        for path in self._glob("done-*.json"):
            with open(path, encoding="utf-8") as file:
                total.update(json.load(file))
        return total

    def set_error(self, message: str) -> None:
        """Says that the input is wrong; workers stop at their next part."""
        self._write(_ERROR, lambda path: _write_text(path, message))

    def error(self) -> str | None:
        """The error of the input, if a worker reported one."""
        path = os.path.join(self.folder, _ERROR)
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as file:
            return file.read()

    def write_rejects(self) -> str:
        """Writes the bad items of all parts into one file, and returns its path."""
        path = os.path.join(self.folder, "rejects.parquet")
        with pq.ParquetWriter(path, REJECTS) as writer:
            for part in self._glob("rejects-*.parquet"):
                writer.write_table(pq.ParquetFile(part).read())
        return path

    def _write(self, name: str, write: Callable[[str], None]) -> None:
        path = os.path.join(self.folder, name)
        # Hidden, and of this process: one that was killed may have left its own.
        temporary = os.path.join(self.folder, f".{os.path.basename(name)}.{os.getpid()}")
        write(temporary)
        os.replace(temporary, path)

    def _glob(self, pattern: str) -> list[str]:
        return sorted(glob.glob(os.path.join(glob.escape(self.folder), pattern)))


def _write_text(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
