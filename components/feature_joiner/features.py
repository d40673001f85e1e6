"""The features of joined examples, which `trainer/ranker/features.py` reads."""

import numpy as np
import pyarrow as pa

from semantic_id_ranking.components.feature_joiner import blocks
from semantic_id_ranking.components.feature_joiner import encode_examples as encoding
from semantic_id_ranking.components.feature_joiner import history
from semantic_id_ranking.components.feature_joiner.encode_examples import Feature
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.join import JoinedGroup
from semantic_id_ranking.components.feature_joiner.label_means import LabelMeans
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.feature_joiner.popularity import Popularity
from semantic_id_ranking.components.feature_joiner.popularity import SLICES
from semantic_id_ranking.contracts.counters import ITEM_COUNTERS
from semantic_id_ranking.contracts.counters import USER_CODE_COUNTERS
from semantic_id_ranking.contracts.counters import USER_COUNTERS
from semantic_id_ranking.contracts.feature_names import context_feature
from semantic_id_ranking.contracts.feature_names import history_label
from semantic_id_ranking.contracts.feature_names import item_rate
from semantic_id_ranking.trainer.ranker.context_spec import HISTORY_LENGTH
from semantic_id_ranking.trainer.ranker.context_spec import ITEM_AGE_COLUMN


def features(
    joined: JoinedGroup,
    rows: np.ndarray,
    table: ItemTable,
    popularity: Popularity,
    means: LabelMeans,
    parameters: JoinParameters,
) -> dict[str, Feature]:
    """The features of some impressions.

    Args:
        joined: Joined impressions.
        rows: int64 [n], indices of some of them.
        table: The items.
        popularity: Which items are popular.
        means: Mean labels before each period.
        parameters: What is joined.
    """
    block = joined.block.take(pa.array(rows))
    item = blocks.numbers(block, "item")
    period = blocks.periods(block, joined.time[rows], parameters)
    of_item = block["item_counters"].combine_chunks().flatten().to_numpy().reshape(len(rows), -1)
    return {
        "user_id": _strings(block["user_id"]),
        "timestamp": _integers(blocks.numbers(block, "timestamp")),
        **_items(joined, rows, block, table, parameters),
        **_slices(period, block, table, popularity, parameters),
        **_labels(block, parameters),
        **_context(block, parameters),
        **_item_age(item, block, table, parameters),
        **_item_rates(period, of_item, means, parameters),
        **_counters(joined, rows, of_item),
    }


def _items(
    joined: JoinedGroup,
    rows: np.ndarray,
    block: blocks.Block,
    table: ItemTable,
    parameters: JoinParameters,
) -> dict[str, Feature]:
    """Candidate, current item and history."""
    offsets, events = history.recent(
        joined.first_event[rows], joined.end_event[rows], parameters.history_length
    )
    one = np.arange(len(rows) + 1)
    past = joined.events.item[events]
    roles = [("candidate", one, blocks.numbers(block, "item")), ("history", offsets, past)]
    result = {HISTORY_LENGTH: _floats(np.diff(offsets))}
    if parameters.current_item:
        current = block["current_item_id"]
        result["current_item_id"] = _strings(current)
        found = table.find(current.to_numpy())
        # A name that the table does not have counts as no item: row -1 is the last one.
        roles.append(("current", one, np.where(found < 0, len(table.ids), found)))
    for role, bounds, items in roles:
        if role != "current":
            names = encoding.join_payloads(table.encoded_names, bounds, items)
            result[f"{role}_item_id"] = Feature(encoding.BYTES, names)
        if "sid" in parameters.item_fields:
            sids = encoding.join_payloads(table.encoded_sids, bounds, items)
            result[f"{role}_sid"] = Feature(encoding.INTEGERS, sids)
        if table.embeddings is not None:
            embeddings = encoding.floats(table.embeddings[items], bounds)
            result[f"{role}_embedding"] = Feature(encoding.FLOATS, embeddings)
    if parameters.history_labels:
        for task, labels in zip(parameters.labels, joined.events.labels.T, strict=True):
            values = encoding.floats(labels[events], offsets)
            result[history_label(task)] = Feature(encoding.FLOATS, values)
    return result


