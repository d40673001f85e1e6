"""The items, read whole into arrays."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.item_parameters import ItemParameters
from semantic_id_ranking.inputs.items import check_items
from semantic_id_ranking.inputs.items import item_features


@dataclasses.dataclass(frozen=True)
class Items:
    """The items.

    Attributes:
        ids: [N] object (bytes), unique.
        embeddings: float32 [N, D].
        created_at: int64 [N], microseconds since the epoch.
    """

    ids: np.ndarray
    embeddings: np.ndarray
    created_at: np.ndarray


def read_items(items: DataSet, parameters: ItemParameters, log: DataSet | None) -> Items:
    """Reads and checks all items.

    Args:
        items: The items.
        parameters: Columns and split.
        log: The impressions; None where all items say when they were created.

    Raises:
        InputError: Something is wrong: the first thing found is named.
    """
    blocks, _ = check_items(items, parameters, log)
    parts = [features for block in blocks for features, _ in item_features(block, parameters)]
    embeddings = [part["embedding"].flatten().to_numpy() for part in parts]
    return Items(
        ids=_concatenated(parts, "item_id"),
        embeddings=np.concatenate(embeddings).reshape(-1, blocks[0].embedding_dim),
        created_at=_concatenated(parts, "created_at"),
    )


def _concatenated(parts: Sequence[Mapping[str, pa.Array]], name: str) -> np.ndarray:
    return np.concatenate([part[name].to_numpy(zero_copy_only=False) for part in parts])
