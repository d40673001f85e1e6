"""Latency from the embedding of a new item to a ranking that reads its Semantic ID."""

import threading

import numpy as np

from benchmarks.load import Load
from benchmarks.load import run_load
from benchmarks.serving_models import CONTEXT
from benchmarks.serving_models import RankRequest
from semantic_id_ranking.serving.client import EncoderClient
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.serving.store import open_store


def measure_new_items(
    address: str, model: str, request: RankRequest, store: str, new_items: int
) -> Load:
    """Encodes, publishes and ranks new items one by one, while others rank.

    Args:
        address: host:port of a server of the ranker and of `semantic_id`.
        model: Name of the ranker.
        request: What others ask for, and the candidates that a new item is ranked among.
        store: URL of an empty store.
        new_items: How many.

    Returns:
        From an embedding at hand to the answer that ranks its item by its stored Semantic ID.
    """
    world, done = request.world, threading.Event()
    rng = np.random.default_rng(2)
    embeddings = world.embeddings[rng.integers(0, len(world.ids), new_items)]
    embeddings = embeddings + rng.normal(0, 0.05, embeddings.shape).astype(np.float32)
    candidates = [world.ids[item].decode() for item in request.candidates[1:]]
    history = [world.ids[item].decode() for item in request.history]
    with (
        open_store(store) as sids,
        EncoderClient(address) as encoder,
        RankerClient(address, timeout=30.0, model=model, store=sids) as ranker,
        RankerClient(address, timeout=30.0, model=model) as others,
    ):
        space = encoder.space()
        sids.add_space(space)
        fingerprint = space.fingerprint
        sids.put(fingerprint, [item.decode() for item in world.ids], world.sids)

        def rank_new(number: int) -> None:
            item = f"new{number}"
            sids.put(fingerprint, [item], encoder.encode(embeddings[number : number + 1]))
            ranking = ranker.rank_items(
                [item, *candidates], history=history, context=CONTEXT, task="click"
            )
            (row,) = (row for row in ranking.items if row.item_id == item)
            if row.source != "store":
                raise RuntimeError(f"{item} is {row.source} after it was published")

        arguments = request.arguments()
        busy = threading.Thread(
            target=run_load,
            args=(lambda _: others.rank(**arguments), 1, lambda _: not done.is_set()),
        )
        busy.start()
        try:
            return run_load(rank_new, 1, lambda number: number < new_items)
        finally:
            done.set()
            busy.join()
