"""`sid encode`: Semantic IDs of items, in a Beam batch of its own."""

import os
from collections.abc import Sequence
from typing import Any

import rich.console
from google.protobuf.message import DecodeError

from semantic_id_ranking.cli.signatures import signature_names
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.version_folders import version_folders
from semantic_id_ranking.pipeline.config import ColumnsConfig
from semantic_id_ranking.pipeline.output_folder import require_folder_name
from semantic_id_ranking.pipeline.terminal import logged_to

_ENCODE = "encode"
_RANK = "rank"


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
    _require_encoder(model)
    output = output.rstrip("/") or output
    with logged_to(os.path.abspath(f"{output}.log")):
        from semantic_id_ranking.encoding.batch import encode_parquet
        from semantic_id_ranking.encoding.batch import EncodeOptions

        result = encode_parquet(
            model,
            items,
            output,
            columns.item_id,
            columns.embedding,
            workers,
            EncodeOptions(earlier, re_encode_all, skip_bad),
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


def _require_encoder(saved_model: str) -> None:
    """Refuses a SavedModel that encodes nothing, such as a ranker."""
    try:
        names = signature_names(saved_model)
    except DecodeError:
        raise InputError(f"{saved_model}: its saved_model.pb is no SavedModel") from None
    if _ENCODE not in names:
        kind = "is a ranker" if _RANK in names else "is no model that encodes"
        held = ", ".join(sorted(n for n in names if not n.startswith("__"))) or "no signature"
        raise InputError(
            f"{saved_model}: {kind} (it has {held}); sid encode needs a semantic_id model, whose "
            f"signature is {_ENCODE}"
        )


def latest_saved_model(path: str) -> str:
    """The SavedModel at a path, or the latest version below it.

    Raises:
        InputError: There is none.
    """
    versions = version_folders(path) if os.path.isdir(path) else {}
    candidate = versions[max(versions)] if versions else path
    if not os.path.isfile(os.path.join(candidate, "saved_model.pb")):
        raise InputError(f"{path}: holds no SavedModel; name one, or its base folder")
    return candidate
