"""The items: their check before anything runs, and their rows as features."""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timezone

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs import columns
from semantic_id_ranking.inputs import lists
from semantic_id_ranking.inputs import uses
from semantic_id_ranking.inputs.data_set import Block
from semantic_id_ranking.inputs.data_set import DataSet
from semantic_id_ranking.inputs.evaluation_start import check_training
from semantic_id_ranking.inputs.first_impressions import first_impressions
from semantic_id_ranking.inputs.item_parameters import ItemParameters
from semantic_id_ranking.inputs.rejects import Reject
from semantic_id_ranking.inputs.timestamps import to_microseconds
from semantic_id_ranking.inputs.unique import check_unique

#: Items that one worker writes into one file.
BLOCK_ROWS = 1 << 16


@dataclass(frozen=True)
class ItemBlock:
    """Checked items that one worker reads.

    Attributes:
        block: Where they are.
        created_at: Microseconds since the epoch, int64 [rows]. It is here because a file may leave
            it out.
        embedding_dim: Length of every embedding.
        carried: Columns that become features under their own names.
    """

    block: Block
    created_at: np.ndarray
    embedding_dim: int
    carried: Sequence[str]


@dataclass(frozen=True)
class CreationCounts:
    """Creation times that people should look at.

    Attributes:
        missing: Items without one, whose first impression stands for it.
        future: Items created after now.
        before_1970: Items created before 1970.
    """

    missing: int
    future: int
    before_1970: int


def check_columns(items: DataSet, parameters: ItemParameters) -> list[str]:
    """Checks names and types of the columns; the rows are not read.

    Args:
        items: The items.
        parameters: Columns and split.

    Returns:
        Sentences on what people should know: columns that only some files have or that cannot be
        carried along.

    Raises:
        InputError: A column is missing, or of a type that cannot mean what it should.
    """
    items.require(parameters.item_id, uses.IDS, "the id of the item")
    items.require(parameters.embedding, uses.EMBEDDINGS, "the content embedding")
    optional = []
    for column, use, purpose in (
        (parameters.created_at, uses.TIMES, "the time of creation"),
        (parameters.title, uses.CATEGORIES, "the title"),
    ):
        if column is not None and items.has(column):
            items.require(column, use, purpose, everywhere=False)
            optional.append(column)
    notes = items.unlike(optional)
    if not items.has(parameters.created_at):
        notes.append(
            f"{items.name}: no column {parameters.created_at!r}: an item's first impression stands "
            "for its creation."
        )
    taken = {"item_id", "embedding", "created_at"}
    taken |= {"title"} if items.has(parameters.title) else set()
    notes += [
        f"{items.name}: column {name!r} is left out: another column makes the feature of that name."
        for name in sorted(taken - set(parameters.columns()))
        if items.has(name)
    ]
    carried, left_out = _carried(items, parameters)
    return notes + items.unlike(carried) + left_out


def check_ids(items: DataSet, column: str) -> None:
    """Checks the ids alone.

    Args:
        items: The items.
        column: Their column of ids.

    Raises:
        InputError: An id is bad, or comes twice: the first one found is named.
    """
    blocks, all_ids = items.blocks(items.rows), []
    for block in blocks:
        for path, row, batch in block.read({"item_id": (column, uses.IDS)}, 1 << 16):
            ids, bad = columns.ids(batch.column("item_id"))
            _refuse(bad, path, row, column)
            all_ids.append(ids)
    check_unique(pa.chunked_array(all_ids), blocks, column)


