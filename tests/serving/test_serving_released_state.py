"""A day that is served from what a release put into the store: it is as that day's examples say."""

import collections
import contextlib

import numpy as np
import pytest
from tensorflow.core.framework import types_pb2

from semantic_id_ranking.components.releaser.publish_sids import publish_sids
from semantic_id_ranking.contracts.counters import CounterLayout
from semantic_id_ranking.serving.client import MissingInputError
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.tensor_proto import read_array
from tests.components.feature_joiner_runs import DAILY
from tests.components.feature_joiner_runs import impression
from tests.components.feature_joiner_runs import PARAMETERS
from tests.components.feature_joiner_runs import read
from tests.components.feature_joiner_runs import run
from tests.components.feature_joiner_runs import SPACE
from tests.components.feature_joiner_runs import values
from tests.serving import switched_ranker
from tests.serving.ranking_cases import Waiting
from tests.serving.test_serving_retries import listen

#: Items that share the first code with item a or b, or both; nobody sees f before the last day.
MORE = {"c": [1, 2], "d": [1, 5], "e": [6, 0], "f": [3, 0]}
DAYS = (0, 2, 3)
WIDTHS = CounterLayout(("click",)).widths
JOINED = {
    **PARAMETERS,
    **DAILY,
    "half_life": 1.5 * 86_400_000_000,
    "max_unknown_fraction": 0.0,
    "positive": None,
    "shards": 2,
    "history_labels": True,
}


def log(day, rows, items, users):
    """Random impressions of a day, some without a user or a label."""
    rng = np.random.default_rng(day)
    return [
        impression(
            users[rng.integers(len(users))],
            items[rng.integers(len(items))].encode(),
            24 * day + int(rng.integers(24)),
            (None, 0, 1)[rng.integers(3)],
        )
        for _ in range(rows)
    ]


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """The folders of states and tables after the last two days, and the last one's examples."""
    root = tmp_path_factory.mktemp("days")
    found, earlier = [], None
    for day in DAYS:
        last = day == DAYS[-1]
        rows = log(
            day,
            60,
            ["a", "b", "c", "d", "e"] + ["f"] * last,
            [None, b"u", b"v", b"w"] + [b"x"] * last,
        )
        folder = root / str(day)
        folder.mkdir()
        outputs = run(folder, rows, [], JOINED, earlier, more_sids=MORE)
        earlier = outputs["state"]
        found.append((folder, outputs))
    *_, (before, _), (after, outputs) = found
    return before, after, read(outputs["examples"].uri, "train")


class CountingRanker(switched_ranker.SwitchedRanker):
    """A ranker that asks for counters, and keeps what it was sent."""

    def GetModelMetadata(self, request, context):  # noqa: N802
        response = super().GetModelMetadata(request, context)
        signatures = switched_ranker.get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        for column, width in WIDTHS.items():
            info = signatures.signature_def["rank"].inputs[f"context_{column}"]
            info.dtype = types_pb2.DT_FLOAT
            for size in (1 if column == "user_counters" else -1, width):
                info.tensor_shape.dim.add(size=size)
        labels = signatures.signature_def["rank"].inputs["history_label_click"]
        labels.dtype = types_pb2.DT_FLOAT
        for size in (1, -1):
            labels.tensor_shape.dim.add(size=size)
        response.metadata["signature_def"].Pack(signatures)
        return response

    def Predict(self, request, context):  # noqa: N802
        if request.model_spec.signature_name == "rank":
            self.sent = {name: read_array(tensor) for name, tensor in request.inputs.items()}
        return super().Predict(request, context)


@contextlib.contextmanager
def counting_ranker(fingerprint):
    servicer = CountingRanker(switched_ranker.Version(1, fingerprint))
    server, servicer.address = listen(servicer)
    yield servicer
    server.stop(None).wait()


@pytest.fixture(scope="module")
def server():
    with counting_ranker(SPACE.fingerprint) as servicer:
        yield servicer


def publish(folder, url):
    publish_sids(None, str(folder / "sids"), url, str(folder / "state"))


