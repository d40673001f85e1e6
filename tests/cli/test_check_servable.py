"""`sid check-servable`: ops of SavedModels made by hand, and of the real ones."""

import io
import os
import pathlib

import pytest
import rich.console
import tensorflow as tf
import tensorflow_text as tf_text
from tensorflow.core.protobuf import saved_model_pb2

from semantic_id_ranking.cli import check_servable
from semantic_id_ranking.cli.servable_ops import count_ops
from semantic_id_ranking.contracts.errors import InputError


def write(folder, nodes=(), functions=None):
    """A SavedModel whose graph and whose functions have nodes of these ops."""
    model = saved_model_pb2.SavedModel()
    graph = model.meta_graphs.add().graph_def
    for number, op in enumerate(nodes):
        graph.node.add(name=f"n{number}", op=op)
    for name, ops in (functions or {}).items():
        function = graph.library.function.add()
        function.signature.name = name
        for number, op in enumerate(ops):
            function.node_def.add(name=f"n{number}", op=op)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "saved_model.pb").write_bytes(model.SerializeToString())
    return folder


def check(path):
    printed = io.StringIO()
    check_servable.check_servable(str(path), rich.console.Console(file=printed, width=200))
    return {
        cells[0]: (int(cells[1]), cells[2])
        for line in printed.getvalue().splitlines()
        if line.startswith("│")
        for cells in [[cell.strip() for cell in line.strip("│").split("│")]]
    }


def test_ops_are_counted_in_graphs_and_functions_and_calls_are_none(tmp_path):
    write(tmp_path, ["Const", "Const", "f"], {"f": ["AddV2", "g"], "g": ["Const"]})
    assert count_ops(str(tmp_path)) == {"Const": 3, "AddV2": 1}


def test_ops_of_tensorflow_and_sentencepiece_are_servable(tmp_path):
    # The latest version of a base folder, as numbers go.
    write(tmp_path / "9", ["PyFunc"])
    write(tmp_path / "10", ["Const"], {"f": ["SentencepieceTokenizeOp", "MatMul", "MatMul"]})
    assert check(tmp_path) == {
        "Const": (1, "TensorFlow"),
        "MatMul": (2, "TensorFlow"),
        "SentencepieceTokenizeOp": (1, "tensorflow_text"),
    }


def test_other_ops_are_named_in_one_sentence(tmp_path):
    # This process knows them all: what counts is what a model server knows.
    class Model(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def words(self, text):
            return {"words": tf_text.WhitespaceTokenizer().tokenize(text).flat_values}

        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
        def python(self, x):
            return {"x": tf.numpy_function(lambda y: y, [x], tf.float32)}

    model = Model()
    tf.saved_model.save(
        model, str(tmp_path), signatures={"words": model.words, "python": model.python}
    )
    with pytest.raises(InputError) as error:
        check(tmp_path)
    named = str(error.value).partition("cannot run the ops ")[2].partition(";")[0].split(", ")
    assert len(named) == 2
    assert {name for name in named if "PyFunc" in name}
    assert {name for name in named if "Whitespace" in name}


@pytest.mark.parametrize("op", ["PyFunc", "EagerPyFunc", "PyFuncStateless", "NoSuchOp"])
def test_ops_that_call_python_or_do_not_exist_are_refused(tmp_path, op, monkeypatch):
    registered = op != "NoSuchOp"
    monkeypatch.setattr(check_servable, "_ops", lambda _: {op: (1, registered), "Add": (1, True)})
    with pytest.raises(InputError, match=f"cannot run the ops {op}; "):
        check(write(tmp_path))


def test_what_is_no_saved_model_is_named(tmp_path):
    with pytest.raises(InputError, match="holds no SavedModel"):
        check(tmp_path)
    pathlib.Path(tmp_path, "saved_model.pb").write_bytes(b"no protocol buffer")
    with pytest.raises(InputError, match=r"saved_model\.pb: is no SavedModel"):
        check(tmp_path)


@pytest.mark.parametrize("model", ["ranker", "semantic_id"])
def test_what_a_run_pushes_is_servable(finished_run, model):
    ops = check(os.path.join(finished_run.output, "serving", model))
    assert {origin for _, origin in ops.values()} <= {"TensorFlow", "tensorflow_text"}
    # The ranker tokenizes Semantic IDs itself.
    assert ("SentencepieceTokenizeOp" in ops) == (model == "ranker")
