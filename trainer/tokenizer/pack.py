"""SID tokenizers as bytes."""

import dataclasses
import io
import json
from typing import Any

import numpy as np

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.tokenizer.impressed_items import ImpressedItems
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer


def pack(tokenizer: SidTokenizer) -> bytes:
    """All of a tokenizer as one compressed `.npz`."""
    arrays: dict[str, Any] = {"space": json.dumps(dataclasses.asdict(tokenizer.space))}
    if tokenizer.model is not None:
        arrays["model"] = np.frombuffer(tokenizer.model, np.uint8)
    if tokenizer.codebooks is not None:
        arrays["codebooks"] = tokenizer.codebooks
    if tokenizer.items is not None:
        arrays |= tokenizer.items.arrays()
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def unpack(content: bytes) -> SidTokenizer:
    """Reads what `pack` gave."""
    with np.load(io.BytesIO(content), allow_pickle=False) as loaded:
        arrays = dict(loaded)
    space = SidSpace(**json.loads(str(arrays.pop("space"))))
    model = arrays.pop("model", None)
    codebooks = arrays.pop("codebooks", None)
    return SidTokenizer(
        space,
        None if model is None else model.tobytes(),
        ImpressedItems(**{"item_ids": None, **arrays}) if arrays else None,
        codebooks,
    )
