"""Beam: impression counts of items."""

from collections.abc import Iterator

import apache_beam as beam
import numpy as np
import pyarrow as pa

from semantic_id_ranking.components import examples as examples_lib


class CountItems(beam.PTransform):
    """Record batches with a feature `item_id` in; (item_id, impressions) out, each item once."""

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """Counts within each batch, then over all."""
        return batches | beam.FlatMap(_count_batch) | beam.CombinePerKey(sum)


def _count_batch(batch: pa.RecordBatch) -> Iterator[tuple[bytes, int]]:
    ids, counts = np.unique(examples_lib.scalars(batch, "item_id", b""), return_counts=True)
    yield from zip(ids.tolist(), counts.tolist(), strict=True)
