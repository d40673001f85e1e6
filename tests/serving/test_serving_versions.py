"""Versions that appear, fail and disappear under requests."""

import contextlib
import gc
import os
import re
import shutil
import threading
import time
import weakref

import grpc
import pytest
import tensorflow as tf

from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.server import ServableVersionPolicy
from semantic_id_ranking.serving.server.model_config import ModelConfig
from semantic_id_ranking.serving.server.served_model import ServedModel
from tests.serving.ranker_caller import Caller
from tests.serving.server_calls import until
from tests.serving.tiny_models import export
from tests.serving.tiny_models import HeldRanker
from tests.serving.tiny_models import predict_request
from tests.serving.tiny_models import SidRanker

POLL_SECONDS = 0.05


@pytest.fixture
def base_path(tmp_path):
    export(SidRanker(bonus=10.0), tmp_path / "ranker", 1)
    return tmp_path / "ranker"


@contextlib.contextmanager
def serving(base_path, policy=None):
    with ModelServer(
        {"ranker": base_path}, version_policy=policy, poll_seconds=POLL_SECONDS
    ) as server:
        caller = Caller(server)
        with caller.channel:
            yield caller


def test_a_new_version_takes_over_without_a_failed_request(base_path):
    with serving(base_path) as caller:
        answers, failures, enough = [], [], threading.Event()

        def ask():
            while not enough.is_set():
                try:
                    answers.append(caller.score())
                except grpc.RpcError as error:
                    failures.append(error)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        until(lambda: len(answers) > 20)
        export(SidRanker(bonus=20.0), base_path, 2)
        until(lambda: (2, 23.0) in answers)
        enough.set()
        for thread in threads:
            thread.join()
        assert failures == []
        assert set(answers) == {(1, 13.0), (2, 23.0)}
        until(lambda: caller.states() == {1: "END", 2: "AVAILABLE"})
        with pytest.raises(grpc.RpcError, match=r"Specific\(ranker, 1\)"):
            caller.score(version=1)


def test_a_broken_version_leaves_the_old_one_serving_until_it_is_mended(base_path):
    with serving(base_path) as caller:
        whole = export(SidRanker(bonus=20.0), base_path.parent / "elsewhere", 2)
        broken = base_path.parent / "broken"
        broken.mkdir()
        (broken / "saved_model.pb").write_bytes(b"not a model")
        broken.rename(base_path / "2")
        until(lambda: caller.states() == {1: "AVAILABLE", 2: "END"})
        assert caller.error(2).error_code == tf.errors.NOT_FOUND
        assert "saved_model.pb" in caller.error(2).error_message
        assert caller.score() == (1, 13.0)
        with pytest.raises(grpc.RpcError, match=r"Specific\(ranker, 2\)"):
            caller.score(version=2)
        # As a slow copy does it: first the graph, some polls later the weights.
        shutil.copy(whole / "saved_model.pb", base_path / "2")
        until(lambda: caller.error(2).error_message.count("variables"))
        assert caller.score() == (1, 13.0)
        shutil.copytree(whole / "variables", base_path / "2" / "variables")
        until(lambda: caller.score() == (2, 23.0))


def test_a_newer_version_passes_a_broken_one(base_path):
    with serving(base_path) as caller:
        (base_path / "2").mkdir()
        until(lambda: caller.states().get(2) == "END")
        export(SidRanker(bonus=30.0), base_path, 3)
        until(lambda: caller.score() == (3, 33.0))


def break_weights(version_path):
    (data,) = (version_path / "variables").glob("variables.data*")
    content = bytearray(data.read_bytes())
    content[:4] = bytes(255 - byte for byte in content[:4])
    data.write_bytes(content)


def test_a_server_starts_with_the_newest_version_that_loads(base_path, caplog):
    for version in (2, 3):
        break_weights(export(SidRanker(bonus=10.0 * version), base_path, version))
    with serving(base_path) as caller:
        assert caller.score() == (1, 13.0)
        assert caller.states() == {1: "AVAILABLE", 2: "END", 3: "END"}
        assert caller.error(3).error_code == tf.errors.DATA_LOSS
        assert "Checksum does not match" in caller.error(3).error_message
        with pytest.raises(grpc.RpcError, match=r"Specific\(ranker, 3\)"):
            caller.score(version=3)
        time.sleep(5 * POLL_SECONDS)
        for version in (2, 3):
            said = rf"Model ranker version {version} does not load: .*Checksum does not match"
            assert len(re.findall(said, caplog.text)) == 1
        export(SidRanker(bonus=40.0), base_path, 4)
        until(lambda: caller.score() == (4, 43.0))
        until(lambda: caller.states() == {1: "END", 2: "END", 3: "END", 4: "AVAILABLE"})


