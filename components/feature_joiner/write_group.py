"""Beam: the impressions of one group of users, joined, to files. No TFX here."""

import os
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import ExitStack

import apache_beam as beam
import numpy as np
from apache_beam.io.filesystems import FileSystems
from isal import igzip

from semantic_id_ranking.components.feature_joiner import blocks
from semantic_id_ranking.components.feature_joiner import encode_examples
from semantic_id_ranking.components.feature_joiner.features import features
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.join import join_group
from semantic_id_ranking.components.feature_joiner.join import JoinedGroup
from semantic_id_ranking.components.feature_joiner.label_means import LabelMeans
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.feature_joiner.popularity import Popularity
from semantic_id_ranking.components.feature_joiner.state import EarlierState
from semantic_id_ranking.components.feature_joiner.state import user_file
from semantic_id_ranking.components.feature_joiner.user_state import read_users
from semantic_id_ranking.components.feature_joiner.user_state import write_users

# Bytes of embeddings in a batch of examples, at most; rows of it, at most.
_BATCH_BYTES = 2**27
_BATCH_ROWS = 8192


class WriteGroup(beam.DoFn):
    """Joins each group and writes one gzipped TFRecord file a split, and one of users.

    So number, names, content and order of the files depend on the data alone, not on the runner. A
    group that is done twice replaces its own files. One without impressions has files too, because
    readers of a split want at least one.

    Args:
        parameters: What is joined.
        groups: Number of groups.
        splits: Folders of the examples that train and of those that evaluate.
        state: Folder of the state that is written.
        earlier: The state before, if there is one.
    """

    def __init__(
        self,
        parameters: JoinParameters,
        groups: int,
        splits: Sequence[str],
        state: str,
        earlier: EarlierState | None,
    ):
        self._parameters = parameters
        self._groups = groups
        self._splits = tuple(splits)
        self._state = state
        self._earlier = earlier

    def process(
        self,
        group: tuple[int, Iterable[bytes | None]],
        table: ItemTable,
        popularity: Popularity,
        means: LabelMeans,
    ) -> Iterator[int]:
        """Joins and writes one group.

        Args:
            group: Its number, and parts of its impressions in any order; None is no part.
            table: The items.
            popularity: Which items are popular.
            means: Mean labels before each period.

        Yields:
            The time of its last impression, if there is one.
        """
        number, given = group
        parts = [part for part in given if part is not None]
        parameters, groups, earlier = self._parameters, self._groups, self._earlier
        paths = earlier.user_files(number, groups) if earlier else []
        users = read_users(paths, number, groups, table, parameters)
        if earlier and not earlier.same_space:
            users = users.without_codes()
        with ExitStack() as stack:
            files = [
                stack.enter_context(_create(os.path.join(folder, _examples_file(number, groups))))
                for folder in self._splits
            ]
            if parts:
                start = earlier.start if earlier else None
                joined, users = join_group(
                    blocks.join_parts(parts), users, table, start, parameters
                )
                for evaluation, rows in _batches(joined, table, parameters):
                    examples = encode_examples.encode(
                        features(joined, rows, table, popularity, means, parameters)
                    )
                    files[evaluation].write(encode_examples.tfrecords(examples))
                yield int(joined.time.max())
        write_users(os.path.join(self._state, user_file(number, groups)), users, table, parameters)


def _batches(
    joined: JoinedGroup, table: ItemTable, parameters: JoinParameters
) -> Iterator[tuple[bool, np.ndarray]]:
    """Rows of both splits, in a random order that depends on the data alone."""
    count = joined.block.num_rows
    order = np.random.default_rng(count).permutation(count)
    evaluates = blocks.numbers(joined.block, "evaluation")[order]
    rows = _BATCH_ROWS
    if table.embeddings is not None:
        one = 4 * table.embeddings.shape[1] * (parameters.history_length + 2)
        rows = min(max(_BATCH_BYTES // one, 1), rows)
    for evaluation in (False, True):
        chosen = order[evaluates == evaluation]
        for begin in range(0, len(chosen), rows):
            yield evaluation, chosen[begin : begin + rows]


def _examples_file(number: int, groups: int) -> str:
    return f"data_tfrecord-{number:05d}-of-{groups:05d}.gz"


@contextmanager
def _create(path: str) -> Iterator[igzip.GzipFile]:
    """A gzipped file to write to; its bytes depend on what is written alone."""
    with (
        FileSystems.create(path, compression_type="uncompressed") as raw,
        igzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0) as file,
    ):
        yield file
