"""Semantic IDs of Parquet files of items, without TFX around it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.file_digests import check_file_digests
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.contracts.signatures import require_encoder
from semantic_id_ranking.contracts.version_folders import latest_saved_model
from semantic_id_ranking.encoding import item_keys
from semantic_id_ranking.encoding.beam_workers import encode_parts
from semantic_id_ranking.encoding.earlier import EarlierWriter
from semantic_id_ranking.encoding.earlier import spill_earlier
from semantic_id_ranking.encoding.encode_parts import EncodeJob
from semantic_id_ranking.encoding.item_check import ItemCheck
from semantic_id_ranking.encoding.output_folder import OutputFolder
from semantic_id_ranking.encoding.parts import rows_of_part
from semantic_id_ranking.encoding.spill import Spill
from semantic_id_ranking.encoding.staging import Staging
from semantic_id_ranking.inputs import uses
from semantic_id_ranking.inputs.data_set import Block
from semantic_id_ranking.inputs.data_set import DataSet


@dataclass(frozen=True)
class Encoded:
    """The counts of a run.

    Attributes:
        space: The SID space of the output.
        encoded: Items that were encoded.
        copied: Items copied from the earlier output.
        gone: Items of the earlier output that the input has no more.
        rejected: Bad items.
        rejects: Path of the file of these, if there are any.
    """

    space: SidSpace
    encoded: int
    copied: int
    gone: int
    rejected: int
    rejects: str | None


def encode_parquet(
    items: str | Sequence[str],
    model: str,
    output: str,
    *,
    item_id: str = "item_id",
    embedding: str = "embedding",
    workers: int = 1,
    earlier: str | None = None,
    re_encode_all: bool = False,
    skip_bad: int = 0,
    part_rows: int | None = None,
) -> Encoded:
    """Gives the items of Parquet files their Semantic IDs; `sid encode` does nothing else.

    Memory does not grow with the number of items. The output appears when it is complete; until
    then an earlier one stays.

    >>> encode_parquet("items.parquet", "serving/semantic_id", "sids")  # doctest: +SKIP
    Encoded(space=SidSpace(...), encoded=9065, copied=0, gone=0, rejected=0, rejects=None)

    Args:
        items: Paths of the items: Parquet files, folders or patterns.
        model: A semantic_id SavedModel, such as `SemanticIds.save` writes, or its base folder,
            whose latest version is taken.
        output: Folder of Parquet files (item_id, sid, embedding_digest), made or replaced.
        item_id: Column of unique ids.
        embedding: Column of content embeddings.
        workers: Worker processes; one runs within this process.
        earlier: An earlier output, from which the Semantic IDs of items are copied whose content
            embeddings are as they were.
        re_encode_all: Encode all items nevertheless; the earlier output may then live in another
            SID space.
        skip_bad: Bad items, at most, that are put aside.
        part_rows: Items in a file of the output; None chooses.

    Raises:
        InputError: A file or an item is wrong, or the model is damaged or no encoder.
        RuntimeError: Workers died too often.
    """
    model = latest_saved_model(model)
    require_encoder(model)
    check_file_digests(model)
    space = SidSpace.load(f"{model}/assets.extra")
    dim = space.embedding_dim
    if dim is None:
        raise InputError(
            f"{model}: its sid_space.json has no embedding_dim, the length of the embeddings that "
            "it encodes; name a semantic_id model"
        )
    folder = OutputFolder(output)
    data = DataSet.open(items)
    data.require(item_id, uses.IDS, "the id of the item")
    data.require(embedding, uses.EMBEDDINGS, "the content embedding")
    parts = data.blocks(part_rows or rows_of_part(data.rows, workers))
    with folder.staging() as path:
        known = None
        if earlier:
            known = spill_earlier(earlier, space, re_encode_all, os.path.join(path, "earlier"))
        gone = _check_ids(data.blocks(data.rows), item_id, skip_bad > 0, known, path)
        staging = Staging(path, len(parts))
        job = EncodeJob(
            model=os.path.abspath(model),
            space=space,
            check=ItemCheck(item_id, embedding, dim),
            skip_bad=skip_bad,
            copy=bool(earlier) and not re_encode_all,
            staging=staging,
        )
        encode_parts(job, parts, workers)
        if error := staging.error():
            raise InputError(error)
        counts = staging.counts()
        if counts["rejected"] > skip_bad:
            raise InputError(
                f"{data.name}: {counts['rejected']} items are bad, expected at most "
                f"{skip_bad} (--skip-bad)."
            )
        rejects = staging.write_rejects() if counts["rejected"] else None
        folder.publish(staging.table, rejects)
    return Encoded(
        space=space,
        encoded=counts["items"] - counts["copied"],
        copied=counts["copied"],
        gone=gone,
        rejected=counts["rejected"],
        rejects=folder.rejects if rejects else None,
    )


def _check_ids(
    blocks: Sequence[Block], id_column: str, skips_bad: bool, earlier: Spill | None, folder: str
) -> int:
    """Checks that ids are unique, and puts the earlier output where workers look it up.

    Returns:
        Number of earlier items that are gone.

    Raises:
        InputError: An item comes twice.
    """
    ids = Spill(os.path.join(folder, "ids"), item_keys.KEYS)
    for _, texts, _ in item_keys.read_ids(blocks, id_column, skips_bad):
        ids.add(item_keys.item_keys(texts).view(item_keys.KEYS))
    suspects, gone = [], 0
    writer = EarlierWriter(folder)
    for number, records in enumerate(ids):
        suspects.append(item_keys.repeated(records["key"]))
        if earlier:
            before = earlier.read(number)
            gone += int((~np.isin(before["key"], records["key"])).sum())
            writer.append(before)
    suspects = np.concatenate(suspects)
    if len(suspects):
        item_keys.check_unique(blocks, id_column, suspects)
    return gone
