"""Clients that rank without a pause while releases come and go: not one request fails."""

import contextlib
import io
import pathlib
import threading

import numpy as np
import pyarrow.parquet as pq
import pytest
import rich.console
import tensorflow as tf

from semantic_id_ranking.cli import push
from semantic_id_ranking.components.releaser import release_models as release_models_module
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.components.releaser.release_models import release_models
from semantic_id_ranking.contracts import sid_table
from semantic_id_ranking.contracts.file_digests import write_file_digests
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.server import latest_versions
from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.store import open_store
from tests.releases import release
from tests.serving.ranking_cases import CONTEXT
from tests.serving.server_calls import until
from tests.serving.tiny_models import DIM
from tests.serving.tiny_models import Encoder
from tests.serving.tiny_models import SidRanker

#: Every Semantic ID of a space begins with its digit, that of the fingerprint.
SPACES = {"a" * 16: 1, "b" * 16: 2, "c" * 16: 3}
A, B, C = SPACES
ITEMS = ["stored", "new"]
EMBEDDINGS = {"new": np.float32([0, 5, 0])}


class SpaceEncoder(Encoder):
    """The codes of [a, b, c] are the digit of the space, and b."""

    def __init__(self, space):
        super().__init__(space)
        self.digit = SPACES[space]

    @tf.function(input_signature=[tf.TensorSpec([None, DIM], tf.float32, name="embedding")])
    def encode(self, embedding):
        second = tf.cast(embedding[:, 1], tf.int32)
        return {"sid": tf.stack([tf.fill(tf.shape(second), self.digit), second], 1)}


class Runs:
    """An output folder whose runs are released by the functions of `sid run` and `sid push`."""

    def __init__(self, output, store):
        self.output = output
        self.serving = str(output / "serving")
        self.config = {"serving": {"keep_versions": 3, "store": store, "load_seconds": 0.0}}
        self.exported = set()
        #: Bonus of a ranker -> its space; the bonus is the ranker's name.
        self.space_of = {}

    def release(self, bonus, space):
        encoder = self._export("semantic_id", space, SpaceEncoder(space), space)
        ranker = self._export("ranker", bonus, SidRanker(space, 1000.0 * bonus), space)
        self.space_of[bonus] = space
        sids = self.output / "sids" / space
        if space not in self.exported:
            self.exported.add(space)
            sids.mkdir(parents=True)
            table = sid_table.to_table(
                np.array(["stored"], object),
                np.int32([[SPACES[space], 3]]),
                np.zeros(1, np.int64),
                SidSpace(space, 2, 10, DIM),
            )
            pq.write_table(table, sids / "sids-0.parquet")
        described = release(
            fingerprint=space,
            models={"semantic_id": encoder, "ranker": ranker},
            semantic_ids=str(sids.relative_to(self.output)),
            config=self.config,
        )
        release_models(self.serving, described)

    def rollback(self):
        push.rollback(self.serving, None, rich.console.Console(file=io.StringIO()))

    def _export(self, name, key, model, space):
        path = self.output / "artifacts" / name / str(key)
        if (name, key) not in self.exported:
            self.exported.add((name, key))
            tf.saved_model.save(model, str(path), signatures=model.signatures())
            SidSpace(space, 2, 10, DIM).save(str(path / "assets.extra"))
            write_file_digests(str(path))
        return str(path.relative_to(self.output))


class Caller(threading.Thread):
    """Ranks an item of the store and a new one, over and over.

    A score tells the ranker, by thousands, and the Semantic ID, by its first code: `mixed` counts
    answers in which these are not of one space.
    """

    def __init__(self, client, runs):
        super().__init__()
        self.client = client
        self.runs = runs
        self.stopped = threading.Event()
        self.failures, self.mixed, self.seen = [], [], []

    def run(self):
        while not self.stopped.wait(0.002):
            try:
                ranking = self.client.rank_items(
                    ITEMS, embeddings=EMBEDDINGS, context=CONTEXT, task="click"
                )
            except Exception as error:
                self.failures.append(repr(error))
                continue
            scores = {row.item_id: row.scores["click"] for row in ranking.items}
            sources = {row.item_id: row.source for row in ranking.items}
            bonus = int(scores["stored"] // 1000)
            digit = SPACES[self.runs.space_of[bonus]]
            # The sum of both codes.
            expected = {"stored": 1000 * bonus + digit + 3, "new": 1000 * bonus + digit + 5}
            if scores != expected or sources != {"stored": "store", "new": "encoded"}:
                self.mixed.append((scores, expected, sources))
            self.seen.append(bonus)


@contextlib.contextmanager
def ranking(clients, runs):
    callers = [Caller(client, runs) for client in clients]
    for caller in callers:
        caller.start()
    try:
        yield callers
    finally:
        for caller in callers:
            caller.stopped.set()
        for caller in callers:
            caller.join()


@pytest.fixture
def runs(tmp_path, monkeypatch):
    # These models have no warm-up requests to be called on.
    monkeypatch.setattr(release_models_module, "require_releasable", lambda *_: None)
    return Runs(tmp_path / "output", f"sqlite:///{tmp_path}/sids.sqlite")


def test_no_request_fails_or_is_answered_from_two_spaces(client_class, runs, tmp_path):
    runs.release(1, A)
    base_paths = {name: f"{runs.serving}/{name}" for name in ("ranker", "semantic_id")}
    with (
        ModelServer(
            base_paths, version_policy={"semantic_id": latest_versions(2)}, poll_seconds=0.02
        ) as server,
        open_store(f"sqlite:///{tmp_path}/sids.sqlite") as store,
        client_class(server.address, store=store, timeout=20.0) as client,
        client_class(server.address, store=store, timeout=20.0) as another,
        ranking([client, another], runs) as callers,
    ):

        def comes(bonus):
            def has_come():
                wrong = any(caller.failures or caller.mixed for caller in callers)
                return wrong or all(caller.seen[-1:] == [bonus] for caller in callers)

            until(has_come, 60)
            assert [caller.failures for caller in callers] == [[], []]
            assert [caller.mixed for caller in callers] == [[], []]

        comes(1)
        runs.release(2, B)
        comes(2)
        runs.release(3, B)
        comes(3)
        runs.rollback()
        comes(2)
        runs.rollback()
        comes(1)
        runs.release(3, B)
        comes(3)
        runs.release(4, C)
        comes(4)
        runs.rollback()
        comes(3)
        runs.release(5, A)
        comes(5)
    assert min(len(caller.seen) for caller in callers) > 20
    assert read_releases(runs.serving)[0].fingerprint == A
    assert not pathlib.Path(runs.serving, ".releasing.json").exists()
