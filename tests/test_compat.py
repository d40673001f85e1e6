"""Private names of libraries, and the one module that may use them."""

import ast
import importlib
import inspect
import sqlite3
import subprocess
import sys
import threading
import types

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
from tfx import v1 as tfx
from tfx.dsl.components.base import base_beam_executor

from semantic_id_ranking import _compat
from semantic_id_ranking.pipeline.assemble import beam_arguments
from tests import FOLDERS
from tests import ROOT

# Folders of modules that their libraries keep to themselves.
INTERNAL = (
    "apache_beam.runners",
    "keras.src",
    "tensorflow.python",
    "tensorflow_transform.tf_metadata",
    "tf_keras.src",
    "tfx.dsl.compiler",
    "tfx.orchestration",
    "tfx_bsl.coders",
    "tfx_bsl.tfxio",
)
# Begin with `_` and are documented all the same: of named tuples, and of `os`.
DOCUMENTED = {"_exit", "_replace"}

#: Methods of ours that stand in for a library's private one -> why there is no other way.
OVERRIDES = {
    "semantic_id_ranking.inputs.duck.BeamFileSystem._strip_protocol": (
        "fsspec's own would take the scheme off a path, which Beam needs; no public method decides"
    ),
}


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def own_names(trees):
    """Private names that are ours: of functions and classes, and of attributes that we assign."""
    names = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return names


def foreign_private_names(tree, own):
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if node.attr not in own | DOCUMENTED:
                yield node.attr
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            base = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            for name in (base + alias.name for alias in node.names):
                internal = name.startswith(tuple(f"{folder}." for folder in INTERNAL))
                if internal or any(map(is_private, name.split("."))):
                    yield name


def overrides(module):
    """Private methods of a module's classes that a base of another library has, too."""
    for kind in vars(module).values():
        if not inspect.isclass(kind) or kind.__module__ != module.__name__:
            continue
        for name, value in vars(kind).items():
            # What decorators and metaclasses add has another name, or is no function.
            function = getattr(value, "fget", None) or getattr(value, "__func__", value)
            # Nor are enumerations' `_such_names_` private.
            named = getattr(function, "__name__", "") == name and not name.endswith("_")
            if not (is_private(name) and named):
                continue
            for base in kind.__mro__[1:]:
                if name in vars(base) and not base.__module__.startswith("semantic_id_ranking."):
                    yield f"{module.__name__}.{kind.__qualname__}.{name}"


def test_no_other_private_method_of_a_library_is_overridden():
    found = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(("semantic_id_ranking", *parts)).removesuffix(".__init__")
            found |= set(overrides(importlib.import_module(name)))
    assert found == OVERRIDES.keys()


@pytest.mark.parametrize("kind", [property, classmethod, staticmethod, lambda function: function])
def test_an_overridden_private_method_is_found(kind):
    def _make_beam_pipeline(*args):
        pass

    module = types.ModuleType("ours")
    names = {"_make_beam_pipeline": kind(_make_beam_pipeline), "_own": lambda self: 0}
    module.Ours = type("Ours", (Executor,), {**names, "__module__": "ours"})
    assert set(overrides(module)) == {"ours.Ours._make_beam_pipeline"}


def test_private_names_of_libraries_are_in_one_module():
    trees = {
        str(path.relative_to(ROOT)): ast.parse(path.read_text())
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    }
    own = own_names(trees.values())
    found = {path: set(foreign_private_names(tree, own)) for path, tree in trees.items()}
    ours = {f"semantic_id_ranking._compat.{name}" for name in vars(_compat)}
    assert {path: names - ours for path, names in found.items() if names - ours} == {}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("session._make_callable_from_options(x)", {"_make_callable_from_options"}),
        ("from tensorflow.python.framework import ops", {"tensorflow.python.framework.ops"}),
        ("import tfx._private.x", {"tfx._private.x"}),
        ("self._ours = loss._replace(x=1)", set()),
        ("from tensorflow_text import x", set()),
    ],
)
def test_private_names_are_found(code, found):
    tree = ast.parse(code)
    assert set(foreign_private_names(tree, own_names([tree]))) == found


def test_the_module_is_light():
    code = "import sys, semantic_id_ranking._compat; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    assert not {"tensorflow", "tfx", "apache_beam", "numpy"} & set(loaded)


def test_autograph_does_not_convert_keras():
    from tensorflow.python.autograph.core import config
    from tensorflow.python.autograph.impl import conversion

    _compat.keep_autograph_out_of_keras()
    rules = config.CONVERSION_RULES
    _compat.keep_autograph_out_of_keras()
    assert config.CONVERSION_RULES is rules
    # Nor did what it should convert become what it does not.
    assert conversion.is_allowlisted(tf.keras.Model.fit)
    assert not conversion.is_allowlisted(is_private)


def test_a_call_of_keras_3_is_told_from_others():
    import keras

    class Asks(keras.layers.Layer):
        def call(self, inputs):
            seen.append(_compat.in_keras_3_call())
            return inputs

    seen = [_compat.in_keras_3_call()]
    Asks()(np.ones(2))
    seen.append(_compat.in_keras_3_call())
    assert seen == [False, True, False]


