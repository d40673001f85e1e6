"""The file of items: its check before anything runs, and its rows as features."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from datetime import timezone

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.components.parquet import lists
from semantic_id_ranking.components.parquet.columns import categories
from semantic_id_ranking.components.parquet.columns import ids
from semantic_id_ranking.components.parquet.evaluation_start import check_training
from semantic_id_ranking.components.parquet.first_impressions import first_impressions
from semantic_id_ranking.components.parquet.item_parameters import ItemParameters
from semantic_id_ranking.components.parquet.place import Place
from semantic_id_ranking.components.parquet.row_group import list_files
from semantic_id_ranking.components.parquet.row_group import read_schema
from semantic_id_ranking.components.parquet.row_group import row_groups
from semantic_id_ranking.components.parquet.row_group import RowGroup
from semantic_id_ranking.components.parquet.timestamps import timestamps
from semantic_id_ranking.components.parquet.timestamps import to_microseconds


@dataclass(frozen=True)
class ItemBlock:
    """Checked items that one worker reads.

    Attributes:
        group: Where they are.
        created_at: Microseconds since the epoch, int64 [group.rows]. It is here because a file may
            leave it out.
        embedding_dim: Length of every embedding.
    """

    group: RowGroup
    created_at: np.ndarray
    embedding_dim: int


def check_items(pattern: str, parameters: ItemParameters) -> list[ItemBlock]:
    """Reads what must be right: ids, embeddings, creation times, types of all columns.

    An item without a creation time (the column is absent, or null in its row) was created when it
    was first impressed; one never impressed counts as created at the start of the evaluation.

    Args:
        pattern: The items, a path or a glob pattern.
        parameters: Columns and split.

    Returns:
        What `item_features` reads.

    Raises:
        InputError: Something is wrong: the first thing found is named.
    """
    now = datetime.now(timezone.utc)
    files = list_files(pattern)
    for path in files:
        _check_schema(path, parameters)
    groups = row_groups(files)
    dim, why = parameters.embedding_dim, "the configured length"
    all_ids, all_created = [], []
    for group in groups:
        known = _known_columns(group.path, parameters)
        for row, batch in group.read(known):
            places = {name: Place(group.path, name, row) for name in known}
            all_ids.append(ids(batch.column(parameters.item_id), places[parameters.item_id]))
            column = batch.column(parameters.embedding)
            if dim is None:
                dim = int(lists.list_lengths(column)[0]) if lists.is_list(column.type) else 0
                why = f"as in row 0 of {group.path}"
            lists.embeddings(column, places[parameters.embedding], dim, why)
            if parameters.created_at in known:
                place = places[parameters.created_at]
                times = timestamps(batch.column(parameters.created_at), place, now)
            else:
                times = pa.nulls(batch.num_rows, pa.int64())
            all_created.append(times)
    item_ids = pa.chunked_array(all_ids)
    check_unique(item_ids, groups, parameters.item_id)
    created_at = _complete(pa.chunked_array(all_created), item_ids, parameters, now)
    start = to_microseconds(parameters.evaluation_start)
    check_training(created_at.min(), start, pattern, parameters.created_at or "created_at")
    ends = np.cumsum([group.rows for group in groups])
    return [
        ItemBlock(group, created_at[end - group.rows : end], dim)
        for group, end in zip(groups, ends, strict=True)
    ]


def item_features(
    block: ItemBlock, parameters: ItemParameters
) -> Iterator[tuple[dict[str, pa.Array], np.ndarray]]:
    """Reads checked items.

    Args:
        block: One of `check_items`.
        parameters: Columns and split.

    Yields:
        Features of a batch of rows: `item_id` large_binary; `embedding` large_list<float32>;
        `created_at` int64 microseconds since the epoch; `title` large_binary, if there; the other
        columns under their names. With them, whether each row evaluates (created at or after the
        start of the evaluation), bool [rows].
    """
    start = to_microseconds(parameters.evaluation_start)
    path = block.group.path
    schema = read_schema(path, {})
    carried = carried_columns(schema, parameters)
    known = [parameters.item_id, parameters.embedding]
    if parameters.title in schema.names:
        known.append(parameters.title)
    for row, batch in block.group.read([*known, *carried]):
        begin = row - block.group.first_row
        created_at = block.created_at[begin : begin + batch.num_rows]
        features = {
            "item_id": ids(batch.column(parameters.item_id), Place(path, parameters.item_id, row)),
            "embedding": lists.embeddings(
                batch.column(parameters.embedding),
                Place(path, parameters.embedding, row),
                block.embedding_dim,
                "the length of the others",
            ),
            "created_at": pa.array(created_at),
        }
        if parameters.title in schema.names:
            place = Place(path, parameters.title, row)
            features["title"] = categories(batch.column(parameters.title), place)
        features |= {name: lists.carried(batch.column(name)) for name in carried}
        yield features, created_at >= start


def carried_columns(schema: pa.Schema, parameters: ItemParameters) -> list[str]:
    """Columns that become features under their own names.

    Args:
        schema: The file's.
        parameters: The columns that have a meaning.

    Returns:
        All other columns, but for those whose name is taken by a feature made from another column.
    """
    taken = {"item_id", "embedding", "created_at"}
    if parameters.title in schema.names:
        taken.add("title")
    return [name for name in schema.names if name not in taken | set(parameters.columns())]


def check_unique(item_ids: pa.ChunkedArray, groups: list[RowGroup], column: str) -> None:
    """Refuses an id that comes twice.

    Args:
        item_ids: All ids, in the order of the files' rows.
        groups: The row groups they come from.
        column: Their column, for the message.

    Raises:
        InputError: An item comes again.
    """
    encoded = item_ids.combine_chunks().dictionary_encode()
    # Codes are given in the order of appearance: a new id has a code above all before it.
    codes = encoded.indices.to_numpy()
    highest = np.maximum.accumulate(codes)
    repeated = codes[1:] <= highest[:-1]
    if not repeated.any():
        return
    second = int(repeated.argmax()) + 1
    first = int((codes == codes[second]).argmax())
    (path, row), (first_path, first_row) = _locate(second, groups), _locate(first, groups)
    item = item_ids[second].as_py().decode()
    raise Place(path, column, row).error(
        0,
        f"{item!r} again, first in row {first_row}"
        + (f" of {first_path}" if first_path != path else ""),
        "each item once",
    )


def _check_schema(path: str, parameters: ItemParameters) -> None:
    schema = read_schema(
        path,
        {
            parameters.item_id: "the id of the item",
            parameters.embedding: "the content embedding",
        },
    )
    if parameters.created_at not in schema.names:
        logging.warning(
            "%s: no column %r: an item's first impression stands for its creation.",
            path,
            parameters.created_at,
        )
    carried = carried_columns(schema, parameters)
    for name in carried:
        lists.check_carried(schema.field(name).type, Place(path, name))
    for name in set(schema.names) - set(carried) - set(parameters.columns()):
        logging.warning(
            "%s: column %r is not carried along: another column makes the feature of that name.",
            path,
            name,
        )
    if parameters.title in schema.names:
        place = Place(path, parameters.title)
        categories(pa.nulls(0, schema.field(parameters.title).type), place)


def _known_columns(path: str, parameters: ItemParameters) -> list[str]:
    known = [parameters.item_id, parameters.embedding]
    if parameters.created_at in read_schema(path, {}).names:
        known.append(parameters.created_at)
    return known


def _locate(position: int, groups: list[RowGroup]) -> tuple[str, int]:
    for group in groups:
        if position < group.rows:
            return group.path, group.first_row + position
        position -= group.rows
    raise IndexError(position)


def _complete(
    created_at: pa.ChunkedArray,
    item_ids: pa.ChunkedArray,
    parameters: ItemParameters,
    now: datetime,
) -> np.ndarray:
    if created_at.null_count:
        fallback = first_impressions(
            item_ids,
            parameters.impressions_path,
            parameters.impressions_item_id,
            parameters.impressions_timestamp,
            now,
        )
        start = pa.scalar(to_microseconds(parameters.evaluation_start), pa.int64())
        created_at = pc.coalesce(created_at.combine_chunks(), fallback, start)
    return created_at.to_numpy()
