"""`rank_many`: users of different sizes in one request, joined as TensorFlow Serving joins."""

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.many_users import flatten_users
from semantic_id_ranking.trainer.ranker.ranker_inputs import spread
from tests.trainer import ranker_cases as cases
from tests.trainer.test_ranker_export import export  # noqa: F401  a fixture
from tests.trainer.test_ranker_export import request_of

# History entries and candidates of each user.
SIZES = [(0, 1), (2, 5), (5, 3), (1, 5)]


def users(reads) -> list[dict[str, np.ndarray]]:
    """A request to `rank` for each user."""
    rng = np.random.default_rng(1)
    requests = []
    for entries, candidates in SIZES:
        history = rng.integers(0, cases.CODES, (entries, cases.LEVELS))
        chosen = rng.integers(0, cases.CODES, (candidates, cases.LEVELS))
        current = rng.integers(0, cases.CODES, cases.LEVELS)
        of_user = {
            "history_sid": history.ravel().tolist(),
            "history_item_id": [b"i%d%d" % tuple(sid) for sid in history],
            "history_embedding": [x for sid in history for x in cases.embedding_of(sid)],
            "history_label_click": rng.choice([0.0, 1.0, np.nan], entries).tolist(),
            "history_label_watch": rng.normal(60, 30, entries).tolist(),
            "current_sid": current.tolist(),
            "current_item_id": [b"i%d%d" % tuple(current)],
            "current_embedding": cases.embedding_of(current),
            "context_tab": [bytes(rng.choice([b"home", b"search", b"other"]))],
            "context_hour": [float(rng.integers(0, 24))],
        }
        examples = [
            cases.joined_example(
                candidate_sid=sid.tolist(),
                candidate_item_id=[b"i%d%d" % tuple(sid)],
                candidate_embedding=cases.embedding_of(sid),
                **of_user,
            )
            for sid in chosen
        ]
        requests.append({k: v.numpy() for k, v in request_of(examples, *reads).items()})
    return requests


def of_many(request: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A request to `rank` as one to `rank_many`: no tensor is empty, which cannot be padded."""
    many = {}
    for name, values in request.items():
        many[name] = values[None] if name.startswith("candidate_") else values
        if name.startswith("history_"):
            count = values.shape[1]
            if not count:
                # Any entry, which does not count.
                shape = (1, 1, *values.shape[2:])
                many[name] = np.full(shape, b"i00" if values.dtype == object else 1, values.dtype)
        elif name.startswith("candidate_"):
            candidates = len(values)
    return many | {
        "candidate_count": np.array([candidates], np.int32),
        "history_count": np.array([count], np.int32),
    }


def join(requests: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """One request of several, as TensorFlow Serving's batching makes it.

    Each tensor is padded to the largest of each dimension after the first, with its own first
    element (`batching_util.cc`).
    """
    joined = {}
    for name in requests[0]:
        tensors = [request[name] for request in requests]
        shape = np.max([tensor.shape[1:] for tensor in tensors], axis=0)
        padded = []
        for tensor in tensors:
            full = np.full((len(tensor), *map(int, shape)), tensor.ravel()[0], tensor.dtype)
            full[tuple(slice(size) for size in tensor.shape)] = tensor
            padded.append(full)
        joined[name] = np.concatenate(padded)
    return joined


def call(signature, request: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    outputs = signature(**{name: tf.constant(values) for name, values in request.items()})
    return {task: scores.numpy() for task, scores in outputs.items()}


@pytest.mark.parametrize(
    "name",
    ["random_hash", "dense", "id_plus_sid", "sid_hybrid", "sid_spm", "separate", "attention"],
)
def test_every_user_gets_what_rank_gives(export, name):  # noqa: F811
    exported = export(name)
    requests = users(exported.reads)
    rank, rank_many = (exported.signatures[one] for one in ("rank", "rank_many"))
    joined = join([of_many(one) for one in requests])
    together = call(rank_many, joined)
    halves = [join([of_many(one) for one in half]) for half in (requests[:2], requests[2:])]
    rejoined = call(rank_many, join(halves))
    apart = [
        scores for half in halves for scores in zip(*call(rank_many, half).values(), strict=True)
    ]
    for user, (request, (_, candidates)) in enumerate(zip(requests, SIZES, strict=True)):
        for task, expected in call(rank, request).items():
            assert together[task].shape == (len(SIZES), 5)
            # The standard deviation of `watch` is 50.
            tolerance = {"rtol": 1e-5, "atol": 1e-6 if task == "click" else 1e-3}
            np.testing.assert_allclose(together[task][user, :candidates], expected, **tolerance)
            np.testing.assert_array_equal(together[task][user, candidates:], 0)
            np.testing.assert_array_equal(rejoined[task], together[task])
            of_half = apart[user][list(together).index(task)]
            np.testing.assert_allclose(of_half[:candidates], expected, **tolerance)


def test_context_is_the_users_or_the_candidates(export):  # noqa: F811
    exported = export("sid_hybrid")
    rank, rank_many = (exported.signatures[one] for one in ("rank", "rank_many"))
    requests = users(exported.reads)[1:]
    rng = np.random.default_rng(2)
    for request in requests:
        request["context_hour"] = rng.uniform(0, 24, len(request["candidate_sid"]))
        request["context_hour"] = request["context_hour"].astype(np.float32)
    many = []
    for request in requests:
        one = of_many(request)
        many.append(one | {"context_hour": one["context_hour"][None]})
    scores = call(rank_many, join(many))
    for user, request in enumerate(requests):
        for task, expected in call(rank, request).items():
            found = scores[task][user, : len(expected)]
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("name", ["sid_hybrid", "attention"])
def test_a_network_that_takes_no_groups_gets_a_user_a_candidate(export, name):  # noqa: F811
    exported = export(name)
    model, builder = exported.model, exported.builder
    joined = join([of_many(one) for one in users(exported.reads)])
    tensors = {name: tf.constant(values) for name, values in joined.items()}
    features = builder(flatten_users(tensors, builder.request_spec))
    seen = []
    network = model.network

    def without_groups(inputs, training=False):
        seen.append(inputs)
        return network(inputs, training=training)

    model.network = without_groups
    try:
        broadcast = model(features, grouped=True)
    finally:
        model.network = network
    assert not seen[0].grouped
    assert seen[0].current.shape[0] == seen[0].candidate.shape[0] == 20
    for task, scores in model(features, grouped=True).items():
        np.testing.assert_allclose(broadcast[task], scores, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("rows", [1, 2, 6])
def test_rows_spread_over_their_candidates(rows):
    values = np.arange(2 * rows).reshape(rows, 2)
    np.testing.assert_array_equal(
        spread(tf.constant(values), tf.constant(6)), np.repeat(values, 6 // rows, axis=0)
    )


def test_no_rows_spread_over_no_candidates():
    assert spread(tf.zeros([0, 3]), tf.constant(0)).shape == (0, 3)
    assert spread(tf.zeros([1, 3]), tf.constant(0)).shape == (0, 3)
