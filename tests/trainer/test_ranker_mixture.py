"""MMoE: the layer against a loop, and a ranker with it."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.export import export_ranker
from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.mixture_of_experts import MixtureOfExperts
from semantic_id_ranking.trainer.ranker.model import Ranker
from tests.trainer import ranker_cases as cases

MMOE = dataclasses.replace(cases.SMALL, bottom="mmoe", experts=3, bottom_widths=(6, 5))
SHAPES = [(1, 3, (4,), 1), (2, 3, (4, 2), 7), (3, 1, (5,), 2), (1, 1, (2, 2), 1)]


def randomised(layer):
    rng = np.random.default_rng(0)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(size=weight.shape))
    return layer


@pytest.mark.parametrize(("tasks", "experts", "widths", "batch"), SHAPES)
def test_each_task_mixes_the_experts_by_its_own_gate(tasks, experts, widths, batch):
    inputs = np.random.default_rng(1).normal(size=(batch, 3)).astype(np.float32)
    layer = MixtureOfExperts(tasks, experts, widths)
    layer(inputs)
    randomised(layer)
    mixed = layer(inputs)
    assert len(mixed) == tasks
    for task, output in enumerate(mixed):
        assert output.shape == (batch, widths[-1])
        gate = layer._gates[task].kernel.numpy()
        for row in range(batch):
            score = np.exp(inputs[row] @ gate)
            expected = np.zeros(widths[-1])
            for expert in range(experts):
                vector = inputs[row]
                for dense in layer._experts[expert]:
                    vector = np.maximum(vector @ dense.kernel.numpy() + dense.bias.numpy(), 0)
                expected += score[expert] / score.sum() * vector
            np.testing.assert_allclose(output[row], expected, rtol=1e-4, atol=1e-5)


def test_experts_start_apart():
    tf.keras.utils.set_random_seed(0)
    layer = MixtureOfExperts(2, 2, (4,))
    layer(np.ones((1, 3), np.float32))
    (first,), (second,) = layer._experts
    assert np.abs(first.kernel.numpy() - second.kernel.numpy()).max() > 0.01


def test_kernels_of_experts_and_gates_are_regularised():
    layer = MixtureOfExperts(2, 3, (4,), tf.keras.regularizers.L2(0.5))
    layer(np.ones((1, 2), np.float32))
    randomised(layer)
    kernels = [weight for weight in layer.trainable_weights if "kernel" in weight.name]
    assert len(kernels) == 5
    squares = sum(np.square(kernel.numpy()).sum() for kernel in kernels)
    np.testing.assert_allclose(tf.add_n(layer.losses), 0.5 * squares, rtol=1e-5)


@pytest.mark.parametrize("tasks", [(cases.CLICK,), (cases.CLICK, cases.WATCH)])
def test_a_gate_moves_its_own_task_alone(tasks):
    model = cases.ranker(tasks, MMOE)
    features = cases.features([[0, 1], [3, 3]], [[[1, 1]], [[2, 0]]])
    before = {name: value.numpy() for name, value in model(features).items()}
    gate = model.network._mixture._gates[-1].kernel
    gate.assign(np.random.default_rng(0).normal(size=gate.shape))
    after = model(features)
    moved = {name: np.abs(after[name] - before[name]).max() > 0 for name in before}
    assert moved == {task.name: task is tasks[-1] for task in tasks}


@pytest.mark.parametrize("batch", [0, 1])
def test_small_batches_keep_their_axis(batch):
    features = {
        "candidate_sid": tf.zeros([batch, 2], tf.int64),
        "current_sid": tf.zeros([batch, 2], tf.int64),
        "history_sid": tf.zeros([batch, 0, 2], tf.int64),
        "history_length": tf.zeros([batch]),
    }
    assert cases.ranker(config=MMOE)(features)["click"].shape == (batch,)


def test_a_step_trains_every_expert_and_gate():
    model = cases.ranker((cases.CLICK, cases.WATCH), MMOE)
    model.compile(tf.keras.optimizers.SGD(0.1), tf.keras.optimizers.SGD(0.1))
    randomised(model.network._mixture)
    before = [weight.numpy() for weight in model.network._mixture.trainable_weights]
    inputs = cases.features([[0, 1], [1, 2], [3, 3]], [[[1, 1]], [[0, 2]], [[2, 0]]])
    inputs |= {"label_click": tf.constant([1.0, 0, 1]), "label_watch": tf.constant([0.0, 9, 5])}
    model.train_step(inputs)
    kernels = [
        np.abs(weight.numpy() - old).max() > 0
        for weight, old in zip(model.network._mixture.trainable_weights, before, strict=True)
        if "kernel" in weight.name
    ]
    assert kernels == [True] * (3 * 2 + 2)


def test_the_first_layer_of_every_expert_is_widened():
    layer = cases.representation()
    layer.bottom_factor = 1.5
    model = cases.ranker(config=MMOE, layer=layer)
    widths = [[dense.units for dense in expert] for expert in model.network._mixture._experts]
    assert widths == [[9, 5]] * 3


def test_experts_without_layers_are_refused():
    with pytest.raises(ValueError, match="mmoe needs one layer"):
        RankerConfig(bottom="mmoe", bottom_widths=())


def test_the_export_serves_what_the_model_gives(context, tmp_path):
    builder = FeatureBuilder(cases.representation(), context, history_length=3)
    tasks = (cases.CLICK, cases.WATCH)
    moments = {"watch": LabelMoments(100.0, 50.0)}
    model = Ranker(builder._representation, context.spec, tasks, MMOE, moments)
    examples = tf.constant(cases.random_examples(4))
    features = builder(tf.io.parse_example(examples, builder.parsing_spec))
    model(features)
    randomised(model)
    export_ranker(model, builder, cases.SPACE, "sid_ngram", str(tmp_path / "model"))
    serve = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    expected = model(features)
    for count in (1, 4):
        for name, served in serve(examples=examples[:count]).items():
            np.testing.assert_allclose(served, expected[name][:count], rtol=1e-5)
