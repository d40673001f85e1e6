"""Clients over a change of version back and forth, by both kinds of client."""

import shutil

import pytest

from semantic_id_ranking.serving.client import MissingInputError
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.serving.client import ServedSpaceError
from semantic_id_ranking.serving.server import ModelServer
from tests.serving.ranking_cases import CONTEXT
from tests.serving.server_calls import until
from tests.serving.switched_ranker import serve
from tests.serving.switched_ranker import Version
from tests.serving.tiny_models import export
from tests.serving.tiny_models import SidRanker

OF_STORE = Version(1)
OF_ANOTHER_SPACE = Version(2, fingerprint="space-b")
WITH_COLUMN = Version(3, columns=("hour",))


def test_a_served_ranker_is_rolled_back(client_class, store, tmp_path):
    base_path = tmp_path / "ranker"
    export(SidRanker("space-a"), base_path, 1)
    with (
        ModelServer({"ranker": base_path}, poll_seconds=0.02) as server,
        client_class(server.address, store=store) as ranker,
    ):

        def answer():
            try:
                ranking = ranker.rank_items(["old"], context=CONTEXT, task="click")
            except ServedSpaceError:
                return "refused"
            return ranking.version, ranking.items[0].scores["click"]

        assert answer() == (1, 3.0)
        export(SidRanker("space-b"), base_path, 2)
        until(lambda: answer() == "refused")
        shutil.rmtree(base_path / "2")
        until(lambda: answer() == (1, 3.0))


def test_a_space_that_the_store_lacks_is_forgotten_once_it_is_rolled_back(client_class, store):
    with serve(OF_STORE) as served, client_class(served.address, store=store) as ranker:
        assert ranker.rank_items(["old"]).version == 1
        served.version = OF_ANOTHER_SPACE
        for _ in range(2):
            with pytest.raises(ServedSpaceError, match=r"version 2 .* space-b, but .* space-a"):
                ranker.rank_items(["old"])
        served.version = OF_STORE
        ranking = ranker.rank_items(["old"])
        assert (ranking.version, ranking.items[0].scores) == (1, {"click": 3.0})


def test_a_column_that_is_missing_is_forgotten_once_it_is_rolled_back(client_class, store):
    with serve(WITH_COLUMN) as served, client_class(served.address, store=store) as ranker:
        for _ in range(2):
            with pytest.raises(MissingInputError, match=r"missing: hour \(int64\)"):
                ranker.rank_items(["old"])
        served.version = OF_STORE
        assert ranker.rank_items(["old"]).version == 1


def test_arguments_that_fit_no_version_read_the_served_one_once(store):
    with serve(WITH_COLUMN) as served, RankerClient(served.address, store=store) as ranker:
        for reads in (1, 2, 3):  # The first call reads it anyway, and not again.
            with pytest.raises(MissingInputError):
                ranker.rank_items(["old"])
            assert served.calls == {"info": reads, "metadata": reads}
        ranker.rank_items(["old"], context={"hour": 3})
        assert served.calls == {"info": 3, "metadata": 3, "rank": 1}


def test_two_versions_that_take_turns_do_not_keep_a_call_that_fits_neither(store):
    with serve(OF_ANOTHER_SPACE) as served, RankerClient(served.address, store=store) as ranker:
        with pytest.raises(ServedSpaceError):
            ranker.rank_items(["old"])
        served.version = Version(4, fingerprint="space-c")
        with pytest.raises(ServedSpaceError, match="version 4"):
            ranker.rank_items(["old"])
        assert served.calls["info"] == 2


def test_rank_takes_the_columns_of_the_version_that_is_served_again():
    with serve(WITH_COLUMN) as served, RankerClient(served.address) as ranker:
        candidate = {"sid": [[1, 2]]}
        assert ranker.rank(candidate, context={"hour": 3})["click"].tolist() == [3.0]
        served.version = OF_STORE
        assert ranker.rank(candidate)["click"].tolist() == [3.0]
