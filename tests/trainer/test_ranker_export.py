import dataclasses
import functools
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.ranker.export import export_ranker
from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.model import Ranker
from semantic_id_ranking.trainer.ranker.representations import REGISTRY
from semantic_id_ranking.trainer.ranker.representations import SidHybrid
from semantic_id_ranking.trainer.ranker.representations import SidNgram
from semantic_id_ranking.trainer.ranker.representations import SidPrefix
from semantic_id_ranking.trainer.tokenizer.sid_tokenizer import SidTokenizer
from tests.trainer import ranker_cases as cases


@dataclasses.dataclass
class Exported:
    """A ranker in memory and as it loads from disk."""

    model: object
    builder: FeatureBuilder
    directory: str

    def __post_init__(self):
        self.signatures = tf.saved_model.load(self.directory).signatures

    @property
    def reads(self):
        """The fields of items, and the tasks whose labels of the history are read."""
        labels = LABELS if self.directory.endswith("attention") else ()
        return self.model.representation.fields, labels


@pytest.fixture(scope="module")
def export(context, tokenizer, tmp_path_factory):
    """Exports a ranker of a representation, once."""

    @functools.cache
    def export_one(name: str) -> Exported:
        resources = SidTokenizer.load(tokenizer)
        layer = CONFIGS[name].create(cases.DIM, resources)
        labels = LABELS if name == "attention" else ()
        builder = FeatureBuilder(layer, context, history_length=3, history_labels=labels)
        tasks = (cases.CLICK, cases.WATCH)
        moments = {"click": LabelMoments(0.5, 0.5), "watch": LabelMoments(100.0, 50.0)}
        pooling = "attention" if name == "attention" else "mean"
        config = dataclasses.replace(cases.SMALL, history_pooling=pooling)
        model = Ranker(layer, context.spec, tasks, config, moments)
        model(builder(tf.io.parse_example(cases.random_examples(3), builder.parsing_spec)))
        rng = np.random.default_rng(0)
        # Large weights, so that a difference anywhere shows in the scores.
        for weight in model.trainable_weights:
            weight.assign(rng.normal(0, 0.5, weight.shape))
        directory = str(tmp_path_factory.mktemp("ranker") / name)
        export_ranker(model, builder, cases.SPACE, name, directory)
        return Exported(model, builder, directory)

    return export_one


CONFIGS = {name: REGISTRY[name](rows=12) for name in REGISTRY}
CONFIGS["sid_hybrid"] = SidHybrid(rows=60)
CONFIGS["separate"] = SidPrefix(rows=12, separate_tables=True)
# Attends to the history and its labels.
CONFIGS["attention"] = SidNgram(rows=12)


LABELS = ("click", "watch")


@pytest.fixture(params=CONFIGS)
def exported(request, export) -> Exported:
    return export(request.param)


def request_of(examples: list[bytes], fields, labels=()) -> dict[str, tf.Tensor]:
    """A `rank` request with the candidates of many examples and the user of the first one."""
    parsed = [tf.train.Example.FromString(example).features.feature for example in examples]
    user = parsed[0]
    request = {
        "context_tab": tf.constant(list(user["context_tab"].bytes_list.value)),
        "context_hour": tf.constant(list(user["context_hour"].float_list.value)),
    }
    for name in (f"history_label_{task}" for task in labels):
        request[name] = tf.constant([list(user[name].float_list.value)], tf.float32)
    if "sid" in fields:
        history = np.array(user["history_sid"].int64_list.value, np.int64)
        request["candidate_sid"] = tf.constant(
            [list(one["candidate_sid"].int64_list.value) for one in parsed], tf.int64
        )
        request["current_sid"] = tf.constant([list(user["current_sid"].int64_list.value)], tf.int64)
        request["history_sid"] = tf.constant(history.reshape(1, -1, cases.LEVELS))
    if "embedding" in fields:
        embeddings = [list(one["candidate_embedding"].float_list.value) for one in parsed]
        history = np.array(user["history_embedding"].float_list.value, np.float32)
        current = list(user["current_embedding"].float_list.value)
        request["candidate_embedding"] = tf.constant(embeddings)
        request["current_embedding"] = tf.constant([current])
        request["history_embedding"] = tf.constant(history.reshape(1, -1, 16))
    if "item_id" in fields:
        history = list(user["history_item_id"].bytes_list.value)
        request["candidate_item_id"] = tf.constant(
            [one["candidate_item_id"].bytes_list.value[0] for one in parsed]
        )
        request["current_item_id"] = tf.constant([user["current_item_id"].bytes_list.value[0]])
        request["history_item_id"] = tf.reshape(tf.constant(history, tf.string), [1, -1])
    return request


def test_serving_gives_what_the_model_in_memory_gives(exported):
    examples = tf.constant(cases.random_examples(20))
    raw = tf.io.parse_example(examples, exported.builder.parsing_spec)
    expected = exported.model(exported.builder(raw))
    served = exported.signatures["serving_default"](examples=examples)
    assert set(served) == {"click", "watch"}
    for name in served:
        assert served[name].dtype == tf.float32
        assert np.std(served[name]) > 1e-3
        np.testing.assert_allclose(served[name], expected[name], rtol=1e-5)


