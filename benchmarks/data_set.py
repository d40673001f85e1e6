"""A data set in the input contract, read whole into arrays."""

import dataclasses
import os
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs import item_arrays
from semantic_id_ranking.inputs.impressions import check_impressions
from semantic_id_ranking.inputs.impressions import impression_features
from semantic_id_ranking.inputs.item_arrays import Items
from semantic_id_ranking.inputs.timestamps import to_microseconds
from semantic_id_ranking.pipeline.component_parameters import impression_parameters
from semantic_id_ranking.pipeline.component_parameters import item_parameters
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.inputs import Inputs
from semantic_id_ranking.pipeline.look_at_inputs import look_at_inputs


@dataclasses.dataclass(frozen=True)
class Impressions:
    """The impressions, in the order of the file.

    Attributes:
        user: int64 [M], number of the user, from 0 on; another one for each impression without.
        item: int64 [M], row of the items.
        current: int64 [M], row of the item looked at; -1 where there is none or it is not known.
        timestamp: int64 [M], microseconds since the epoch.
        evaluation: bool [M], whether the impression is of the evaluation period.
        labels: Task name to float32 [M], NaN where there is none.
        context: Context column to [M]: object (bytes or None) where it is categorical, float32 (NaN
            where missing) where it is numeric.
    """

    user: np.ndarray
    item: np.ndarray
    current: np.ndarray
    timestamp: np.ndarray
    evaluation: np.ndarray
    labels: Mapping[str, np.ndarray]
    context: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.item)

    def take(self, rows: np.ndarray) -> "Impressions":
        """The impressions at some rows, int or bool."""
        kept = {
            name: {column: values[rows] for column, values in part.items()}
            if isinstance(part, Mapping)
            else part[rows]
            for name, part in vars(self).items()
        }
        return Impressions(**kept)


@dataclasses.dataclass(frozen=True)
class DataSet:
    """Items, impressions, and the split by time.

    Attributes:
        name: Name of the folder.
        items: All items.
        impressions: All impressions of items that are known.
        evaluation_start: First instant of the evaluation period, microseconds since the epoch: the
            one that a pipeline run on these files would choose.
        config: What the columns mean, the tasks, and everything else that a run depends on.
    """

    name: str
    items: Items
    impressions: Impressions
    evaluation_start: int
    config: Config

    @property
    def training_items(self) -> np.ndarray:
        """The items that an RQ-VAE of the training period may see, bool [N]."""
        return self.items.created_at < self.evaluation_start

    def item_counts(self) -> np.ndarray:
        """Impressions of each item in the training period, int64 [N]."""
        trained = self.impressions.item[~self.impressions.evaluation]
        return np.bincount(trained, minlength=len(self.items.ids))

    def sample_users(self, impressions: int, seed: int) -> "DataSet":
        """Keeps all impressions of random users, to fit into a time budget.

        Args:
            impressions: Impressions to keep, at most; a smaller data set stays whole.
            seed: Of the choice.
        """
        counts = np.bincount(self.impressions.user)
        if counts.sum() <= impressions:
            return self
        order = np.random.default_rng(seed).permutation(len(counts))
        kept = np.zeros(len(counts), bool)
        kept[order[np.cumsum(counts[order]) <= impressions]] = True
        return dataclasses.replace(
            self, impressions=self.impressions.take(kept[self.impressions.user])
        )


def read_data_set(directory: str, config: Config) -> DataSet:
    """Reads `items.parquet` and `impressions.parquet` with the checks of a pipeline run.

    Args:
        directory: Holds the two files.
        config: Names the columns, the tasks and the split.

    Raises:
        InputError: A file is missing or wrong, or too many impressions are of unknown items.
    """
    inputs = _look(directory, config)
    items = _items(inputs, config)
    impressions = _impressions(inputs, config, items)
    return DataSet(
        name=os.path.basename(os.path.abspath(directory)),
        items=items,
        impressions=impressions,
        evaluation_start=to_microseconds(inputs.evaluation_start),
        config=config,
    )


def read_items(directory: str, config: Config) -> Items:
    """Reads the items alone; arguments and errors are those of `read_data_set`."""
    return _items(_look(directory, config), config)


def created_first(created_at: np.ndarray, share: float = 0.9) -> np.ndarray:
    """The items of the first part of time.

    Args:
        created_at: int64 [N].
        share: Share of the items that is first. Items created at one instant stay together, in the
            later part where the split would divide them.

    Returns:
        bool [N].

    Raises:
        InputError: No item is left in the first part.
    """
    # As with the impressions, the split is at the item in this position.
    position = min(int(share * len(created_at)), len(created_at) - 1)
    first = created_at < np.partition(created_at, position)[position]
    if not first.any():
        raise InputError(
            f"column 'created_at' of the items: {share:.0%} of them or more were created at one "
            "instant, the first; expected times that can be split"
        )
    return first


def _look(directory: str, config: Config) -> Inputs:
    return look_at_inputs(
        os.path.join(directory, "items.parquet"),
        os.path.join(directory, "impressions.parquet"),
        config,
    )


def _items(inputs: Inputs, config: Config) -> Items:
    parameters = item_parameters(config, inputs)
    return item_arrays.read_items(inputs.items, parameters, inputs.impressions)


def _impressions(inputs: Inputs, config: Config, items: Items) -> Impressions:
    parameters = impression_parameters(config, inputs)
    batches = [
        batch
        for block in check_impressions(inputs.impressions, parameters)[0]
        for batch in impression_features(block, parameters)
    ]
    parts = [features for features, _ in batches]
    index = pa.array(items.ids, pa.large_binary())
    item = _rows(parts, "item_id", index)
    none = np.full(len(item), -1)
    context = [*config.context.categorical, *config.context.numeric]
    impressions = Impressions(
        user=_users(_concatenated(parts, "user_id")),
        item=item,
        current=_rows(parts, "current_item_id", index) if inputs.has_current_item else none,
        timestamp=_concatenated(parts, "timestamp"),
        evaluation=np.concatenate([evaluates for _, evaluates in batches]),
        labels={
            task.name: _concatenated(parts, task.label).astype(np.float32) for task in config.tasks
        },
        context={column: _concatenated(parts, column) for column in context},
    )
    known = item >= 0
    if (~known).mean() > config.join.max_unknown_fraction:
        raise InputError(
            f"{inputs.impressions.name}: column {config.columns.item_id!r}: {(~known).sum()} of "
            f"{len(known)} impressions are of items that {inputs.items.name} does not have; at "
            f"most {config.join.max_unknown_fraction:.1%} may be (join.max_unknown_fraction)"
        )
    return impressions if known.all() else impressions.take(known)


def _concatenated(parts: list[Mapping[str, pa.Array]], name: str) -> np.ndarray:
    return np.concatenate([part[name].to_numpy(zero_copy_only=False) for part in parts])


def _users(user_ids: np.ndarray) -> np.ndarray:
    """Numbers of users, int64 [M]; an impression of nobody is of a user of its own."""
    users, found = pd.factorize(user_ids)
    nobody = users < 0
    users[nobody] = len(found) + np.arange(nobody.sum())
    return users.astype(np.int64)


def _rows(parts: list[Mapping[str, pa.Array]], name: str, index: pa.Array) -> np.ndarray:
    """Rows int64 of ids in an index; -1 for one that it does not hold."""
    found = [pc.index_in(part[name], value_set=index).fill_null(-1) for part in parts]
    return np.concatenate([rows.to_numpy(zero_copy_only=False) for rows in found]).astype(np.int64)
