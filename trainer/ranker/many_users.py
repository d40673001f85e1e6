"""Requests of many users, each with candidates of its own."""

from collections.abc import Mapping

import tensorflow as tf

from semantic_id_ranking.trainer.ranker.features import CANDIDATE
from semantic_id_ranking.trainer.ranker.features import CURRENT
from semantic_id_ranking.trainer.ranker.features import Features
from semantic_id_ranking.trainer.ranker.features import HISTORY

CANDIDATE_COUNT = "candidate_count"
HISTORY_COUNT = "history_count"

_COUNT_OF = {CANDIDATE: CANDIDATE_COUNT, HISTORY: HISTORY_COUNT}
_LABELS = f"{HISTORY}_label_"


def many_users_spec(one_user: Mapping[str, tf.TensorSpec]) -> dict[str, tf.TensorSpec]:
    """The tensors of a request for U users, with at most C candidates and T history entries each.

    The first dimension of all is U, so that a server can join requests.

    Args:
        one_user: Those of a request for one user: `FeatureBuilder.request_spec`.

    Returns:
        `candidate_count` and `history_count`, int32 [U], how many there are of each user; the items
        and labels [U, C, ...], [U, ...] and [U, T, ...]; counters [U, n] of a user and [U, C, n] of
        a candidate; a column of the context, of unknown rank, [U] or [U, C].
    """
    specs = {name: tf.TensorSpec([None], tf.int32, name) for name in _COUNT_OF.values()}
    for name, spec in one_user.items():
        role = name.partition("_")[0]
        shape: list[int | None] | None = [None, *spec.shape[1:]]
        if role not in (CURRENT, HISTORY) and spec.shape[0] is None:
            shape = [None, *spec.shape]
            if role != CANDIDATE and len(spec.shape) == 1:
                shape = None
        specs[name] = tf.TensorSpec(shape, spec.dtype, name)
    return specs


def flatten_users(
    request: Mapping[str, tf.Tensor], one_user: Mapping[str, tf.TensorSpec]
) -> Features:
    """A request for U users as the features of U x C candidates, those of a user side by side.

    Args:
        request: Tensors of `many_users_spec`.
        one_user: As there.

    Returns:
        The tensors of `one_user` with a first dimension of U x C for candidates, of U or U x C for
        the context and of U for the others. What is beyond a count is no item and no label,
        whatever it was padded with.
    """
    features = {}
    for name, spec in one_user.items():
        values = request[name]
        role = name.partition("_")[0]
        if role in _COUNT_OF:
            there = tf.sequence_mask(request[_COUNT_OF[role]], tf.shape(values)[1])
            there = tf.reshape(
                there, tf.concat([tf.shape(there), [1] * (len(values.shape) - 2)], 0)
            )
            absent = {tf.int64: -1, tf.string: "", tf.float32: 0.0}[spec.dtype]
            absent = float("nan") if name.startswith(_LABELS) else absent
            values = tf.where(there, values, tf.constant(absent, spec.dtype))
        if spec.shape[0] is None:
            values = tf.reshape(values, [-1, *spec.shape[1:]])
        features[name] = values
    return features