def _slices(
    period: np.ndarray,
    block: blocks.Block,
    table: ItemTable,
    popularity: Popularity,
    parameters: JoinParameters,
) -> dict[str, Feature]:
    ages = table.ages(blocks.numbers(block, "item"), blocks.numbers(block, "timestamp"))
    impressions = blocks.numbers(block, "popularity")
    old = ~(ages <= parameters.new_days)
    return {
        "slice_age": _choices((b"new", b"old"), old),
        "slice_seen": _choices((b"seen", b"unseen"), impressions == 0),
        "slice_popularity": _choices(SLICES, popularity.slices(period, impressions)),
    }


def _labels(block: blocks.Block, parameters: JoinParameters) -> dict[str, Feature]:
    result = {}
    for task, column in parameters.labels.items():
        values = blocks.numbers(block, blocks.input_column(column))
        masked = np.isnan(values)
        # TFMA wants a number of every example; its weight tells whether it counts.
        result[f"label_{task}"] = _floats(np.where(masked, 0, values))
        result[f"weight_{task}"] = _floats(~masked)
    return result


def _context(block: blocks.Block, parameters: JoinParameters) -> dict[str, Feature]:
    result = {}
    for column in parameters.categorical:
        result[context_feature(column)] = _strings(block[blocks.input_column(column)])
    for column in parameters.numeric:
        values = blocks.numbers(block, blocks.input_column(column))
        result[context_feature(column)] = _floats_where(~np.isnan(values), values)
    return result


def _item_age(
    item: np.ndarray, block: blocks.Block, table: ItemTable, parameters: JoinParameters
) -> dict[str, Feature]:
    if not parameters.item_age:
        return {}
    ages = table.ages(item, blocks.numbers(block, "timestamp"))
    return {context_feature(ITEM_AGE_COLUMN): _floats_where(~np.isnan(ages), ages)}


def _item_rates(
    period: np.ndarray, of_item: np.ndarray, means: LabelMeans, parameters: JoinParameters
) -> dict[str, Feature]:
    """What the item's labels alone predict; the mean of all items for a regression.

    Where no counters are joined, `of_item` is as of the start of the period: the ranker knows no
    more of an item.
    """
    block = parameters.counter_layout.block
    result = {}
    for task in parameters.labels:
        if task in parameters.regressions:
            rates = means.mean(task, period)
        else:
            labels, positives = (
                of_item[:, block.index(f"{kind}_{task}")] for kind in ("labels", "positives")
            )
            rates = means.item_rates(task, period, labels, positives)
        result[item_rate(task)] = _floats(rates)
    return result


def _counters(joined: JoinedGroup, rows: np.ndarray, of_item: np.ndarray) -> dict[str, Feature]:
    if joined.user_counters is None or joined.code_counters is None:
        return {}
    columns = {
        ITEM_COUNTERS: of_item,
        USER_COUNTERS: joined.user_counters[rows],
        USER_CODE_COUNTERS: joined.code_counters[rows],
    }
    return {context_feature(name): _floats(values) for name, values in columns.items()}


def _strings(values: pa.ChunkedArray | pa.BinaryArray) -> Feature:
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return Feature(encoding.BYTES, encoding.strings(whole))


def _choices(names: tuple[bytes, ...], which: np.ndarray) -> Feature:
    """One of some names a row, by its index."""
    payloads = encoding.strings(pa.array(names, pa.binary()))
    return Feature(encoding.BYTES, payloads.take(pa.array(which.astype(np.int64))))


def _floats(values: np.ndarray) -> Feature:
    return Feature(encoding.FLOATS, encoding.floats(values))


def _floats_where(present: np.ndarray, values: np.ndarray) -> Feature:
    """A number where there is one, and none elsewhere."""
    offsets = np.concatenate([[0], np.cumsum(present)])
    return Feature(encoding.FLOATS, encoding.floats(values[present], offsets))


def _integers(values: np.ndarray) -> Feature:
    return Feature(encoding.INTEGERS, encoding.integers(values[:, None]))