@pytest.mark.parametrize("client_class", [RankerClient, Waiting])
def test_what_a_client_sends_is_what_the_next_days_examples_hold(days, server, url, client_class):
    before, _, examples = days
    publish(before, url)
    kinds = collections.Counter()
    with open_store(url) as store, client_class(server.address, store=store) as ranker:
        for row in examples:
            (item,) = values(row, "candidate_item_id")
            has_user = row["user_id"].WhichOneof("kind") and values(row, "user_id")
            user = has_user[0] if has_user else b"somebody unknown"
            # Beside another candidate, which a feature by candidate must not be mixed up with.
            ranker.rank_items([item, "f"], user=user)
            sent = server.sent
            assert sent["candidate_sid"][0].tolist() == values(row, "candidate_sid")
            assert sent["history_sid"].ravel().tolist() == values(row, "history_sid")
            for column in WIDTHS:
                found = sent[f"context_{column}"][0].tolist()
                assert found == values(row, f"context_{column}"), (item, user, column)
            record = store.get_items(SPACE.fingerprint, [], 0, user.decode()).user
            if record is not None:
                assert [one.encode() for one in record.item_ids] == values(row, "history_item_id")
            labels = np.array(values(row, "history_label_click"), np.float32)
            np.testing.assert_array_equal(sent["history_label_click"], labels[np.newaxis])
            kinds.update(
                known=record is not None,
                unseen=item == b"f",
                by_codes=any(values(row, "context_user_code_counters")),
                masked=np.isnan(labels).any() and len(labels) > 1,
                faded=values(row, "context_item_counters")[3] % 1 > 0,
            )
    assert 0 < kinds["known"] < len(examples)
    assert all(kinds[kind] for kind in ("unseen", "by_codes", "faded")), kinds


def test_the_next_release_replaces_all_of_it(days, server, url):
    before, after, _ = days
    publish(before, url)
    publish(after, url)
    with open_store(url) as store, RankerClient(server.address, store=store) as ranker:
        ranker.rank_items(["f"], user="x")
        assert server.sent["context_item_counters"].any()
        assert server.sent["context_user_counters"].any()
        assert server.sent["history_sid"].size
        assert store.get_items(SPACE.fingerprint, [], 0).moment.as_of.startswith("1970-01-05")


def test_what_the_caller_gives_is_not_read(days, server, url):
    publish(days[0], url)
    given = {"item_counters": [9.0] * 6, "user_counters": [8.0] * 3}
    with open_store(url) as store, RankerClient(server.address, store=store) as ranker:
        past = {"history": ["b"], "history_labels": {"click": [None]}}
        ranking = ranker.rank_items(["a"], user="u", context=given, **past)
        sent = server.sent
        assert np.isnan(sent["history_label_click"]).tolist() == [[True]]
        assert sent["history_sid"].tolist() == [[[6, 7]]]
        assert sent["context_item_counters"].tolist() == [[9.0] * 6]
        assert sent["context_user_counters"].tolist() == [[8.0] * 3]
        assert sent["context_user_code_counters"].any()
        assert ranking.sid_counts == {"store": 2, "encoded": 0, "unknown": 0}
        ranker.rank_items(["a"], user="u", history=[], context=given)
        assert not server.sent["history_sid"].size
        # Without a user, the item's counters are read, and the user's are asked of the caller.
        with pytest.raises(MissingInputError, match="missing: user_code_counters"):
            ranker.rank_items(["a"])
        nobody = {"user_counters": [0] * 3, "user_code_counters": [0] * 6}
        ranker.rank_items(["a"], context=nobody)
        assert server.sent["context_item_counters"].any()


def test_items_of_a_history_are_counted_by_their_source(days, server, url):
    publish(days[0], url)
    with open_store(url) as store, RankerClient(server.address, store=store) as ranker:
        history = store.get_items(SPACE.fingerprint, [], 0, "u").user.item_ids
        ranking = ranker.rank_items(["a", "new"], user="u")
    known = len({"a", *history})
    assert ranking.sid_counts == {"store": known, "encoded": 0, "unknown": 1}
    assert np.isnan(server.sent["context_user_code_counters"][1]).all()
    assert not server.sent["context_item_counters"][1].any()


def test_a_user_of_a_store_without_users_is_refused(days, server, tmp_path):
    url = f"sqlite:///{tmp_path}/store.sqlite"
    publish_sids(None, str(days[0] / "sids"), url)
    with RankerClient(server.address) as ranker, pytest.raises(MissingInputError, match="no store"):
        ranker.rank_items(["a"], user="u")
    with open_store(url) as store, RankerClient(server.address, store=store) as ranker:
        with pytest.raises(MissingInputError, match=r"holds no users of .* context\.counters"):
            ranker.rank_items(["a"], user="u")
        with pytest.raises(MissingInputError, match=r"missing: item_counters \(6 of float32\)"):
            ranker.rank_items(["a"])
        with pytest.raises(ValueError, match="user: "):
            ranker.rank_items(["a"], user=1.5)
