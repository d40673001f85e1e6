"""Files of candidates."""

import dataclasses
import os
from collections.abc import Mapping

import numpy as np

from semantic_id_ranking.contracts.errors import InputError


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
            with open(path, encoding="utf-8") as text:
                lines = [line.strip() for line in text if line.strip()]
            if not lines:
                raise InputError(f"{path}: is empty; an item_id a line is needed")
            return cls(lines)
        from semantic_id_ranking.inputs import columns
        from semantic_id_ranking.inputs import uses
        from semantic_id_ranking.inputs.data_set import DataSet
        from semantic_id_ranking.inputs.rejects import Reject

        data = DataSet.open(path)
        data.require("item_id", uses.IDS, "the id of the item")
        wanted = {"item_id": ("item_id", uses.IDS)}
        for name, use in (("embedding", uses.EMBEDDINGS), ("title", uses.CATEGORIES)):
            if data.has(name):
                data.require(name, use, f"the {name}")
                wanted[name] = (name, use)
        item_ids: list[str] = []
        embeddings: dict[str, np.ndarray] = {}
        titles: dict[str, str] = {}
        for block in data.blocks(data.rows):
            for file, row, batch in block.read(wanted):
                ids, bad = columns.ids(batch.column("item_id"))
                for index, what in bad.items():
                    raise Reject(file, row + index, None, "item_id", *what).error()
                texts = [item_id.decode() for item_id in ids.to_pylist()]
                item_ids += texts
                if "embedding" in wanted:
                    values = batch.column("embedding").to_pylist()
                    embeddings |= {
                        i: np.asarray(value, np.float32)
                        for i, value in zip(texts, values, strict=True)
                        if value is not None
                    }
                if "title" in wanted:
                    values = batch.column("title").to_pylist()
                    titles |= {
                        i: value.decode(errors="replace")
                        for i, value in zip(texts, values, strict=True)
                        if value is not None
                    }
        return cls(item_ids, embeddings, titles)
