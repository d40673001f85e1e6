"""The example network, a Deep Interest Network: what it computes, learns and serves."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from semantic_id_ranking.trainer.ranker.export import export_ranker
from semantic_id_ranking.trainer.ranker.feature_builder import FeatureBuilder
from semantic_id_ranking.trainer.ranker.label_moments import LabelMoments
from semantic_id_ranking.trainer.ranker.network_factory import network_factory
from semantic_id_ranking.trainer.ranker.ranker_inputs import HistoryLabels
from semantic_id_ranking.trainer.ranker.ranker_inputs import RankerInputs
from semantic_id_ranking.trainer.ranker.representations.item_representation import ItemVectors
from semantic_id_ranking.trainer.ranker.train import train
from tests.trainer import ranker_cases as cases

TASKS = (cases.CLICK, cases.WATCH)


def din_by_hand(network, candidate, current, history, present, context):
    """The example's outputs for one impression, by loops."""

    def mlp(layers, x, last_is_linear):
        for position, layer in enumerate(layers):
            x = x @ layer.kernel.numpy() + layer.bias.numpy()
            if not (last_is_linear and position == len(layers) - 1):
                x = np.maximum(x, 0)
        return x

    interest = np.zeros_like(candidate)
    for entry, there in zip(history, present, strict=True):
        if there:
            joined = np.concatenate([entry, candidate, entry * candidate])
            (score,) = mlp(network._attention.layers, joined, last_is_linear=True)
            interest += entry / (1 + np.exp(-score))
    parts = [candidate, current, interest, candidate * interest, *context]
    shared = mlp(network._shared.layers, np.concatenate(parts), last_is_linear=False)
    return {
        name: float(mlp([layer], shared, last_is_linear=True)[0])
        for name, layer in network._outputs.items()
    }


def test_the_example_computes_what_it_says(din):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(6, 3)).astype(np.float32)
    vectors[0] = 0
    index = np.array([[1, 0, 2], [0, 0, 0], [5, 4, 3], [3, 3, 1]])
    inputs = RankerInputs(
        tf.constant(rng.normal(size=(4, 3)), tf.float32),
        tf.constant(rng.normal(size=(4, 3)), tf.float32),
        ItemVectors(tf.constant(vectors), tf.constant(np.arange(6) > 0), tf.constant(index)),
        HistoryLabels(tf.zeros([4, 3, 0]), tf.fill([4, 3, 0], False)),
        tf.zeros([4, 3]),
        {"context_hour": tf.constant(rng.normal(size=(4, 1)), tf.float32)},
    )
    network = network_factory(din)(dataclasses.replace(cases.SMALL, model=din), TASKS)
    network(inputs)
    for weight in network.trainable_weights:
        weight.assign(rng.normal(size=weight.shape))
    outputs = network(inputs)
    for row in range(4):
        expected = din_by_hand(
            network,
            inputs.candidate[row].numpy(),
            inputs.current[row].numpy(),
            vectors[index[row]],
            index[row] > 0,
            [inputs.context["context_hour"][row].numpy()],
        )
        for name, value in expected.items():
            assert float(outputs[name][row]) == pytest.approx(value, rel=1e-4, abs=1e-5)


def test_the_example_learns_and_is_served_as_it_is_in_memory(din, context, tmp_path):
    layer = cases.representation(dim=8)
    builder = FeatureBuilder(layer, context, history_length=3)
    own = dataclasses.replace(
        dataclasses.replace(cases.SMALL, model=din),
        embedding_dim=8,
        epochs=20,
        learning_rate=0.01,
        table_learning_rate=0.2,
    )
    examples = cases.random_examples(200)
    parsed = builder(tf.io.parse_example(examples, builder.parsing_spec))
    clicked = np.array(
        [
            tf.train.Example.FromString(one).features.feature["label_click"].float_list.value[0]
            for one in examples
        ],
        np.float32,
    )
    labels = {"label_click": tf.constant(clicked), "label_watch": tf.constant(900 * clicked)}
    # Of all, for histories differ in length from batch to batch.
    data = tf.data.Dataset.from_tensor_slices({**parsed, **labels}).batch(20)
    moments = {"watch": LabelMoments(225.0, 390.0)}
    training = train(data, layer, context.spec, TASKS, own, moments, eval_data=data)
    assert training.evaluation["click_auc"] > 0.95
    export_ranker(training.model, builder, cases.SPACE, "sid_ngram", str(tmp_path / "model"))
    signatures = tf.saved_model.load(str(tmp_path / "model")).signatures
    expected = training.model(parsed)
    served = signatures["serving_default"](examples=tf.constant(examples))
    # Twenty candidates of one user, in the two forms.
    sids = np.array([[i % 4, i // 4 % 4] for i in range(20)])
    same = [cases.joined_example(candidate_sid=sid.tolist()) for sid in sids]
    one_by_one = signatures["serving_default"](examples=tf.constant(same))
    request = {
        "candidate_sid": tf.constant(sids, tf.int64),
        "current_sid": tf.constant([[2, 3]], tf.int64),
        "history_sid": tf.constant([[[1, 1], [3, 0]]], tf.int64),
        "context_tab": tf.constant(["home"]),
        "context_hour": tf.constant([12.0]),
    }
    at_once = signatures["rank"](**request)
    for task in ("click", "watch"):
        np.testing.assert_allclose(served[task], expected[task], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(at_once[task], one_by_one[task], rtol=1e-4, atol=1e-5)
        assert np.std(at_once[task]) > 1e-3
    weights = {"weight_click": tf.constant(1.0), "weight_watch": tf.constant(0.0)}
    best = signatures["rank_top_k"](top_k=tf.constant(5), **request, **weights)
    order = np.argsort(-at_once["click"].numpy(), kind="stable")[:5]
    np.testing.assert_allclose(best["click"], at_once["click"].numpy()[order], rtol=1e-6)
