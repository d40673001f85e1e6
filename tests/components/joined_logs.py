"""Random logs, their join by FeatureJoiner's parts in memory, and the same by a slow loop."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import tensorflow as tf

from semantic_id_ranking.components.feature_joiner import blocks
from semantic_id_ranking.components.feature_joiner import encode_examples
from semantic_id_ranking.components.feature_joiner.blocks import input_column
from semantic_id_ranking.components.feature_joiner.features import features
from semantic_id_ranking.components.feature_joiner.history import Events
from semantic_id_ranking.components.feature_joiner.item_counters import count_items
from semantic_id_ranking.components.feature_joiner.item_counters import ItemCounters
from semantic_id_ranking.components.feature_joiner.item_table import ItemTable
from semantic_id_ranking.components.feature_joiner.join import join_group
from semantic_id_ranking.components.feature_joiner.label_means import label_sums
from semantic_id_ranking.components.feature_joiner.label_means import LabelMeans
from semantic_id_ranking.components.feature_joiner.label_means import Totals
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.feature_joiner.popularity import Popularity
from semantic_id_ranking.components.feature_joiner.user_counters import UserCounters
from semantic_id_ranking.components.feature_joiner.user_state import UserState

DAY = 86_400_000_000
PARAMETERS = JoinParameters(
    labels={"click": "clicked", "seconds": "watched", "like": "liked"},
    regressions=("seconds",),
    positive="clicked",
    categorical=("tab",),
    numeric=("hour",),
    history_length=3,
    new_days=1.0,
    head_share=0.5,
    torso_share=0.3,
    max_unknown_fraction=0.0,
    shards=1,
    item_column="item_id",
    impressions="log.parquet",
    counters=True,
    half_life=1.5 * DAY,
    evaluation_period=False,
)
#: Items that share their first code, their first two, or none.
TABLE = ItemTable.of(
    pd.Index(np.array([b"a", b"b", b"c", b"d", b"e"], object)),
    np.array([[0, 1, 5], [0, 1, 4], [0, 2, 5], [3, 1, 5], [3, 0, 0]]),
    np.array([0, 0, 4 * DAY, 0, 0]),
)


@dataclasses.dataclass
class Counted:
    """What in-memory joining came to: rows, and the state at the end."""

    rows: list[dict]
    users: UserState
    items: ItemCounters
    labels: Totals | None = None


def random_log(seed: int, rows: int = 160, days: tuple[int, ...] = (0, 1, 3, 4, 7)) -> pa.Table:
    """Impressions that tie in time, of users and of nobody, with missing labels and days.

    Item e appears in the last two days alone.
    """
    rng = np.random.default_rng(seed)
    day = rng.choice(days, rows)
    item = np.where(day >= days[-2], rng.integers(0, 5, rows), rng.integers(0, 4, rows))
    user = rng.choice(np.array([None, "u", "v", "w"], object), rows, p=[0.15, 0.35, 0.3, 0.2])

    def labels(values):
        return np.where(rng.random(rows) < 0.2, np.nan, values).astype(np.float32)

    return pa.table(
        {
            "user_id": pa.array([u and u.encode() for u in user], pa.binary()),
            "timestamp": day * DAY + rng.integers(0, 6, rows) * (DAY // 6),
            "item": item,
            "evaluation": np.zeros(rows, bool),
            "current_item_id": pa.array([b""] * rows, pa.binary()),
            input_column("clicked"): labels(rng.integers(0, 2, rows)),
            input_column("watched"): labels(rng.integers(0, 9, rows)),
            input_column("liked"): labels(rng.integers(0, 2, rows)),
            input_column("tab"): pa.array(rng.choice([None, b"x"], rows), pa.binary()),
            input_column("hour"): rng.random(rows).astype(np.float32),
        }
    )


def nothing(parameters: JoinParameters = PARAMETERS) -> Counted:
    """The state before everything."""
    width = len(parameters.counter_layout.block)
    empty = np.zeros(0, np.int64)
    return Counted(
        [],
        UserState(
            pa.array([], pa.binary()),
            Events(empty, empty, empty, np.zeros((0, len(parameters.labels)), np.float32)),
            UserCounters(np.zeros((0, width), np.int64), empty, empty, np.zeros((0, width), int)),
        ),
        ItemCounters.none(width),
    )


def join(
    log: pa.Table,
    parameters: JoinParameters = PARAMETERS,
    before: Counted | None = None,
    start: int | None = None,
    table: ItemTable = TABLE,
) -> Counted:
    """Joins a log as the Beam graph does; rows by user, time, item and the rest."""
    before = before or nothing(parameters)
    counted = count_items(
        blocks.numbers(log, "item"),
        blocks.effective_time(log, start),
        blocks.counter_flags(log, parameters),
        blocks.numbers(log, "evaluation") if parameters.evaluation_period else None,
        before.items,
        parameters.days,
        parameters.by_event,
    )
    popularity = Popularity.of(counted.changes, parameters.head_share, parameters.torso_share)
    period = blocks.periods(log, blocks.effective_time(log, start), parameters)
    sums = label_sums(0, period, blocks.labels(log, parameters))
    means = LabelMeans.of(sums, parameters.labels, before.labels)
    log = blocks.with_counters(log, counted, parameters)
    joined, users = join_group(log, before.users, table, start, parameters)
    every = np.arange(log.num_rows)
    encoded = encode_examples.encode(features(joined, every, table, popularity, means, parameters))
    rows = [values(row) for row in encoded.to_pylist()]
    return Counted(rows, users, counted.after, means.totals)


def values(serialized: bytes) -> dict[str, list]:
    """An Example's features; a number is as it was to the bit."""
    found = tf.train.Example.FromString(serialized).features.feature
    return {
        name: list(getattr(feature, feature.WhichOneof("kind")).value)
        for name, feature in sorted(found.items())
    }


