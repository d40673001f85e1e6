"""`sid check-servable`: a search for ops that TensorFlow Serving lacks."""

from typing import Any

import rich.console
import rich.table

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.version_folders import latest_saved_model

#: Ops of tensorflow_text that tensorflow_model_server links beside TensorFlow's own.
SENTENCEPIECE_OPS = frozenset(
    {
        "SentencepieceDetokenizeOp",
        "SentencepieceIdToStringOp",
        "SentencepieceOp",
        "SentencepieceStringToIdOp",
        "SentencepieceTokenizeOp",
        "SentencepieceTokenizeWithOffsetsOp",
        "SentencepieceVocabSizeOp",
    }
)

#: In the names of ops that call Python, which TensorFlow registers and a model server cannot run.
_PYTHON = "PyFunc"


def check_servable(path: str, console: rich.console.Console) -> dict[str, Any]:
    """Lists the ops of a SavedModel, functions included, and where they come from.

    `tensorflow_model_server` links TensorFlow's own ops, which are those of `tf.raw_ops`, and
    tensorflow_text's SentencePiece ops.

    Args:
        path: A SavedModel, or its base folder, whose latest version is taken.
        console: Where to list them.

    Returns:
        The same, for `--json`: `path` of the SavedModel; `ops`, each with `op`, `nodes` and `of`,
        the library that has it.

    Raises:
        InputError: There is no SavedModel, or it has other ops, or ops that call Python.
    """
    path = latest_saved_model(path)
    console.print(path, highlight=False, markup=False, soft_wrap=True)
    table = rich.table.Table()
    for column in ("op", "nodes", "of"):
        table.add_column(column)
    ops, others = [], []
    for op, (nodes, registered) in sorted(_ops(path).items()):
        origin = _origin(op, registered)
        if origin is None:
            others.append(op)
        table.add_row(op, str(nodes), origin or "not in TensorFlow Serving")
        ops.append({"op": op, "nodes": nodes, "of": origin})
    console.print(table, markup=False)
    if others:
        raise InputError(
            f"{path}: TensorFlow Serving cannot run the ops {', '.join(others)}; use TensorFlow's "
            "own, none that call Python, and of tensorflow_text only SentencePiece's"
        )
    return {"path": path, "ops": ops}


def _origin(op: str, registered: bool) -> str | None:
    if op in SENTENCEPIECE_OPS:
        return "tensorflow_text"
    return "TensorFlow" if registered and _PYTHON not in op else None


def _ops(path: str) -> dict[str, tuple[int, bool]]:
    """Nodes of each op, and whether TensorFlow has it."""
    from google.protobuf.message import DecodeError

    from semantic_id_ranking.cli import servable_ops

    try:
        counts = servable_ops.count_ops(path)
    except DecodeError as error:
        raise InputError(f"{path}/saved_model.pb: is no SavedModel, or a damaged one") from error
    return {op: (nodes, servable_ops.is_of_tensorflow(op)) for op, nodes in counts.items()}
