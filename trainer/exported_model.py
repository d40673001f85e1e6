"""Check of an exported model: its files, its answers, its SID space."""

import os
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  registers SentencePiece's ops
from tensorflow_serving.apis import prediction_log_pb2

from semantic_id_ranking.contracts.errors import DamagedModelError
from semantic_id_ranking.contracts.file_digests import check_file_digests
from semantic_id_ranking.contracts.sid_space import ENCODED_FILE
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.trainer.warmup import REQUESTS_FILE

# Share of the items encoded at the export that have to keep their codes. Another processor rounds
# otherwise, which may move an item that lies between two codes.
_AGREEMENT = 0.95
_LONGEST_REASON = 300

Outputs = Mapping[str, tf.Tensor]


def check_exported_model(directory: str) -> SidSpace:
    """Loads a SavedModel and calls every signature on its warm-up requests.

    Args:
        directory: The SavedModel.

    Returns:
        The SID space that it lives in.

    Raises:
        DamagedModelError: A file is not as it was exported, the model does not load, a signature
            has no request, fails, or gives a number that is not finite; or `info` names another SID
            space than `sid_space.json`, or `encode` gives other codes than at the export.
    """
    check_file_digests(directory)
    try:
        model = tf.saved_model.load(directory)
        space = SidSpace.load(os.path.join(directory, "assets.extra"))
        answers = _answers(model, directory)
        agreement = _agreement(model, directory)
    except Exception as error:  # Whatever TensorFlow raises on a model that is none.
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise DamagedModelError(f"{directory}: does not load and answer: {reason}") from error
    silent = sorted(set(model.signatures) - {name for name, _ in answers})
    if silent:
        raise DamagedModelError(f"{directory}: signature {silent[0]} has no warm-up request")
    for name, outputs in answers:
        _check_answer(directory, name, outputs, space)
    if agreement < _AGREEMENT:
        raise DamagedModelError(
            f"{directory}: encode gives {1 - agreement:.0%} of the items in {ENCODED_FILE} other "
            "codes than at the export"
        )
    return space


def _answers(model: tf.Module, directory: str) -> list[tuple[str, Outputs]]:
    """The signature and the outputs of each warm-up request."""
    answers = []
    records = tf.data.TFRecordDataset(os.path.join(directory, REQUESTS_FILE))
    for record in records.as_numpy_iterator():
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        name = request.model_spec.signature_name
        inputs = {
            alias: tf.constant(tf.make_ndarray(value)) for alias, value in request.inputs.items()
        }
        answers.append((name, model.signatures[name](**inputs)))
    return answers


def _agreement(model: tf.Module, directory: str) -> float:
    """Share of the exported items that keep their codes; 1 for a model that does not encode."""
    path = os.path.join(directory, "assets.extra", ENCODED_FILE)
    if not os.path.exists(path):
        return 1.0
    with np.load(path, allow_pickle=False) as exported:
        embeddings, expected = exported["embedding"], exported["sid"]
    sids = model.signatures["encode"](embedding=tf.constant(embeddings))["sid"].numpy()
    return (sids == expected).all(axis=1).mean()


def _check_answer(directory: str, signature: str, outputs: Outputs, space: SidSpace) -> None:
    for alias, value in outputs.items():
        if value.dtype.is_floating and not np.isfinite(value.numpy()).all():
            raise DamagedModelError(
                f"{directory}: signature {signature} gives a {alias} that is not finite for its "
                "warm-up request"
            )
    if signature == "info" and (found := outputs["fingerprint"].numpy().decode()) != (
        space.fingerprint
    ):
        raise DamagedModelError(
            f"{directory}: info names SID space {found}, sid_space.json {space.fingerprint}"
        )
