"""A synthetic log for the join's benchmark, and states of more users."""

import dataclasses
import json
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

DAY = 86_400_000_000
LEVELS, CODES, DAYS = 8, 2048, 10


@dataclasses.dataclass(frozen=True)
class World:
    """Sizes of a synthetic log.

    Attributes:
        impressions: Of the log.
        users: Users of it, all equally active.
        items: Items, of a popularity that falls as 1 / rank.
    """

    impressions: int
    users: int
    items: int


def write_world(folder: pathlib.Path, world: World, days: int = DAYS) -> None:
    """Writes a log as ImpressionGen's Examples and as Parquet, its items and Semantic IDs.

    Args:
        folder: Where to; it is made.
        world: Sizes.
        days: Days of the log, the last of which evaluates; 1: the day after those.
    """
    from semantic_id_ranking.contracts import sid_table
    from semantic_id_ranking.contracts.sid_space import SidSpace

    folder.mkdir()
    rng = np.random.default_rng(days)
    ids = pa.array([f"item{i:08d}" for i in range(world.items)])
    rank = np.exp(rng.random(world.impressions) * np.log(world.items)).astype(np.int64) - 1
    if days == 1:
        timestamp = np.sort(rng.integers(DAYS * DAY, (DAYS + 1) * DAY, world.impressions))
    else:
        timestamp = np.sort(rng.integers(0, days * DAY, world.impressions))
    user = rng.integers(0, world.users, world.impressions)
    log = pa.table(
        {
            "user_id": pa.array([b"user%08d" % u for u in user], pa.large_binary()),
            "item_id": ids.take(pa.array(rank)).cast(pa.large_binary()),
            "timestamp": timestamp,
            "click": rng.integers(0, 2, world.impressions),
        }
    )
    evaluation = timestamp >= (days - 1) * DAY if days > 1 else timestamp >= (DAYS + 0.9) * DAY
    for split, mine in (("train", ~evaluation), ("eval", evaluation)):
        _write_examples(folder / "impressions" / f"Split-{split}", log.filter(pa.array(mine)))
    pq.write_table(log.append_column("evaluation", pa.array(evaluation)), folder / "log.parquet")
    items = pa.table(
        {"item_id": ids.cast(pa.large_binary()), "created_at": np.zeros(world.items, np.int64)}
    )
    _write_examples(folder / "items" / "Split-train", items)
    _write_examples(folder / "items" / "Split-eval", items.slice(0, 0))
    space = SidSpace("0" * 16, LEVELS, CODES, embedding_dim=4)
    sids = np.random.default_rng(0).integers(0, CODES, (world.items, LEVELS)).astype(np.int32)
    (folder / "sids").mkdir()
    table = sid_table.to_table(
        np.array(ids.to_pylist(), object), sids, np.zeros(world.items, np.int64), space
    )
    pq.write_table(table, folder / "sids" / "sids.parquet")


def _write_examples(folder: pathlib.Path, table: pa.Table) -> None:
    import tensorflow as tf

    from semantic_id_ranking.components.example_gen.encode import encode
    from semantic_id_ranking.components.example_gen.encode import to_record_batch

    folder.mkdir(parents=True)
    options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
    with tf.io.TFRecordWriter(str(folder / "data_tfrecord-00000-of-00001.gz"), options) as file:
        for batch in table.to_batches(16_384):
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            for example in encode(to_record_batch(columns)):
                file.write(example)


def multiply_users(source: pathlib.Path, target: pathlib.Path, times: int) -> None:
    """Writes a state in which each user of another one is there several times, by other names.

    Args:
        source: The state's folder.
        target: The folder that is made.
        times: How often; there are as many times more groups of users, too.
    """
    from semantic_id_ranking.components.feature_joiner.blocks import hash_ids
    from semantic_id_ranking.components.feature_joiner.state import user_file

    target.mkdir()
    content = json.loads((source / "state.json").read_text())
    groups = times * content["groups"]
    (target / "state.json").write_text(json.dumps({**content, "groups": groups}))
    for name in ("items.parquet", "titles/titles.parquet"):
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_bytes((source / name).read_bytes())
    once = pa.concat_tables([pq.ParquetFile(path).read() for path in source.glob("users-*")])
    for group in range(groups):
        parts = []
        for copy in range(times):
            # The first ones keep their names: the next day is of some of them.
            suffix = pa.scalar(f"x{copy}" if copy else "", pa.string())
            ids = pc.binary_join_element_wise(once["user_id"], suffix, pa.scalar("", pa.string()))
            ids = ids.combine_chunks()
            mine = hash_ids(ids.cast(pa.binary())) % np.uint64(groups) == group
            parts.append(once.set_column(0, "user_id", ids).filter(pa.array(mine)))
        rows = pa.concat_tables(parts).sort_by("user_id").combine_chunks()
        pq.write_table(rows, target / user_file(group, groups))
