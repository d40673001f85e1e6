"""Warm-up requests, which a version answers before it is served."""

import os
from collections.abc import Iterator

import tensorflow as tf
from google.protobuf import message
from tensorflow_serving.apis import prediction_log_pb2

from semantic_id_ranking.serving.server.classify import classify
from semantic_id_ranking.serving.server.metrics import Metrics
from semantic_id_ranking.serving.server.multi_inference import multi_inference
from semantic_id_ranking.serving.server.predict import predict
from semantic_id_ranking.serving.server.regress import regress
from semantic_id_ranking.serving.server.servable import Servable
from semantic_id_ranking.serving.server.status import invalid_argument
from semantic_id_ranking.serving.server.status import unimplemented

REQUESTS_FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")
MAX_RECORDS = 1000

_RUN = {
    "predict_log": predict,
    "classify_log": classify,
    "regress_log": regress,
    "multi_inference_log": multi_inference,
}


def warm_up(servable: Servable, path: str) -> None:
    """Runs the warm-up requests of a SavedModel, if it has any.

    Args:
        servable: The loaded version.
        path: Its directory. `assets.extra/tf_serving_warmup_requests` is a TFRecord of serialized
            PredictionLog messages; what they say of name and version is passed over.

    Raises:
        StatusError: A record is no PredictionLog, a request fails, or there are over 1,000.
        tf.errors.OpError: The file is no TFRecord.
    """
    file = os.path.join(path, REQUESTS_FILE)
    if not os.path.exists(file):
        return
    metrics = Metrics(())  # That nobody reads: warm-up is no request.
    for count, record in enumerate(_records(file), start=1):
        if count > MAX_RECORDS:
            raise invalid_argument(
                f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at {file}"
            )
        _run(servable, record, file, metrics)


def _records(file: str) -> Iterator[bytes]:
    try:
        yield from tf.data.TFRecordDataset(file).as_numpy_iterator()
    except tf.errors.DataLossError as error:
        text = f"{error.message}. Please verify your warmup data is in TFRecord format."
        raise tf.errors.DataLossError(None, None, text) from error


def _run(servable: Servable, record: bytes, file: str, metrics: Metrics) -> None:
    try:
        log = prediction_log_pb2.PredictionLog.FromString(record)
    except message.DecodeError as error:
        raise invalid_argument(
            f"Failed to parse warmup record: {record[:100]!r} from {file}"
        ) from error
    kind = log.WhichOneof("log_type")
    if kind is None:
        return
    if kind not in _RUN:
        raise unimplemented(f"Unsupported log_type for warmup: {kind}")
    _RUN[kind](servable, getattr(log, kind).request, metrics)
