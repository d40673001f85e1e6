"""Files of candidates."""

import dataclasses
import os
from collections.abc import Mapping

import numpy as np
import pyarrow.parquet as pq

from semantic_id_ranking.components.errors import InputError


@dataclasses.dataclass(frozen=True)
class Candidates:
    """Items to be ranked.

    Attributes:
        item_ids: Their ids.
        embeddings: item_id -> content embedding [D], of those that came with one.
        titles: item_id -> title, of those that came with one.
    """

    item_ids: list[str]
    embeddings: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    titles: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def load(cls, path: str) -> "Candidates":
        """Reads candidates.

        Args:
            path: A text file with an item_id a line, or Parquet with `item_id` and, where there are
                any, `embedding` and `title`.

        Raises:
            InputError: The file is missing, empty or of another form.
        """
        if not os.path.isfile(path):
            raise InputError(f"{path}: no such file")
        if not path.endswith(".parquet"):
            with open(path, encoding="utf-8") as file:
                item_ids = [line.strip() for line in file if line.strip()]
            if not item_ids:
                raise InputError(f"{path}: is empty; an item_id a line is needed")
            return cls(item_ids)
        from semantic_id_ranking.components.parquet.row_group import read_schema

        names = read_schema(path, {"item_id": "the id of the item"}).names
        wanted = [name for name in ("item_id", "embedding", "title") if name in names]
        table = pq.read_table(path, columns=wanted).to_pydict()
        item_ids = [str(item_id) for item_id in table["item_id"]]
        given = {
            name: {
                i: value
                for i, value in zip(item_ids, table[name], strict=True)
                if value is not None
            }
            for name in wanted[1:]
        }
        embeddings = given.get("embedding", {})
        return cls(
            item_ids,
            {i: np.asarray(embedding, np.float32) for i, embedding in embeddings.items()},
            given.get("title", {}),
        )
