"""A network of the user's own: its inputs, its served outputs, its refusals."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.trainer.ranker.check_network import check_network
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.cross_network import CrossNetwork
from semantic_id_ranking.trainer.ranker.model import Ranker
from semantic_id_ranking.trainer.ranker.network_factory import network_factory
from semantic_id_ranking.trainer.ranker.ranker_inputs import HistoryLabels
from semantic_id_ranking.trainer.ranker.ranker_inputs import RankerInputs
from semantic_id_ranking.trainer.ranker.representations.item_representation import ItemVectors
from semantic_id_ranking.trainer.ranker.train import train
from tests.trainer import ranker_cases as cases

TASKS = (cases.CLICK, cases.WATCH)
COUNTERS = {"context_item_counters": 4, "context_user_counters": 2, "context_user_code_counters": 4}
CONTEXT = ContextSpec({"context_tab": 3}, ("context_hour", "history_length"), COUNTERS)
NETWORK = """
import tensorflow as tf

NUMBER = 3


class Layer(tf.keras.layers.Layer):
    def __init__(self, config, tasks):
        super().__init__()
        self.tasks = [task.name for task in tasks]
        self.dense = {name: tf.keras.layers.Dense(1) for name in self.tasks}
        self.dropout = tf.keras.layers.Dropout(0.5)

    def call(self, inputs, training=False):
        BODY


def no_layer(config, tasks):
    return Layer


def fails(config, tasks):
    return config.no_such_field
"""
GOOD = "return {t: self.dense[t](inputs.candidate)[:, 0] for t in self.tasks}"


@pytest.fixture
def write(tmp_path, monkeypatch, request):
    """Writes a module with a network; returns the module's name."""
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"own_{abs(hash(request.node.name))}"

    def written(body: str = GOOD, head: str = "") -> str:
        lines = body.replace("\n", "\n        ")
        (tmp_path / f"{name}.py").write_text(head + NETWORK.replace("BODY", lines))
        return name

    return written


def config(model: str | None) -> RankerConfig:
    return dataclasses.replace(cases.SMALL, model=model)


def check(model: str) -> None:
    check_network(config(model), TASKS, CONTEXT)


@pytest.mark.parametrize("name", ["my_ranker", "", "my_package.", "my-package.ranker", "a..b"])
def test_what_is_no_dotted_name_is_refused(name):
    with pytest.raises(ValueError, match="name a function by its module"):
        RankerConfig(model=name)


def test_without_a_name_it_is_the_cross_network():
    assert network_factory(None) is CrossNetwork
    assert isinstance(cases.ranker().network, CrossNetwork)
    check_network(config(None), TASKS, CONTEXT)


def test_a_good_network_passes(write, din):
    check(f"{write()}.Layer")
    check(din)


REFUSED_NAMES = {
    "no_such_module.ranker": r"cannot be imported \(ModuleNotFoundError: No module named",
    "MODULE.no_such_name": "is not in MODULE",
    "MODULE.NUMBER": "is of type int; name a function",
    "MODULE.no_layer": "returns an object of type type; a layer of tf_keras",
    "MODULE.fails": r"fails when called with \(config, tasks\) \(Attribute.*MODULE.py line 2",
}


@pytest.mark.parametrize("name", REFUSED_NAMES)
def test_names_that_lead_to_no_network(write, name):
    module = write()
    message = f"^ranker.model: .*{REFUSED_NAMES[name]}".replace("MODULE", module)
    with pytest.raises(InputError, match=message) as raised:
        check(name.replace("MODULE", module))
    assert "\n" not in str(raised.value)


def test_a_module_that_fails_is_not_imported(write):
    module = write(head="import no_such_library\n")
    with pytest.raises(InputError, match=r"cannot be imported .*no_such_library"):
        check(f"{module}.Layer")


