"""Items cut into parts: what one output file holds, and what a killed worker loses at most."""

import itertools
import operator
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from semantic_id_ranking.components.parquet.row_group import RowGroup

# Items in a part, at most: some seconds of work, some megabytes of output.
_MOST_ROWS = 1 << 16
_FEWEST_ROWS = 1024


@dataclass(frozen=True)
class Slice:
    """Rows of one row group.

    Attributes:
        group: The row group.
        begin: Row of the file that the slice begins with.
        end: Row of the file before which it ends.
    """

    group: RowGroup
    begin: int
    end: int


@dataclass(frozen=True)
class Part:
    """Rows that make one output file.

    Attributes:
        number: Counted from 0.
        slices: Where the rows are, in order.
    """

    number: int
    slices: tuple[Slice, ...]


def part_rows(items: int, workers: int) -> int:
    """How many items make a part, so that every worker has one if there are enough."""
    return min(_MOST_ROWS, max(_FEWEST_ROWS, -(-items // workers)))


def split(groups: Iterable[RowGroup], rows: int) -> list[Part]:
    """Cuts row groups, which may be larger or smaller than a part, into parts.

    Args:
        groups: All row groups, in order.
        rows: Rows of every part but the last.
    """
    parts, slices, room = [], [], rows
    for group in groups:
        row, end = group.first_row, group.first_row + group.rows
        while row < end:
            cut = min(end, row + room)
            slices.append(Slice(group, row, cut))
            room -= cut - row
            row = cut
            if not room:
                parts.append(Part(len(parts), tuple(slices)))
                slices, room = [], rows
    if slices:
        parts.append(Part(len(parts), tuple(slices)))
    return parts


def runs(parts: Sequence[Part], workers: int) -> list[tuple[Part, ...]]:
    """Deals parts out in runs, one a worker.

    Parts that follow each other stay together: a row group can only be read from its start on, so
    each run that starts within one reads over what lies before.

    Args:
        parts: Parts, in order.
        workers: Number of runs, at most.
    """
    count = min(workers, len(parts))
    bounds = [len(parts) * i // count for i in range(count + 1)]
    return [tuple(parts[a:b]) for a, b in itertools.pairwise(bounds)]


def read(
    run: Sequence[Part], columns: Sequence[str]
) -> Iterator[tuple[Part, Iterator[tuple[str, int, pa.RecordBatch]]]]:
    """Streams the rows of a run.

    Args:
        run: Parts that follow each other.
        columns: Names of columns.

    Yields:
        A part and its batches, to be taken before the next part: file, row of the file that the
        batch begins with, batch.

    Raises:
        InputError: The data are damaged.
    """
    for part, pieces in itertools.groupby(_pieces(run, columns), key=operator.itemgetter(0)):
        yield part, (piece[1:] for piece in pieces)


def _pieces(
    run: Sequence[Part], columns: Sequence[str]
) -> Iterator[tuple[Part, str, int, pa.RecordBatch]]:
    slices = [(part, piece) for part in run for piece in part.slices]
    for group, of_group in itertools.groupby(slices, key=lambda pair: pair[1].group):
        of_group = list(of_group)
        last = of_group[-1][1].end
        for row, batch in group.read(columns):
            for part, piece in of_group:
                begin, end = max(row, piece.begin), min(row + batch.num_rows, piece.end)
                if begin < end:
                    yield part, group.path, begin, batch.slice(begin - row, end - begin)
            if row + batch.num_rows >= last:
                break
