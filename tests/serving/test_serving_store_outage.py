"""Rankings while Redis is away or hangs, by both kinds of client."""

import concurrent.futures
import time

import numpy as np
import pytest

from benchmarks.redis_server import RedisServer
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.serving.client import ServedSpaceError
from semantic_id_ranking.serving.client import StoreError
from semantic_id_ranking.serving.store import open_store
from tests.serving import ranking_cases
from tests.serving.server_calls import until
from tests.serving.switched_ranker import serve
from tests.serving.switched_ranker import Version
from tests.serving.test_serving_released_state import counting_ranker

pytestmark = pytest.mark.redis
CALL = {"context": ranking_cases.CONTEXT, "task": "click"}


@pytest.fixture
def redis_server(tmp_path):
    with RedisServer(tmp_path) as running:
        yield running


@pytest.fixture
def redis_store(redis_server):
    """With the default timeout of 5 s."""
    with open_store(redis_server.url) as store:
        ranking_cases.fill(store, "space-a", ranking_cases.SIDS)
        yield store


@pytest.fixture(params=["away", "hangs"])
def break_it(request, redis_server):
    """Takes the server away, or hangs it."""
    yield redis_server.stop if request.param == "away" else redis_server.hang
    redis_server.go_on()


def test_the_deadline_of_a_call_covers_the_store(server, client_class, redis_store, break_it):
    with client_class(server.address, store=redis_store, timeout=0.3) as ranker:
        assert ranker.rank_items(["old"], **CALL).sid_counts["store"] == 1
        break_it()
        for _ in range(3):
            begin = time.monotonic()
            with pytest.raises(StoreError, match=r"redis://.*: did not answer before the call's"):
                ranker.rank_items(["old"], **CALL)
            assert 0.25 < time.monotonic() - begin < 0.6
        assert ranker.store_error_count == 0


def test_it_is_ranked_without_the_store_and_counted(server, client_class, redis_store, break_it):
    items = ["new", "old", "nowhere"]
    with client_class(
        server.address, store=redis_store, timeout=1.0, on_store_error="unknown"
    ) as ranker:
        ranking = ranker.rank_items(items, embeddings=ranking_cases.EMBEDDINGS, **CALL)
        assert ranking.sid_counts == {"store": 1, "encoded": 1, "unknown": 1}
        assert (ranking.store_error, ranker.store_error_count) == (None, 0)
        break_it()
        begin = time.monotonic()
        ranking = ranker.rank_items(items, embeddings=ranking_cases.EMBEDDINGS, **CALL)
        assert 0.45 < time.monotonic() - begin < 0.95
        # 3 + 3 of "new", 9 + 9 of the embedding given for "old".
        scores = {row.item_id: row.scores["click"] for row in ranking.items}
        assert scores == {"old": 18.0, "new": 6.0, "nowhere": 0.0}
        assert ranking.sid_counts == {"store": 0, "encoded": 2, "unknown": 1}
        assert isinstance(ranking.store_error, StoreError)
        ranking = ranker.rank_items(["old"], history=["past"], top_k=1, **CALL)
        assert ranking.items[0].scores["click"] == 0.0
        assert ranker.store_error_count == 2


def test_a_store_that_is_back_is_read_again(server, client_class, redis_store, redis_server):
    with client_class(
        server.address, store=redis_store, timeout=0.4, on_store_error="unknown"
    ) as ranker:
        redis_server.hang()
        for _ in range(5):
            assert ranker.rank_items(["old"], **CALL).store_error is not None
        redis_server.go_on()
        until(lambda: ranker.rank_items(["old"], **CALL).store_error is None)
        assert ranker.rank_items(["old"], **CALL).items[0].scores["click"] == 3.0


def test_more_calls_than_threads_end_in_time_while_it_hangs(server, redis_store, redis_server):
    with (
        RankerClient(server.address, store=redis_store, timeout=0.5) as ranker,
        concurrent.futures.ThreadPoolExecutor(64) as pool,
    ):
        ranker.rank_items(["old"], **CALL)
        redis_server.hang()

        def rank(_):
            begin = time.monotonic()
            with pytest.raises(StoreError):
                ranker.rank_items(["old"], **CALL)
            return time.monotonic() - begin

        assert max(pool.map(rank, range(128))) < 1.5
        redis_server.go_on()

        def is_read():
            try:
                return ranker.rank_items(["old"], **CALL).sid_counts["store"] == 1
            except StoreError:
                return False

        until(is_read)


def test_a_ranker_of_counters_gets_those_of_new_items_and_an_unknown_user(
    client_class, redis_store, redis_server
):
    with (
        counting_ranker("space-a") as served,
        client_class(
            served.address, store=redis_store, timeout=1.0, on_store_error="unknown"
        ) as ranker,
    ):
        redis_server.stop()
        ranking = ranker.rank_items(["old", "older"], user="somebody")
        assert ranking.sid_counts == {"store": 0, "encoded": 0, "unknown": 2}
        sent = served.sent
        assert sent["context_item_counters"].tolist() == [[0.0] * 6] * 2
        assert sent["context_user_counters"].tolist() == [[0.0] * 3]
        assert np.isnan(sent["context_user_code_counters"]).all()
        assert sent["history_sid"].shape[1] == 0


def test_a_space_that_the_store_lacks_is_no_outage(client_class, store):
    with (
        serve(Version(1, "space-b")) as served,
        client_class(served.address, store=store, on_store_error="unknown") as ranker,
        pytest.raises(ServedSpaceError, match="space-b, but"),
    ):
        ranker.rank_items(["old"])


@pytest.mark.parametrize("value", ["ignore", None, True])
def test_another_word_is_refused(value):
    with pytest.raises(ValueError, match=f"on_store_error is {value!r}; 'raise' or 'unknown' is"):
        RankerClient("127.0.0.1:1", on_store_error=value)