def test_a_broken_version_does_not_count_among_those_that_are_kept(base_path):
    policy = ServableVersionPolicy()
    policy.latest.num_versions = 2
    export(SidRanker(bonus=20.0), base_path, 2)
    with serving(base_path, policy) as caller:
        (base_path / "3").mkdir()
        until(lambda: caller.states().get(3) == "END")
        time.sleep(5 * POLL_SECONDS)
        assert caller.states() == {1: "AVAILABLE", 2: "AVAILABLE", 3: "END"}


def test_what_is_served_stays_when_only_a_broken_version_is_left(base_path):
    with serving(base_path) as caller:
        (base_path / "2").mkdir()
        until(lambda: caller.states().get(2) == "END")
        shutil.rmtree(base_path / "1")
        time.sleep(5 * POLL_SECONDS)
        assert caller.score() == (1, 13.0)


def test_old_versions_answer_by_number_where_the_policy_keeps_them(base_path):
    export(SidRanker(bonus=20.0), base_path, 2)
    policy = ServableVersionPolicy()
    policy.latest.num_versions = 2
    with serving(base_path, policy) as caller:
        assert caller.score() == (2, 23.0)
        assert caller.score(version=1) == (1, 13.0)
        export(SidRanker(bonus=30.0), base_path, 3)
        until(lambda: caller.score() == (3, 33.0))
        assert caller.score(version=2) == (2, 23.0)
        until(lambda: caller.states() == {1: "END", 2: "AVAILABLE", 3: "AVAILABLE"})


@pytest.mark.parametrize(("policy", "served"), [("all", {1, 2}), ("specific", {1})])
def test_policies(base_path, policy, served):
    export(SidRanker(bonus=20.0), base_path, 2)
    version_policy = ServableVersionPolicy()
    if policy == "all":
        version_policy.all.SetInParent()
    else:
        version_policy.specific.versions.append(1)
    with serving(base_path, version_policy) as caller:
        assert caller.states() == dict.fromkeys(served, "AVAILABLE")
        assert caller.score()[0] == max(served)


def test_a_version_in_use_is_unloaded_when_its_request_has_ended(tmp_path):
    held = HeldRanker(bonus=10.0)
    export(held, tmp_path, 1)
    with serving(tmp_path) as caller:
        running = caller.predictions.Predict.future(predict_request("ranker", "hold"))
        assert held.entered.wait(10)
        export(SidRanker(bonus=20.0), tmp_path, 2)
        until(lambda: caller.states() == {1: "UNLOADING", 2: "AVAILABLE"})
        assert caller.score() == (2, 23.0)
        assert not running.done()
        held.let_go.set()
        assert tf.make_ndarray(running.result().outputs["bonus"]).item() == 10.0
        until(lambda: caller.states() == {1: "END", 2: "AVAILABLE"})


def test_an_unloaded_version_leaves_memory_by_itself(base_path):
    model = ServedModel("ranker")
    model.configure(ModelConfig(base_path=str(base_path)))
    session = weakref.ref(model.servable().signature("rank")._session)
    assert session() is not None
    export(SidRanker(bonus=20.0), base_path, 2)
    gc.disable()
    try:
        model.refresh(model.look())
        assert model.servable().version == 2
        assert session() is None
    finally:
        gc.enable()


def test_versions_taken_away_are_no_longer_served(base_path):
    with serving(base_path) as caller:
        shutil.rmtree(base_path / "1")
        until(lambda: caller.states() == {1: "END"})
        with pytest.raises(grpc.RpcError, match=r"Latest\(ranker\)"):
            caller.score()


def test_a_base_path_out_of_reach_changes_nothing(base_path):
    with serving(base_path) as caller:
        os.rename(base_path, base_path.parent / "away")
        time.sleep(5 * POLL_SECONDS)
        assert caller.score() == (1, 13.0)
