"""Compilation of the arithmetic of an exported ranker by XLA, which no export asks for."""

import os

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tests.trainer import ranker_cases as cases
from tests.trainer.test_ranker_export import export  # noqa: F401  a fixture
from tests.trainer.test_ranker_export import request_of

# TensorFlow Serving refuses functions that have to be compiled.
ASKS_FOR_XLA = ("jit_compile", "_XlaMustCompile", "_XlaCompile")


def asked_for_xla(path: str) -> list[str]:
    """Functions and nodes of a SavedModel with an attribute that has XLA compile them."""
    saved_model = saved_model_pb2.SavedModel()
    with open(os.path.join(path, "saved_model.pb"), "rb") as file:
        saved_model.ParseFromString(file.read())
    found = []
    for graph in (one.graph_def for one in saved_model.meta_graphs):
        functions = list(graph.library.function)
        named = [(f.signature.name, f.attr) for f in functions]
        nodes = [*graph.node, *(node for f in functions for node in f.node_def)]
        named += [(node.name, node.attr) for node in nodes]
        found += [name for name, attr in named if any(attr[a].b for a in ASKS_FOR_XLA if a in attr)]
    return found


@pytest.mark.parametrize("name", ["random_hash", "sid_hybrid", "attention"])
def test_an_exported_ranker_does_not_ask_for_xla(export, name):  # noqa: F811
    assert asked_for_xla(export(name).directory) == []


def test_a_model_that_asks_for_xla_is_found(tmp_path):
    module = tf.Module()
    module.double = tf.function(
        lambda x: 2 * x, input_signature=[tf.TensorSpec([2])], jit_compile=True
    )
    tf.saved_model.save(module, str(tmp_path), {"serving_default": module.double})
    assert asked_for_xla(str(tmp_path))


@pytest.mark.parametrize("name", ["sid_hybrid", "sid_spm", "attention"])
def test_xla_compiles_all_that_follows_the_look_ups(export, name):  # noqa: F811
    """From vectors to scores of one user, at one size; look-ups have run before."""
    exported = export(name)
    model = exported.model
    examples = [cases.joined_example(candidate_sid=[i % 4, i // 4]) for i in range(8)]
    inputs = model.network_inputs(exported.builder(request_of(examples, *exported.reads)))
    compiled = tf.function(lambda given: model.network(given), jit_compile=True)
    expected = model.network(inputs)
    found = compiled(inputs)
    # Of random weights, a head may be dead.
    assert any(np.std(scores) > 1e-3 for scores in found.values())
    for task, scores in found.items():
        np.testing.assert_allclose(scores, expected[task], rtol=1e-4, atol=1e-5)
