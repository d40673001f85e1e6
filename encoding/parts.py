"""Parts of the items, of one output file each."""

import itertools
from collections.abc import Iterator
from collections.abc import Sequence

import pyarrow as pa

from semantic_id_ranking.inputs.data_set import Block
from semantic_id_ranking.inputs.data_set import Slice
from semantic_id_ranking.inputs.read import Columns

# Items in a part, at most: some seconds of work, some megabytes of output.
_MOST_ROWS = 1 << 16
_FEWEST_ROWS = 1024

#: File, row of the file that the batch begins with, batch.
Batch = tuple[str, int, pa.RecordBatch]


def rows_of_part(items: int, workers: int) -> int:
    """The number of items in a part, so that every worker has one if there are enough."""
    return min(_MOST_ROWS, max(_FEWEST_ROWS, -(-items // workers)))


def runs(parts: Sequence[Block], workers: int) -> list[tuple[Block, ...]]:
    """Deals parts out in runs, one a worker.

    Parts that follow each other stay together and are read in one go: to read from the middle of a
    row group, all that lies before has to be skipped over.

    Args:
        parts: Parts, in order.
        workers: Number of runs, at most.
    """
    count = min(workers, len(parts))
    bounds = [len(parts) * i // count for i in range(count + 1)]
    return [tuple(parts[a:b]) for a, b in itertools.pairwise(bounds)]


def read(run: Sequence[Block], columns: Columns) -> Iterator[tuple[Block, Iterator[Batch]]]:
    """Streams the rows of a run.

    Args:
        run: Parts, in order.
        columns: As `Block.read` takes them.

    Yields:
        A part and its batches, to be taken before the next part.

    Raises:
        InputError: The data are damaged.
    """
    batches = Block(0, tuple(_joined(run))).read(columns)
    rest: list[Batch] = []
    for part in run:
        yield part, _take(part.rows, rest, batches)


def _joined(run: Sequence[Block]) -> Iterator[Slice]:
    """The slices of all parts, those that follow each other in a file as one."""
    slices = [piece for part in run for piece in part.slices]
    joined: Slice | None = None
    for piece in slices:
        if joined and joined.file is piece.file and joined.end == piece.begin:
            joined = Slice(piece.file, joined.begin, piece.end)
            continue
        if joined:
            yield joined
        joined = piece
    if joined:
        yield joined


def _take(rows: int, rest: list[Batch], batches: Iterator[Batch]) -> Iterator[Batch]:
    """Batches of the next rows; what is over of the last one is left in `rest`."""
    while rows:
        path, row, batch = rest.pop() if rest else next(batches)
        taken = min(rows, batch.num_rows)
        if taken < batch.num_rows:
            rest.append((path, row + taken, batch.slice(taken)))
        rows -= taken
        yield path, row, batch.slice(0, taken)