USERS = {
    "a history": {},
    "no history, no current item": {
        "history_sid": [],
        "history_item_id": [],
        "current_sid": [-1, -1],
        "current_item_id": [b""],
        "history_embedding": [],
        "history_label_click": [],
        "history_label_watch": [],
        "current_embedding": [0.0] * 16,
    },
    "more history than is used": {
        "history_sid": [1, 1, 3, 0, 2, 2, 0, 0, 3, 3],
        "history_item_id": [b"i11", b"i30", b"i22", b"i00", b"i33"],
        "history_embedding": [i / 16 for i in range(5 * 16)],
        "history_label_click": [1.0, 0.0, float("nan"), 1.0, 1.0],
        "history_label_watch": [10.0, 400.0, 60.0, float("nan"), 1.0],
    },
    "a context of zero": {"context_hour": [0.0], "context_tab": [b"never seen"]},
}


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("count", [1, 6])
def test_rank_gives_what_serving_gives(exported, user, count):
    examples = [
        cases.joined_example(
            candidate_sid=[i % 4, i // 4],
            candidate_item_id=[b"i%d" % i],
            candidate_embedding=cases.embedding_of([i % 4, i // 4]),
            **USERS[user],
        )
        for i in range(count)
    ]
    ranked = exported.signatures["rank"](**request_of(examples, *exported.reads))
    served = exported.signatures["serving_default"](examples=tf.constant(examples))
    for name in ("click", "watch"):
        assert ranked[name].shape == (count,)
        np.testing.assert_allclose(ranked[name], served[name], rtol=1e-5)


def test_rank_takes_context_by_candidate(exported):
    hours = [0.0, 5.0, 23.0]
    examples = [cases.joined_example(context_hour=[hour]) for hour in hours]
    request = request_of(examples, *exported.reads)
    ranked = exported.signatures["rank"](**{**request, "context_hour": tf.constant(hours)})
    served = exported.signatures["serving_default"](examples=tf.constant(examples))
    np.testing.assert_allclose(ranked["click"], served["click"], rtol=1e-5)
    # Of random weights, a head may be dead.
    assert any(len(set(scores.numpy())) > 1 for scores in ranked.values())


def test_serving_needs_no_labels_and_keeps_a_batch_of_one(exported):
    serve = exported.signatures["serving_default"]
    with_labels = serve(examples=tf.constant([cases.joined_example()]))
    bare = cases.joined_example(without=("label_click", "label_watch", "history_length"))
    served = serve(examples=tf.constant([bare]))
    assert served["click"].shape == (1,)
    np.testing.assert_array_equal(served["click"], with_labels["click"])


@pytest.mark.parametrize("task", LABELS)
def test_each_label_of_the_history_counts(export, task):
    exported = export("attention")
    examples = [cases.joined_example(), cases.joined_example(candidate_sid=[3, 0])]
    request = request_of(examples, *exported.reads)
    rank = exported.signatures["rank"]
    scores = rank(**request)
    other = rank(**{**request, f"history_label_{task}": tf.constant([[0.0, 0.0]])})
    # Of random weights, a head may be dead.
    assert any(np.abs(scores[name] - other[name]).max() > 1e-4 for name in scores)


def test_inputs_are_those_of_the_representation(exported):
    _, inputs = exported.signatures["rank"].structured_input_signature
    fields, labels = exported.reads
    items = {f"{role}_{field}" for role in ("candidate", "current", "history") for field in fields}
    of_history = {f"history_label_{task}" for task in labels}
    assert set(inputs) == {*items, *of_history, "context_tab", "context_hour"}


def test_info_tells_the_sid_space(exported):
    info = exported.signatures["info"]()
    assert {name: value.numpy() for name, value in info.items()} == {
        "fingerprint": b"0123456789abcdef",
        "levels": 2,
        "codebook_size": 4,
        "representation": os.path.basename(exported.directory).encode(),
    }
    space = SidSpace.load(os.path.join(exported.directory, "assets.extra"))
    assert space == cases.SPACE


def test_sid_hybrid_is_served_from_folded_constants(export):
    exported = export("sid_hybrid")
    layer = exported.model.representation
    shared, own = (table.numpy() for table in layer.tables)
    saved = tf.train.load_checkpoint(os.path.join(exported.directory, "variables", "variables"))
    shapes = saved.get_variable_to_shape_map()
    tensors = [saved.get_tensor(name) for name in shapes if name.endswith("VARIABLE_VALUE")]
    for table in (shared, own):
        alike = [one for one in tensors if one.shape == table.shape]
        # In the place of a table, its product; the table itself is in the training state.
        assert len(alike) == 1
        assert not np.allclose(alike[0], table)


ELSEWHERE = """
import json, sys
import tensorflow as tf
import tensorflow_text
signatures = tf.saved_model.load("ranker").signatures
request = json.load(open("request.json"))
sids = {name: tf.constant(value, tf.int64) for name, value in request.items() if "_sid" in name}
rest = {name: tf.constant(value) for name, value in request.items() if "_sid" not in name}
scores = signatures["rank"](**sids, **rest)["click"].numpy().tolist()
assert not [name for name in sys.modules if name.split(".")[0] in ("semantic_id_ranking", "tfx")]
json.dump(scores, open("scores.json", "w"))
"""


def test_it_runs_where_this_package_is_not(export, tmp_path):
    exported = export("sid_spm")
    request = request_of([cases.joined_example(), cases.joined_example()], ("sid",))
    os.rename(exported.directory, tmp_path / "ranker")
    try:
        plain = {name: np.array(value).tolist() for name, value in request.items()}
        plain["context_tab"] = ["home"]
        (tmp_path / "request.json").write_text(json.dumps(plain))
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", ELSEWHERE],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        scores = json.loads((tmp_path / "scores.json").read_text())
    finally:
        os.rename(tmp_path / "ranker", exported.directory)
    expected = exported.signatures["rank"](**request)["click"]
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
