"""Private names of TensorFlow, Keras and TFX, which a new version may change without notice.

No other module uses one; `tests/test_compat.py` sees to that, and tries each function on both sets
of versions. A function imports what it wraps when it is called, so that this module costs nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import apache_beam as beam
    import numpy as np
    import tensorflow as tf
    from tfx.dsl.components.base import base_beam_executor
    from tfx.dsl.components.base import base_executor
    from tfx.proto.orchestration import pipeline_pb2


def keep_autograph_out_of_keras() -> None:
    """Makes AutoGraph call the functions of Keras as they are, instead of converting them.

    Call it before the first model is built. TensorFlow 2.16 converts `tf_keras` line by line at the
    first `fit`, which multiplies start-up time by seven and changes no result; TensorFlow 2.21 has
    this rule itself.

    Wraps `CONVERSION_RULES` of `tensorflow.python.autograph.core.config`. What is public,
    `tf.autograph.experimental.do_not_convert`, is a decorator of a single function.
    """
    from tensorflow.python.autograph.core import config

    if not any(getattr(rule, "_prefix", "") == "tf_keras" for rule in config.CONVERSION_RULES):
        config.CONVERSION_RULES = (config.DoNotConvert("tf_keras"), *config.CONVERSION_RULES)


def in_keras_3_call() -> bool:
    """Whether a layer or a model of Keras 3 is being called in this thread.

    Reads `current_call_ctx` of `keras.src.backend.common.global_state`. Nothing public tells a
    layer of another Keras which model it is called from.
    """
    state = sys.modules.get("keras.src.backend.common.global_state")
    return state is not None and state.get_global_attribute("current_call_ctx") is not None


def session_callable(
    session: tf.compat.v1.Session, feeds: Sequence[str], fetches: Sequence[str]
) -> Callable[..., list[np.ndarray]]:
    """A function that runs a part of a session's graph in the thread that calls it.

    Wraps `Session._make_callable_from_options`, which tf_keras uses, too. What is public,
    `Session.make_callable`, looks feeds and fetches up at every call: 354 µs against 58 for three
    of each and hardly any work, the session told to run in the caller's thread.

    Args:
        session: The session.
        feeds: Names of the tensors that are given.
        fetches: Names of the tensors that are wanted.

    Returns:
        Takes an array for each of `feeds`, returns one for each of `fetches`.
    """
    from tensorflow.core.protobuf import config_pb2

    options = config_pb2.CallableOptions(feed=feeds, fetch=fetches)
    options.run_options.inter_op_thread_pool = -1
    return session._make_callable_from_options(options)


def adagrad_accumulator(
    optimizer: tf.keras.optimizers.Adagrad, variable: tf.Variable
) -> tf.Variable:
    """The sums of squared gradients of a variable, within `update_step`.

    Wraps `_accumulators`, `_index_dict` and `_var_key`, as Keras's own `update_step` does. What is
    public, `Optimizer.variables`, does not tell whose they are.

    Args:
        optimizer: A built optimizer.
        variable: One of its variables; a replica's part of one, where there are several replicas.

    Returns:
        Of the same shape as the variable.
    """
    return optimizer._accumulators[optimizer._index_dict[optimizer._var_key(variable)]]


def optimizer_slots(
    optimizer: tf.keras.optimizers.Optimizer, variable: tf.Variable
) -> dict[str, tf.Variable]:
    """What an optimizer keeps of a variable, by name: the sums of Adagrad, the moments of Adam.

    Wraps `_index_dict` and `_var_key`, as `adagrad_accumulator` does, and the lists of Adagrad and
    Adam. What is public, `Optimizer.variables`, does not tell whose they are.

    Args:
        optimizer: A built optimizer.
        variable: One of its variables.

    Returns:
        `accumulator`, or `momentum` and `velocity`; none of a variable that it does not train.
    """
    index = optimizer._index_dict.get(optimizer._var_key(variable))
    if index is None:
        return {}
    lists = {"accumulator": "_accumulators", "momentum": "_momentums", "velocity": "_velocities"}
    return {
        name: getattr(optimizer, attribute)[index]
        for name, attribute in lists.items()
        if hasattr(optimizer, attribute)
    }


def keep_repeated_rows(optimizer: tf.keras.optimizers.Optimizer, when: Callable[[], bool]) -> None:
    """Keeps an optimizer from adding up the gradients of a row that was looked up several times.

    Wraps `_deduplicate_sparse_grad`, which `apply_gradients` calls before anything else; there is
    no public option.

    Args:
        optimizer: The optimizer.
        when: Asked at each step, while its graph is made; otherwise Keras's own function is called.
    """
    add_up = optimizer._deduplicate_sparse_grad
    optimizer._deduplicate_sparse_grad = lambda grads: grads if when() else add_up(grads)


def beam_pipeline(executor: base_beam_executor.BaseBeamExecutor) -> beam.Pipeline:
    """A Beam pipeline with the arguments that TFX gave to an executor.

    Wraps `BaseBeamExecutor._make_beam_pipeline`: a custom executor has no other access to them.

    Args:
        executor: The executor, within its `Do`.
    """
    return executor._make_beam_pipeline()


def temporary_folder(executor: base_executor.BaseExecutor) -> str:
    """The folder for what an executor needs no longer than it runs; it is made if need be.

    Wraps `BaseExecutor._get_tmp_dir`: `Context.get_tmp_path` is public, an executor's context not.

    Args:
        executor: The executor, within its `Do`.

    Raises:
        RuntimeError: The executor was made without a context.
    """
    return executor._get_tmp_dir()


def set_run_id(pipeline: pipeline_pb2.Pipeline, run_id: str) -> None:
    """Chooses the id of a run, by which ML Metadata knows it; TFX's runner else takes the time.

    Wraps `tfx.orchestration.portable.runtime_parameter_utils` and the name of the parameter in
    `tfx.dsl.compiler.constants`. The public `LocalDagRunner.run` neither takes nor returns the id,
    and the newest run in ML Metadata may be another process's.

    Args:
        pipeline: The compiled pipeline that `run_with_ir` of a runner gets; changed in place.
        run_id: The id.
    """
    from tfx.dsl.compiler import constants
    from tfx.orchestration.portable import runtime_parameter_utils

    bindings = {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    runtime_parameter_utils.substitute_runtime_parameter(pipeline, bindings)