def by_days(log: pa.Table, parameters: JoinParameters) -> Counted:
    """Joins a log day by day, each with the state before."""
    day = parameters.days.of(blocks.numbers(log, "timestamp"))
    before, rows, start = None, [], None
    for number in np.unique(day):
        before = join(log.filter(pa.array(day == number)), parameters, before, start)
        rows += before.rows
        start = int(number + 1) * parameters.day_length
    return dataclasses.replace(before, rows=rows)


def loop(log: pa.Table, parameters: JoinParameters) -> list[dict]:
    """The definition, one impression at a time, in the order of `join`."""
    days, tasks = parameters.days, parameters.counter_layout.tasks
    rows = log.to_pylist()
    # As the join orders: null first, NaN last.
    rows.sort(key=lambda row: _order(row, log))

    def knows(row, other):
        if parameters.by_event:
            return other["timestamp"] < row["timestamp"]
        return other["timestamp"] // days.length < row["timestamp"] // days.length

    def count(others, weights):
        block = [sum(weights)]
        for task in tasks:
            label = [other[input_column(parameters.labels[task])] for other in others]
            block.append(sum(w for w, x in zip(weights, label, strict=True) if not np.isnan(x)))
            block.append(sum(w for w, x in zip(weights, label, strict=True) if x == 1))
        return block

    result = []
    for row in rows:
        item, user, time = row["item"], row["user_id"], row["timestamp"]
        before = [other for other in rows if knows(row, other)]
        of_item = [other for other in before if other["item"] == item]
        now = time if parameters.by_event else time // days.length * days.length
        ages = [(now - other["timestamp"]) / days.half_life for other in of_item]
        of_user = [other for other in before if user is not None and other["user_id"] == user]
        sid = TABLE.sids[item].tolist()
        alike = [
            [o for o in of_user if TABLE.sids[o["item"]].tolist()[:depth] == sid[:depth]]
            for depth in (1, 2)
        ]
        made = [
            other
            for other in of_user
            if parameters.positive is None or other[input_column(parameters.positive)] == 1
        ][::-1][: parameters.history_length]
        start = time // days.length * days.length
        if row["evaluation"]:
            of_periods_before = [other for other in rows if not other["evaluation"]]
        else:
            of_periods_before = [other for other in rows if other["timestamp"] < start]
        at_start = [
            sum(other["item"] == i for other in of_periods_before) for i in range(len(TABLE.ids))
        ]
        more = sum(n for n in at_start if n > at_start[item])
        share = more / max(sum(at_start), 1)
        found = {
            "user_id": [] if user is None else [user],
            "timestamp": [time],
            "candidate_item_id": [TABLE.ids[item]],
            "candidate_sid": sid,
            "history_item_id": [TABLE.ids[o["item"]] for o in made],
            "history_sid": list(itertools.chain(*(TABLE.sids[o["item"]].tolist() for o in made))),
            "history_length": [len(made)],
            "slice_seen": [b"seen" if at_start[item] else b"unseen"],
            "slice_popularity": [
                b"tail"
                if not at_start[item] or share >= parameters.head_share + parameters.torso_share
                else b"head"
                if share < parameters.head_share
                else b"torso"
            ],
        }
        if parameters.counters:
            found["context_item_counters"] = [
                *count(of_item, [1] * len(of_item)),
                *count(of_item, [2.0**-age for age in ages]),
            ]
            found["context_user_counters"] = count(of_user, [1] * len(of_user))
            by_codes = [n for o in alike for n in count(o, [1] * len(o))]
            found["context_user_code_counters"] = by_codes
        # A ranker without counters knows of an item what it was trained on.
        rated = of_item if parameters.counters else of_periods_before
        if parameters.history_labels:
            for task, column in parameters.labels.items():
                found[f"history_label_{task}"] = [o[input_column(column)] for o in made]
        for task, column in parameters.labels.items():
            label = input_column(column)
            earlier = [o[label] for o in of_periods_before if not np.isnan(o[label])]
            of_it = [o[label] for o in rated if o["item"] == item and not np.isnan(o[label])]
            if task in parameters.regressions:
                rate = float(np.mean(earlier)) if earlier else 0.0
            else:
                mean = (sum(earlier) + 0.5) / (len(earlier) + 1)
                rate = (sum(of_it) + 10 * mean) / (len(of_it) + 10)
            found[f"item_rate_{task}"] = [rate]
        result.append(found)
    return result


def _order(row: dict, log: pa.Table) -> tuple:
    def key(value):
        if value is None:
            return (2, 0)
        if isinstance(value, float) and np.isnan(value):
            return (1, 0)
        return (0, value)

    user = (0, b"") if row["user_id"] is None else (1, row["user_id"])
    others = [n for n in sorted(log.column_names) if n not in ("user_id", "timestamp", "item")]
    return (user, row["timestamp"], row["item"], *(key(row[name]) for name in others))
