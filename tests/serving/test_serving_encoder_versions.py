"""The version of an encoder that clients call: the one of the SID space that they want."""

import shutil
import threading

import numpy as np
import pytest

from semantic_id_ranking.serving.client import EncoderClient
from semantic_id_ranking.serving.client import ServedSpaceError
from semantic_id_ranking.serving.server import latest_versions
from semantic_id_ranking.serving.server import ModelServer
from tests.serving.ranking_cases import CONTEXT
from tests.serving.server_calls import until
from tests.serving.tiny_models import Encoder
from tests.serving.tiny_models import export
from tests.serving.tiny_models import SidRanker

EMBEDDING = np.float32([[3, 4, 0]])
NEW = {"new": np.float32([3, 3, 0])}


@pytest.fixture
def base_paths(tmp_path):
    """A ranker of space A; encoders of space A and, newer, of space B."""
    paths = {name: tmp_path / name for name in ("ranker", "semantic_id")}
    export(SidRanker("space-a"), paths["ranker"], 1)
    export(Encoder("space-a"), paths["semantic_id"], 1)
    export(Encoder("space-b"), paths["semantic_id"], 2)
    return paths


@pytest.fixture
def server(base_paths):
    policies = {"semantic_id": latest_versions(2)}
    with ModelServer(base_paths, version_policy=policies, poll_seconds=0.02) as server:
        yield server


def test_the_encoder_of_the_rankers_space_is_called_though_another_is_newer(
    client_class, server, store
):
    with client_class(server.address, store=store) as ranker:
        ranking = ranker.rank_items(["new"], context=CONTEXT, embeddings=NEW, task="click")
    assert [(row.source, row.scores["click"]) for row in ranking.items] == [("encoded", 6.0)]


def test_it_is_looked_for_once(server, monkeypatch):
    with EncoderClient(server.address, sid_fingerprint="space-a") as encoder:
        asked = []
        transport = encoder._transport
        methods = transport._methods
        for name, method in list(methods.items()):
            monkeypatch.setitem(
                methods,
                name,
                lambda message, timeout, name=name, method=method: (
                    asked.append(name),
                    method(message, timeout=timeout),
                )[1],
            )
        np.testing.assert_array_equal(encoder.encode(EMBEDDING), [[3, 4]])
        # The newest, then the states, then the other one, then the call.
        reading = ["Predict", "GetModelMetadata"]
        assert asked == [*reading, "GetModelStatus", *reading, "Predict"]
        asked.clear()
        np.testing.assert_array_equal(encoder.encode(EMBEDDING), [[3, 4]])
        assert asked == ["Predict"]


def test_of_a_space_that_no_version_has_the_newest_is_named(server):
    with (
        EncoderClient(server.address, sid_fingerprint="space-c") as encoder,
        pytest.raises(ServedSpaceError, match=r"semantic_id version 2 .* space-b, but .* space-c"),
    ):
        encoder.encode(EMBEDDING)


def test_a_version_that_is_unloaded_is_replaced_by_another_of_its_space(server, base_paths):
    base_path = base_paths["semantic_id"]
    with EncoderClient(server.address, sid_fingerprint="space-a", timeout=20) as encoder:
        encoder.encode(EMBEDDING)
        export(Encoder("space-a"), base_path, 3)
        until(lambda: _available(server) == {2, 3})
        np.testing.assert_array_equal(encoder.encode(EMBEDDING), [[3, 4]])
        shutil.rmtree(base_path / "3")
        shutil.rmtree(base_path / "1")
        until(lambda: _available(server) == {2})
        with pytest.raises(ServedSpaceError, match=r"version 2 .* space-b"):
            encoder.encode(EMBEDDING)


@pytest.fixture
def hold(monkeypatch):
    """Events: a load has begun after a call of `hold`, and is let go."""
    from semantic_id_ranking.serving.server import served_model

    def hold():
        held, let_go = threading.Event(), threading.Event()

        class HeldServable(served_model.Servable):
            def __init__(self, *arguments):
                super().__init__(*arguments)
                held.set()
                assert let_go.wait(60)

        monkeypatch.setattr(served_model, "Servable", HeldServable)
        return held, let_go

    return hold


def test_a_version_that_is_being_loaded_is_waited_for(server, base_paths, hold):
    held, let_go = hold()
    export(Encoder("space-c"), base_paths["semantic_id"], 3)
    assert held.wait(60)
    with EncoderClient(server.address, sid_fingerprint="space-c", timeout=60) as encoder:
        threading.Timer(0.5, let_go.set).start()
        np.testing.assert_array_equal(encoder.encode(EMBEDDING), [[3, 4]])
        assert let_go.is_set()


def test_a_version_that_was_unloaded_and_is_wanted_again_is_waited_for(server, base_paths, hold):
    base_path = base_paths["semantic_id"]
    with EncoderClient(server.address, sid_fingerprint="space-a", timeout=60) as encoder:
        encoder.encode(EMBEDDING)
        export(Encoder("space-c"), base_path, 3)
        until(lambda: _available(server) == {2, 3})
        held, let_go = hold()
        shutil.rmtree(base_path / "3")
        assert held.wait(60)
        threading.Timer(0.5, let_go.set).start()
        np.testing.assert_array_equal(encoder.encode(EMBEDDING), [[3, 4]])
        assert let_go.is_set()


def _available(server):
    (model,) = (model for model in server._registry if model.name == "semantic_id")
    return {status.version for status in model.statuses() if status.state == status.AVAILABLE}