def test_a_session_callable_runs_in_the_thread_that_calls_it():
    threads = []

    def double(x):
        threads.append(threading.get_ident())
        return 2 * x

    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None], "x")
        y = tf.compat.v1.placeholder(tf.float32, [None], "y")
        doubled = tf.numpy_function(double, [x + y], tf.float32)
        difference = tf.subtract(x, y)
        session = tf.compat.v1.Session()
    run = _compat.session_callable(session, ["y:0", "x:0"], [difference.name, doubled.name])
    found = run(np.array([1.0, 2.0], np.float32), np.array([5.0, 7.0], np.float32))
    np.testing.assert_array_equal(found[0], [4.0, 5.0])
    np.testing.assert_array_equal(found[1], [12.0, 18.0])
    assert threads == [threading.get_ident()]


def test_each_variable_has_its_own_accumulator():
    optimizer = tf.keras.optimizers.Adagrad(0.1, 0.5, jit_compile=False)
    one, two = tf.Variable([1.0, 2.0]), tf.Variable([[3.0]])
    optimizer.apply_gradients([(tf.constant([3.0, 4.0]), one), (tf.constant([[5.0]]), two)])
    # 0.5 to begin with, and a square.
    np.testing.assert_allclose(_compat.adagrad_accumulator(optimizer, one), [9.5, 16.5])
    np.testing.assert_allclose(_compat.adagrad_accumulator(optimizer, two), [[25.5]])


def test_each_variable_has_its_own_slots():
    one, two, other = tf.Variable([1.0, 2.0]), tf.Variable([[3.0]]), tf.Variable(1.0)
    gradients = [(tf.constant([3.0, 4.0]), one), (tf.constant([[5.0]]), two)]
    adagrad = tf.keras.optimizers.Adagrad(0.1, 0.5, jit_compile=False)
    adam = tf.keras.optimizers.Adam(0.1, beta_1=0.9, beta_2=0.75, jit_compile=False)
    for optimizer in (adagrad, adam):
        optimizer.apply_gradients(gradients)
        assert _compat.optimizer_slots(optimizer, other) == {}
    found = _compat.optimizer_slots(adagrad, one)
    assert set(found) == {"accumulator"}
    np.testing.assert_allclose(found["accumulator"], [9.5, 16.5])
    found = _compat.optimizer_slots(adam, two)
    assert set(found) == {"momentum", "velocity"}
    np.testing.assert_allclose(found["momentum"], [[0.5]], rtol=1e-6)
    np.testing.assert_allclose(found["velocity"], [[6.25]], rtol=1e-6)


@pytest.mark.parametrize(("keep", "rows"), [(True, [1, 1, 0]), (False, [0, 1])])
def test_repeated_rows_are_kept_when_asked(keep, rows):
    class Seen(tf.keras.optimizers.SGD):
        def update_step(self, gradient, variable):
            seen.append(gradient)

    seen = []
    optimizer = Seen(1.0, jit_compile=False)
    _compat.keep_repeated_rows(optimizer, when=lambda: keep)
    gradient = tf.IndexedSlices(
        tf.constant([[1.0], [2.0], [4.0]]), tf.constant([1, 1, 0]), tf.constant([2, 1])
    )
    optimizer.apply_gradients([(gradient, tf.Variable([[0.0], [0.0]]))])
    (given,) = seen
    assert sorted(given.indices.numpy().tolist()) == sorted(rows)
    np.testing.assert_allclose(tf.convert_to_tensor(given), [[4.0], [3.0]])


class Executor(base_beam_executor.BaseBeamExecutor):
    def Do(self, input_dict, output_dict, exec_properties):  # noqa: N802
        pass


@pytest.fixture
def executor(tmp_path):
    return Executor(
        base_beam_executor.BaseBeamExecutor.Context(
            beam_pipeline_args=beam_arguments(["--runner=FnApiRunner", "--job_name=j"]),
            tmp_dir=str(tmp_path / "tmp"),
            unique_id="7",
        )
    )


def test_a_beam_pipeline_has_the_arguments_of_its_executor(executor, tmp_path):
    from apache_beam.options.pipeline_options import GoogleCloudOptions

    with _compat.beam_pipeline(executor) as pipeline:
        assert pipeline.options.view_as(GoogleCloudOptions).job_name == "j"
        numbers = pipeline | beam.Create([1, 2])
        _ = numbers | beam.io.WriteToText(str(tmp_path / "out"), shard_name_template="")
    assert sorted((tmp_path / "out").read_text().split()) == ["1", "2"]


def test_a_temporary_folder_is_that_of_the_execution(executor, tmp_path):
    assert _compat.temporary_folder(executor) == f"{tmp_path}/tmp/7/"
    assert (tmp_path / "tmp" / "7").is_dir()
    with pytest.raises(RuntimeError):
        _compat.temporary_folder(Executor())


def test_a_run_has_the_id_that_was_chosen(tmp_path):
    class Runner(tfx.orchestration.LocalDagRunner):
        def run_with_ir(self, pipeline, *args, **kwargs):
            _compat.set_run_id(pipeline, "a run of mine")
            super().run_with_ir(pipeline, *args, **kwargs)

    database = str(tmp_path / "metadata.sqlite")
    importer = tfx.dsl.Importer(str(tmp_path), tfx.types.standard_artifacts.Model)
    Runner().run(
        tfx.dsl.Pipeline(
            "p",
            str(tmp_path / "root"),
            components=[importer.with_id("Importer")],
            metadata_connection_config=(
                tfx.orchestration.metadata.sqlite_metadata_connection_config(database)
            ),
        )
    )
    runs = """
        SELECT Context.name FROM Context JOIN Type ON Context.type_id = Type.id
        WHERE Type.name = 'pipeline_run'
    """
    assert sqlite3.connect(database).execute(runs).fetchall() == [("a run of mine",)]
