"""Cases of ranked lists, and a blocking wrapper of the asyncio client."""

import asyncio

import numpy as np

from semantic_id_ranking.serving.client import AsyncRankerClient
from semantic_id_ranking.serving.client import SidSpace

SIDS = {"old": [1, 2], "older": [4, 4], "past": [2, 0]}
EMBEDDINGS = {"new": np.float32([3, 3, 0]), "old": np.float32([9, 9, 9])}
CONTEXT = {"country": "", "price": 0.0}


class Waiting:
    """An AsyncRankerClient whose calls are waited for, each in the loop of all."""

    def __init__(self, *args, **kwargs):
        self.loop = asyncio.new_event_loop()
        self.args = args, kwargs

    def __enter__(self):
        async def make():
            args, kwargs = self.args
            return AsyncRankerClient(*args, **kwargs)

        self.client = self.loop.run_until_complete(make())
        return self

    def rank_items(self, *args, **kwargs):
        return self.loop.run_until_complete(self.client.rank_items(*args, **kwargs))

    @property
    def sid_counts(self):
        return self.client.sid_counts

    @property
    def store_error_count(self):
        return self.client.store_error_count

    def __exit__(self, *exc_info):
        self.loop.run_until_complete(self.client.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


def fill(store, fingerprint, sids):
    store.add_space(SidSpace(fingerprint, levels=2, codebook_size=10))
    store.put(fingerprint, list(sids), list(sids.values()))
