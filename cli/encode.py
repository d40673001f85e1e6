"""`sid encode`: Semantic IDs of items, in a Beam batch of its own."""

import os
from collections.abc import Sequence
from typing import Any

import rich.console

from semantic_id_ranking.contracts.signatures import require_encoder
from semantic_id_ranking.contracts.version_folders import latest_saved_model
from semantic_id_ranking.pipeline.input_config import ColumnsConfig
from semantic_id_ranking.pipeline.output_folder import require_folder_name
from semantic_id_ranking.pipeline.terminal import logged_to


def encode(
    model: str,
    items: str | Sequence[str],
    output: str,
    columns: ColumnsConfig,
    workers: int,
    earlier: str | None,
    re_encode_all: bool,
    skip_bad: int,
    console: rich.console.Console,
) -> dict[str, Any]:
    """Encodes Parquet files of items.

    Args:
        model: A semantic_id SavedModel, or its base folder, whose latest version is taken.
        items: Items: Parquet files, folders or patterns.
        output: Folder of Parquet files (item_id, sid, embedding_digest); the log is beside it.
        columns: Names of the columns of items.
        workers: Worker processes; one runs within this process.
        earlier: An earlier output, from which items are copied that did not change.
        re_encode_all: Encode these too.
        skip_bad: Bad items that are put aside, at most.
        console: Where to say what was done.

    Returns:
        The same, for `--json`: `output`, `fingerprint`, counts of items, and `rejects`, the path of
        the file of bad items or None.

    Raises:
        InputError: The model, an item or the earlier output is not what it should be.
    """
    require_folder_name(output)
    model = latest_saved_model(model)
    require_encoder(model)
    output = output.rstrip("/") or output
    with logged_to(os.path.abspath(f"{output}.log")):
        from semantic_id_ranking.encoding.batch import encode_parquet

        result = encode_parquet(
            items,
            model,
            output,
            item_id=columns.item_id,
            embedding=columns.embedding,
            workers=workers,
            earlier=earlier,
            re_encode_all=re_encode_all,
            skip_bad=skip_bad,
        )
    count = result.encoded + result.copied
    console.print(
        f"{count} items in SID space {result.space.fingerprint}: {output}\n"
        f"{result.encoded} encoded, {result.copied} copied from the earlier output, "
        f"{result.gone} gone since then, {result.rejected} rejected"
        + (f": {result.rejects}" if result.rejects else ""),
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    return {
        "output": output,
        "fingerprint": result.space.fingerprint,
        "items": count,
        "encoded": result.encoded,
        "copied": result.copied,
        "gone": result.gone,
        "rejected": result.rejected,
        "rejects": result.rejects,
    }
