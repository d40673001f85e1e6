"""Trial of a user's own network before anything is trained."""

import inspect
import os
import re
import sys
import traceback
from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf
from absl import logging

from semantic_id_ranking._compat import keep_autograph_out_of_keras
from semantic_id_ranking.contracts.counters import USER_COUNTERS
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.feature_names import context_feature
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from semantic_id_ranking.trainer.ranker.context_spec import ContextSpec
from semantic_id_ranking.trainer.ranker.network_factory import network_factory
from semantic_id_ranking.trainer.ranker.ranker_inputs import HistoryLabels
from semantic_id_ranking.trainer.ranker.ranker_inputs import RankerInputs
from semantic_id_ranking.trainer.ranker.representations.item_representation import ItemVectors

_CANDIDATES = 3
# Users (None: one a candidate), history entries, whether it is a training step, and what to call
# it.
_SITUATIONS = (
    (None, 2, True, "in training"),
    (None, 2, False, "with a user for each candidate"),
    (1, 2, False, "with one user for all candidates"),
    (1, 0, False, "with one user for all candidates, who has no history"),
)
_WRAPPING = re.compile(r"(\w+: )?(Exception encountered when|in user code:|File |Call arguments)")
_NODE = re.compile(r"\{\{.*?\}\}")
_FRAME = re.compile(r'File "(.+?)", line (\d+)')
_KERAS = sys.modules[tf.keras.layers.Layer.__module__.partition(".")[0]]
# Frames in here are not the user's.
_LIBRARIES = (__file__, os.path.dirname(tf.__file__), os.path.dirname(inspect.getfile(_KERAS)))


def check_network(
    config: RankerConfig,
    tasks: Sequence[TaskConfig],
    context: ContextSpec,
    labelled_history: bool = False,
) -> None:
    """Makes the network that `config.model` names, tries it on zeros and throws it away.

    It is tried as it will be used: eagerly and with batch sizes that are not known, in training and
    out of it, with a user for each candidate and with one for all. Without a name there is nothing
    to try.

    Args:
        config: The ranker.
        tasks: What to predict.
        context: The context features; the sizes of vocabularies make no difference.
        labelled_history: Whether the history has the labels of its impressions.

    Raises:
        InputError: The name leads to no function, the function or its network fails, or an output
            is missing, one too many, or of a wrong shape or type.
    """
    model = config.model
    if model is None:
        return
    keep_autograph_out_of_keras()
    factory = network_factory(model)
    try:
        network = factory(config, tasks)
    except Exception as error:
        raise _failure(model, "when called with (config, tasks)", error) from error
    if not isinstance(network, tf.keras.layers.Layer):
        raise InputError(
            f"ranker.model: {model} returns an object of type {type(network).__name__}; a "
            "layer of tf_keras (tf.keras.layers.Layer of Keras 2) is needed"
        )
    for users, history, training, situation in _SITUATIONS:
        labels = len(tasks) if labelled_history else 0
        inputs = _zeros(config, context, users or _CANDIDATES, history, labels)

        def outputs(inputs: RankerInputs, training: bool = training) -> dict[str, tf.Tensor]:
            returned = network(inputs, training=training)
            _check_names(returned, model, tasks)
            return {task.name: returned[task.name] for task in tasks}

        try:
            outputs(inputs)
            found = tf.function(outputs, [_unknown_sizes(inputs, users)])(inputs)
        except InputError:
            raise
        except Exception as error:
            raise _failure(model, situation, error) from error
        for name, values in found.items():
            if values.dtype != tf.float32 or values.shape != (_CANDIDATES,):
                raise InputError(
                    f"ranker.model: {model}: the output of task {name} is "
                    f"{values.dtype.name} {values.shape.as_list()} {situation}; float32 "
                    f"[{_CANDIDATES}] is needed for {_CANDIDATES} candidates"
                )


def _zeros(
    config: RankerConfig, context: ContextSpec, users: int, history: int, labels: int
) -> RankerInputs:
    dim = config.embedding_dim
    widths = dict.fromkeys(context.categorical, config.context_dim)
    widths |= {**dict.fromkeys(context.numeric, 1), **context.counters}
    # Of one user, other counters than the user's are by candidate all the same.
    by_candidate = set(context.counters) - {context_feature(USER_COUNTERS)}
    return RankerInputs(
        candidate=tf.zeros([_CANDIDATES, dim]),
        current=tf.zeros([users, dim]),
        history=ItemVectors(
            tf.zeros([1, dim]), tf.constant([True]), tf.zeros([users, history], tf.int32)
        ),
        history_labels=HistoryLabels(
            tf.zeros([users, history, labels]), tf.fill([users, history, labels], False)
        ),
        shared_codes=tf.zeros([_CANDIDATES, history]),
        context={
            name: tf.zeros([_CANDIDATES if name in by_candidate else users, width])
            for name, width in widths.items()
        },
    )


def _unknown_sizes(inputs: RankerInputs, users: int | None) -> RankerInputs:
    """The specification of the inputs that a traced function has."""

    def spec(values: tf.Tensor, *axes: int | None) -> tf.TensorSpec:
        return tf.TensorSpec([*axes, *values.shape[len(axes) :]], values.dtype)

    distinct, present, index = inputs.history
    return RankerInputs(
        candidate=spec(inputs.candidate, None),
        current=spec(inputs.current, users),
        history=ItemVectors(spec(distinct, None), spec(present, None), spec(index, users, None)),
        history_labels=HistoryLabels(*(spec(one, users, None) for one in inputs.history_labels)),
        shared_codes=spec(inputs.shared_codes, None, None),
        # Of one user, a context column may be by candidate all the same.
        context={name: spec(values, None) for name, values in inputs.context.items()},
    )


def _check_names(returned: object, model: str, tasks: Sequence[TaskConfig]) -> None:
    """Refuses all but a tensor for each task."""
    names = [task.name for task in tasks]
    if isinstance(returned, Mapping) and set(returned) == set(names):
        wrong = [name for name in names if not tf.is_tensor(returned[name])]
        if not wrong:
            return
        what = f"an object of type {type(returned[wrong[0]]).__name__} for task {wrong[0]}"
    elif isinstance(returned, Mapping):
        what = f"outputs of {', '.join(map(str, returned)) or 'nothing'}"
    else:
        what = f"an object of type {type(returned).__name__}"
    raise InputError(
        f"ranker.model: {model}: its layer returns {what}; a dictionary is needed of a tensor for "
        f"each task: {', '.join(names)}"
    )


def _failure(model: str, situation: str, error: Exception) -> InputError:
    """An error of the user's code: what, and where; the log has the traceback."""
    logging.error("ranker.model %s fails", model, exc_info=error)
    # Keras and AutoGraph wrap a message into paragraphs of their own.
    paragraphs = [paragraph.strip() for paragraph in re.split(r"\n\s*\n", str(error))]
    own = [one for one in paragraphs if one and not _WRAPPING.match(one)]
    message = " ".join(_NODE.sub("", own[0] if own else str(error)).split())
    kind = type(error).__name__
    reason = message if message.startswith(f"{kind}:") else f"{kind}: {message}"
    frames = [(one.filename, one.lineno) for one in traceback.extract_tb(error.__traceback__)]
    frames += _FRAME.findall(str(error))
    frames = [(file, line) for file, line in frames if not file.startswith(_LIBRARIES)]
    where = f", {frames[-1][0]} line {frames[-1][1]}" if frames else ""
    return InputError(f"ranker.model: {model} fails {situation} ({reason}{where})")
