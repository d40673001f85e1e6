"""`sid encode`: Semantic IDs of items, in a Beam batch of its own."""

import os

import rich.console

from components.errors import InputError
from pipeline.config import ColumnsConfig
from pipeline.terminal import logged_to


def encode(
    model: str,
    items: str,
    output: str,
    columns: ColumnsConfig,
    workers: int,
    console: rich.console.Console,
) -> None:
    """Encodes a Parquet file of items.

    Args:
        model: A semantic_id SavedModel, or its base folder, whose latest version is taken.
        items: Parquet file, or pattern of files, of items.
        output: Beginning of the names of the Parquet files made, (item_id, sid), and of the log.
        columns: Names of the columns of items.
        workers: Worker processes; one runs within this process.
        console: Where to say what was done.

    Raises:
        InputError: The model or an item is not what it should be.
    """
    model = _version(model)
    with logged_to(os.path.abspath(f"{output}.log")):
        from components.semantic_id_gen.batch import encode_parquet

        count, space = encode_parquet(
            model, items, output, columns.item_id, columns.embedding, workers
        )
    console.print(
        f"{count} items encoded into SID space {space.fingerprint}: {output}-*.parquet",
        highlight=False,
    )


def _version(path: str) -> str:
    """The SavedModel at a path, or the latest version below it."""
    versions = [name for name in os.listdir(path) if name.isdigit()] if os.path.isdir(path) else []
    candidate = os.path.join(path, max(versions, key=int)) if versions else path
    if not os.path.isfile(os.path.join(candidate, "saved_model.pb")):
        raise InputError(f"{path}: holds no SavedModel; name one, or its base folder")
    return candidate