def check_items(
    items: DataSet, parameters: ItemParameters, log: DataSet | None
) -> tuple[list[ItemBlock], CreationCounts]:
    """Reads what must be right: ids, embeddings, creation times, types of all columns.

    An item without a creation time (the column is absent, or null in its row) was created when it
    was first impressed; one never impressed counts as created at the start of the evaluation.

    Args:
        items: The items.
        parameters: Columns and split.
        log: The impressions; None where all items say when they were created.

    Returns:
        What `item_features` reads.

    Raises:
        InputError: Something is wrong: the first thing found is named.
    """
    check_columns(items, parameters)
    carried, _ = _carried(items, parameters)
    blocks = items.blocks(BLOCK_ROWS)
    dim, why = parameters.embedding_dim, "the configured length"
    wanted: dict[str, tuple[str | None, uses.Use]] = {
        "item_id": (parameters.item_id, uses.IDS),
        "embedding": (parameters.embedding, uses.EMBEDDINGS),
        "created_at": (parameters.created_at, uses.TIMES),
    }
    all_ids, all_created = [], []
    for block in blocks:
        for path, row, batch in block.read(wanted):
            ids, bad = columns.ids(batch.column("item_id"))
            _refuse(bad, path, row, parameters.item_id)
            column = batch.column("embedding")
            if dim is None:
                dim, why = int(lists.list_lengths(column)[0]), f"as in row 0 of {path}"
            _, bad = lists.embeddings(column, dim, why)
            _refuse(bad, path, row, parameters.embedding, ids)
            created, bad = columns.creation_times(batch.column("created_at"))
            _refuse(bad, path, row, parameters.created_at or "", ids)
            all_ids.append(ids)
            all_created.append(created)
    item_ids = pa.chunked_array(all_ids)
    check_unique(item_ids, blocks, parameters.item_id)
    created = pa.chunked_array(all_created)
    counts = _count(created)
    created_at = _complete(created, item_ids, parameters, log)
    start = to_microseconds(parameters.evaluation_start)
    check_training(created_at.min(), start, items.name, parameters.created_at or "created_at")
    assert dim is not None  # There are items to train on.
    ends = np.cumsum([block.rows for block in blocks])
    return [
        ItemBlock(block, created_at[end - block.rows : end], dim, carried)
        for block, end in zip(blocks, ends, strict=True)
    ], counts


def item_features(
    items: ItemBlock, parameters: ItemParameters
) -> Iterator[tuple[dict[str, pa.Array], np.ndarray]]:
    """Reads checked items.

    Args:
        items: One of `check_items`.
        parameters: Columns and split.

    Yields:
        Features of a batch of rows: `item_id` large_binary; `embedding` large_list<float32>;
        `created_at` int64 microseconds since the epoch; `title` large_binary, if there; the other
        columns under their names. With them, whether each row evaluates (created at or after the
        start of the evaluation), bool [rows].
    """
    start = to_microseconds(parameters.evaluation_start)
    files = [piece.file for piece in items.block.slices]
    has_title = any(parameters.title in file.columns for file in files)
    wanted: dict[str, tuple[str | None, uses.Use]] = {
        "item_id": (parameters.item_id, uses.IDS),
        "embedding": (parameters.embedding, uses.EMBEDDINGS),
    }
    if has_title:
        wanted["title"] = (parameters.title, uses.CATEGORIES)
    wanted |= {name: (name, uses.CARRIED) for name in items.carried}
    row = 0
    for _, _, batch in items.block.read(wanted):
        created_at = items.created_at[row : row + batch.num_rows]
        row += batch.num_rows
        values, _ = lists.embeddings(batch.column("embedding"), items.embedding_dim, "")
        features = {
            "item_id": columns.ids(batch.column("item_id"))[0],
            "embedding": lists.to_lists(values),
            "created_at": pa.array(created_at),
        }
        if has_title:
            features["title"] = columns.categories(batch.column("title"))[0]
        features |= {name: lists.carried(batch.column(name)) for name in items.carried}
        yield features, created_at >= start


def _carried(items: DataSet, parameters: ItemParameters) -> tuple[list[str], list[str]]:
    """Columns that become features under their own names, and a sentence on each other one."""
    taken = ["item_id", "embedding", "created_at"]
    if items.has(parameters.title):
        taken.append("title")
    return items.carried(but=[*taken, *parameters.columns()])


def _refuse(
    bad: columns.Bad, path: str, row: int, column: str, ids: pa.Array | None = None
) -> None:
    for index, what in bad.items():
        item_id = ids[index].as_py().decode() if ids is not None else None
        raise Reject(path, row + index, item_id, column, *what).error()


def _count(created: pa.ChunkedArray) -> CreationCounts:
    now = to_microseconds(datetime.now(timezone.utc))
    return CreationCounts(
        missing=created.null_count,
        future=pc.sum(pc.greater(created, now)).as_py() or 0,
        before_1970=pc.sum(pc.less(created, 0)).as_py() or 0,
    )


def _complete(
    created_at: pa.ChunkedArray,
    item_ids: pa.ChunkedArray,
    parameters: ItemParameters,
    log: DataSet | None,
) -> np.ndarray:
    if created_at.null_count:
        if log is None:
            raise InputError("Items lack a creation time, and no impressions are given.")
        fallback = first_impressions(
            item_ids, log, parameters.impressions_item_id, parameters.impressions_timestamp
        )
        start = pa.scalar(to_microseconds(parameters.evaluation_start), pa.int64())
        created_at = pc.coalesce(created_at.combine_chunks(), fallback, start)
    return created_at.to_numpy()
