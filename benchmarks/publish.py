"""Speed of `sid publish` into both stores, and of the look-ups of one ranking request.

`make bench-publish` writes `benchmarks/out/publish.json`: `{"items", "stores": {"sqlite"|"redis":
{"seconds", "items_per_s", "bytes_per_item", "lookup_p50_ms", "lookup_p99_ms"}}, "bars": [{"bar",
"value", "limit", "holds"}]}`. Expect a million items of 8 levels to take less than 60 s with each.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable

from benchmarks import command

import numpy as np  # isort: skip
import pyarrow.parquet as pq  # isort: skip
import redis  # isort: skip

from benchmarks.redis_server import RedisServer
from semantic_id_ranking.components.releaser.publish_sids import load_sids
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.encoding.sid_batches import SidBatches
from semantic_id_ranking.serving.store import open_store

_OUT = "benchmarks/out/publish.json"
_SPACE = SidSpace("0123456789abcdef", levels=8, codebook_size=2048, embedding_dim=768)
# 500 candidates and a history of 50.
_REQUEST_ITEMS = 550
_REQUESTS = 500
_LIMIT_SECONDS = 60.0


def item_name(row: int) -> str:
    """The item of a row: a name of 12 letters."""
    return f"item{row:08d}"


def write_table(path: str, items: int, rng: np.random.Generator) -> None:
    """Writes a table of random Semantic IDs, its items in random order."""
    item_ids = np.array([item_name(row) for row in rng.permutation(items)], object)
    sids = rng.integers(0, _SPACE.codebook_size, (items, _SPACE.levels), dtype=np.int32)
    table = sid_table.to_table(item_ids, sids, np.zeros(items, np.int64), _SPACE)
    pq.write_table(table, path)


def measure(table: str, url: str, used_bytes: Callable[[], int]) -> dict[str, float]:
    """Publishes a table into an empty store, then looks items up.

    Args:
        table: Path of the table.
        url: The store.
        used_bytes: Tells how large the store is.
    """
    rng = np.random.default_rng(1)
    before = used_bytes()
    with open_store(url, timeout=60.0) as store:
        begin = time.monotonic()
        batches = SidBatches.open(table)
        load_sids(batches, store)
        seconds = time.monotonic() - begin
        lookups = []
        for _ in range(_REQUESTS):
            asked = [item_name(row) for row in rng.integers(0, batches.rows, _REQUEST_ITEMS)]
            begin = time.monotonic()
            found = store.get(_SPACE.fingerprint, asked)
            lookups.append(1000 * (time.monotonic() - begin))
            if found.min() < 0:
                raise RuntimeError(f"{url}: an item that was published is missing")
    return {
        "seconds": seconds,
        "items_per_s": batches.rows / seconds,
        "bytes_per_item": (used_bytes() - before) / batches.rows,
        "lookup_p50_ms": np.percentile(lookups, 50),
        "lookup_p99_ms": np.percentile(lookups, 99),
    }


def main(items: int = 1_000_000, output: str = _OUT) -> None:
    """Measures both stores in turn."""
    with tempfile.TemporaryDirectory() as folder:
        table, file = os.path.join(folder, "sids.parquet"), os.path.join(folder, "sids.sqlite")
        write_table(table, items, np.random.default_rng(0))

        def file_bytes() -> int:
            return os.path.getsize(file) if os.path.exists(file) else 0

        stores = {"sqlite": measure(table, f"sqlite:///{file}", file_bytes)}
        with RedisServer(folder) as server, redis.Redis(port=server.port) as client:
            stores["redis"] = measure(
                table, server.url, lambda: client.info("memory")["used_memory"]
            )
    bars = [
        {
            "bar": f"seconds to publish {items} items into {name}",
            "value": result["seconds"],
            "limit": _LIMIT_SECONDS,
            "holds": bool(result["seconds"] <= _LIMIT_SECONDS),
        }
        for name, result in stores.items()
    ]
    report = {"items": items, "stores": stores, "bars": bars}
    print(json.dumps(report, indent=1))
    command.write_json(output, report)


if __name__ == "__main__":
    command.run(main)