OTHERS = {
    "another task": (
        "return {'like': self.dense['click'](inputs.candidate)[:, 0]}",
        "returns outputs of like; a dictionary is needed .* click, watch$",
    ),
    "a task less": (
        "return {'click': self.dense['click'](inputs.candidate)[:, 0]}",
        "returns outputs of click; a dictionary is needed",
    ),
    "a tensor": (
        "return inputs.candidate[:, 0]",
        "returns an object of type .*Tensor; a dictionary is needed",
    ),
    "a number": (
        "return dict.fromkeys(self.tasks, 0.5)",
        "returns an object of type float for task click",
    ),
    "a last axis": (
        "return {t: self.dense[t](inputs.candidate) for t in self.tasks}",
        r"output of task click is float32 \[3, 1\] in training; float32 \[3\] is needed",
    ),
    "half precision": (
        "return {t: tf.cast(inputs.candidate[:, 0], tf.float16) for t in self.tasks}",
        r"output of task click is float16 \[3\]",
    ),
    "users alone": (
        "return {t: self.dense[t](inputs.current)[:, 0] for t in self.tasks}",
        r"output of task click is float32 \[1\] with one user for all candidates",
    ),
    "the user is not broadcast": (
        "x = tf.concat([inputs.candidate, inputs.current], axis=1)\n"
        "return {t: self.dense[t](x)[:, 0] for t in self.tasks}",
        "fails with one user for all candidates .*line 1",
    ),
    "an item's counters are taken for the user's": (
        "user = [inputs.current, inputs.context['context_item_counters']]\n"
        "x = inputs.candidate + tf.concat(user, axis=1)[:, :1]\n"
        "return {t: self.dense[t](x)[:, 0] for t in self.tasks}",
        "fails with one user for all candidates ",
    ),
    "a history is taken for granted": (
        "x = inputs.candidate + inputs.broadcast().history.all()[:, 0]\n"
        "return {t: self.dense[t](x)[:, 0] for t in self.tasks}",
        "fails with one user for all candidates, who has no history",
    ),
    "in training alone": (
        "x = inputs.candidate[0] if training else inputs.candidate\n"
        "return {t: self.dense[t](x)[:, 0] for t in self.tasks}",
        "fails in training",
    ),
    "no values in a graph": (
        "x = tf.constant(inputs.candidate.numpy())\n"
        "return {t: self.dense[t](x)[:, 0] for t in self.tasks}",
        r"fails in training \(AttributeError: .* has no attribute 'numpy', [^ ]*py line 15\)$",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_networks_that_do_something_else(write, case):
    body, message = OTHERS[case]
    with pytest.raises(InputError, match=f"^ranker.model: own_[0-9]+.Layer.* {message}") as raised:
        check(f"{write(body)}.Layer")
    assert "\n" not in str(raised.value)


def test_training_refuses_before_it_looks_at_the_data(write):
    module = write(OTHERS["a tensor"][0])
    data = tf.data.Dataset.from_generator(lambda: pytest.fail("read"), {"label_click": tf.float32})
    layer = cases.representation()
    with pytest.raises(InputError, match="a dictionary is needed"):
        train(data, layer, ContextSpec(), TASKS, config(f"{module}.Layer"), {})


def test_one_user_for_all_candidates_is_repeated():
    inputs = RankerInputs(
        candidate=tf.zeros([3, 2]),
        current=tf.constant([[1.0, 2.0]]),
        history=ItemVectors(
            tf.constant([[0.0, 0.0], [5.0, 6.0]]),
            tf.constant([False, True]),
            tf.constant([[1, 0]]),
        ),
        history_labels=HistoryLabels(tf.constant([[[1.0], [2.0]]]), tf.fill([1, 2, 1], True)),
        shared_codes=tf.zeros([3, 2]),
        context={"by_user": tf.constant([[7.0]]), "by_candidate": tf.constant([[1.0], [2], [3]])},
    ).broadcast()
    np.testing.assert_array_equal(inputs.current, [[1, 2]] * 3)
    np.testing.assert_array_equal(inputs.history.all(), [[[5, 6], [0, 0]]] * 3)
    np.testing.assert_array_equal(inputs.history.present, [[True, False]] * 3)
    np.testing.assert_array_equal(inputs.history_labels.values, [[[1], [2]]] * 3)
    assert inputs.history_labels.known.shape == (3, 2, 1)
    np.testing.assert_array_equal(inputs.context["by_user"], [[7]] * 3)
    np.testing.assert_array_equal(inputs.context["by_candidate"], [[1], [2], [3]])


def test_dropout_drops_in_training_alone(write):
    body = "x = self.dropout(0 * inputs.candidate + 1)[:, 0]\nreturn dict.fromkeys(self.tasks, x)"
    module = write(body)
    model = Ranker(cases.representation(), ContextSpec(), TASKS, config(f"{module}.Layer"))
    features = cases.features([[0, 1]] * 50, [[[1, 1]]] * 50)
    inputs = model.network_inputs(features)
    dropped = model.network(inputs, training=True)["click"].numpy()
    assert {0.0, 2.0} == set(dropped)
    np.testing.assert_array_equal(model.network(inputs, training=False)["click"], np.ones(50))
    labels = {f"label_{task.name}": tf.zeros([50]) for task in TASKS}
    losses = [model.compute_loss({**features, **labels}, training) for training in (True, False)]
    # Log-odds of 1 for all, of 0 and 2 for halves: the losses are convex.
    assert float(losses[0]) > float(losses[1]) + 0.05
