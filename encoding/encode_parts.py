"""Beam: parts of the items to one Parquet file each."""

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.encoding import parts as parts_lib
from semantic_id_ranking.encoding.item_check import ItemCheck
from semantic_id_ranking.encoding.staging import Staging
from semantic_id_ranking.inputs.data_set import Block
from semantic_id_ranking.inputs.rejects import Reject
from semantic_id_ranking.inputs.rejects import require_at_most
from semantic_id_ranking.inputs.rejects import to_table


@dataclass(frozen=True)
class EncodeJob:
    """The parameters of a worker.

    Attributes:
        model: Directory of the semantic_id SavedModel.
        space: Its space.
        check: Checks the items.
        skip_bad: Bad items that are put aside, at most.
        copy: Whether items that are as in the earlier output are copied from it.
        staging: Where parts are written.
    """

    model: str
    space: SidSpace
    check: ItemCheck
    skip_bad: int
    copy: bool
    staging: Staging


class EncodeParts(beam.DoFn):
    """Encodes runs of parts.

    A part's file appears whole or not at all, and a part that is done twice replaces its own file:
    it does not matter how often a runner, or whoever starts it, tries.

    Args:
        job: What to do.
    """

    def __init__(self, job: EncodeJob):
        self._job = job

    def setup(self) -> None:
        """Loads the model, once a worker."""
        # TensorFlow takes seconds to import: only workers do.
        from semantic_id_ranking.encoding.item_encoder import ItemEncoder

        job = self._job
        self._encoder = ItemEncoder(job.model, job.space, job.staging.folder if job.copy else None)

    def process(self, run: Sequence[Block]) -> None:
        """Encodes a run, of `parts.runs`; an error of the input is left in the staging folder."""
        job = self._job
        try:
            for part, batches in parts_lib.read(run, job.check.columns):
                if job.staging.error():
                    return
                self._encode(part, batches)
        except InputError as error:
            job.staging.set_error(str(error))

    def _encode(self, part: Block, batches: Iterable[parts_lib.Batch]) -> None:
        tables, copied = [], 0
        rejected: list[Reject] = []
        for path, row, batch in batches:
            item_ids, embeddings, bad = self._job.check(path, row, batch)
            rejected += bad
            require_at_most(rejected, self._job.skip_bad, "items")
            table, count = self._encoder(item_ids, embeddings)
            tables.append(table)
            copied += count
        self._job.staging.commit(
            part.number,
            pa.concat_tables(tables),
            to_table(rejected),
            {"items": sum(map(len, tables)), "copied": copied, "rejected": len(rejected)},
        )
