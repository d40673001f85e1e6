"""Start and stop of a server, and what prevents either."""

import threading

import grpc
import pytest
import tensorflow as tf

from semantic_id_ranking.serving.server import ModelServer
from tests.serving.ranker_caller import Caller
from tests.serving.server_calls import until
from tests.serving.tiny_models import export
from tests.serving.tiny_models import HeldRanker
from tests.serving.tiny_models import predict_request
from tests.serving.tiny_models import SidRanker


@pytest.fixture
def base_path(tmp_path):
    export(SidRanker(bonus=10.0), tmp_path / "ranker", 1)
    return tmp_path / "ranker"


def test_stopping_waits_for_the_requests_in_progress(tmp_path):
    held = HeldRanker(bonus=10.0)
    export(held, tmp_path, 1)
    server = ModelServer({"ranker": tmp_path}).start()
    caller = Caller(server)
    running = caller.predictions.Predict.future(predict_request("ranker", "hold"))
    assert held.entered.wait(10)
    waiting, stopping = (threading.Thread(target=f) for f in (server.wait, server.stop))
    waiting.start()
    stopping.start()

    def refused():
        try:
            caller.score()
        except grpc.RpcError as error:
            return error.code() == grpc.StatusCode.UNAVAILABLE

    until(refused)
    assert stopping.is_alive()
    assert not running.done()
    held.let_go.set()
    assert tf.make_ndarray(running.result().outputs["bonus"]).item() == 10.0
    for thread in (stopping, waiting):
        thread.join(10)
        assert not thread.is_alive()


def test_stopping_ends_what_outlasts_the_grace(tmp_path):
    held = HeldRanker(bonus=10.0)
    export(held, tmp_path, 1)
    server = ModelServer({"ranker": tmp_path}).start()
    running = Caller(server).predictions.Predict.future(predict_request("ranker", "hold"))
    assert held.entered.wait(10)
    server.stop(grace=0.05)
    assert running.exception(timeout=10).code() == grpc.StatusCode.UNAVAILABLE
    held.let_go.set()


def test_a_model_without_a_version_does_not_start(tmp_path):
    (tmp_path / "ranker").mkdir()
    with pytest.raises(
        RuntimeError, match=r"model ranker: no version under .*/ranker is served; there is"
    ):
        ModelServer({"ranker": tmp_path / "ranker"}).start()
    (tmp_path / "ranker" / "1").mkdir()
    with pytest.raises(RuntimeError, match="version 1: SavedModel file does not exist"):
        ModelServer({"ranker": tmp_path / "ranker"}).start()


def test_a_taken_port_is_refused(base_path):
    with ModelServer({"ranker": base_path}) as server:
        port = int(server.address.rpartition(":")[2])
        with pytest.raises(RuntimeError, match=str(port)):
            ModelServer({"ranker": base_path}, port=port).start()
