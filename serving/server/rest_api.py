"""TensorFlow Serving's REST API: calls, status and metadata of `/v1/models/<model>`."""

import inspect
import logging
import re
import urllib.parse
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf import message
from tensorflow_serving.apis import classification_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.apis import regression_pb2

from semantic_id_ranking.serving.server.classify import classify
from semantic_id_ranking.serving.server.json_document import parse_json
from semantic_id_ranking.serving.server.json_examples import classification_json
from semantic_id_ranking.serving.server.json_examples import examples_input
from semantic_id_ranking.serving.server.json_examples import regression_json
from semantic_id_ranking.serving.server.json_predict import predict_request
from semantic_id_ranking.serving.server.json_predict import predict_response_json
from semantic_id_ranking.serving.server.metrics import Metrics
from semantic_id_ranking.serving.server.model_metadata import get_model_metadata
from semantic_id_ranking.serving.server.model_metadata import SIGNATURE_DEF
from semantic_id_ranking.serving.server.model_registry import ModelRegistry
from semantic_id_ranking.serving.server.model_status import get_model_status
from semantic_id_ranking.serving.server.predict import predict
from semantic_id_ranking.serving.server.regress import regress
from semantic_id_ranking.serving.server.status import invalid_argument
from semantic_id_ranking.serving.server.status import StatusError

_log = logging.getLogger(__name__)

_MODEL = (
    r"/v1/models(?:/(?P<name>[^/:]+))?(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
)
_CALL = re.compile(_MODEL + r":(?P<method>classify|regress|predict)", re.IGNORECASE)
_LOOK = re.compile(_MODEL + r"(?P<metadata>/metadata)?", re.IGNORECASE)
_MAX_VERSION = 2**63 - 1

_HTTP_CODES = {
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.UNAUTHENTICATED: 401,
}

# The keyword that writes fields which hold their default, in older protobuf and in newer.
_KEYWORDS = {"including_default_value_fields", "always_print_fields_with_no_presence"}
(_WITH_DEFAULTS,) = _KEYWORDS & inspect.signature(json_format.MessageToDict).parameters.keys()


class RestApi:
    """Answers as TensorFlow Serving's `http_rest_api_handler.cc` does; knows nothing of sockets.

    Args:
        registry: The models.
        metrics: Where requests are counted.
    """

    def __init__(self, registry: ModelRegistry, metrics: Metrics):
        self._registry = registry
        self._metrics = metrics

    def answer(self, http_method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Answers a request.

        Args:
            http_method: Such as GET.
            path: URL path, as it came.
            body: What was sent with it.

        Returns:
            The HTTP status and the value to write as JSON.
        """
        try:
            return 200, self._answer(http_method, path, body)
        except StatusError as error:
            return _HTTP_CODES.get(error.code, 500), {"error": error.message}
        except (RecursionError, UnicodeEncodeError) as error:
            # Objects within objects without end; a half of a surrogate pair.
            return 400, {"error": f"JSON Parse error: {error}"}
        except Exception as error:  # Whatever goes wrong in here, a caller gets an answer.
            _log.exception("%s %s", http_method, path)
            return 500, {"error": str(error)}

    def _answer(self, http_method: str, path: str, body: bytes) -> dict[str, Any]:
        pattern = {"POST": _CALL, "GET": _LOOK}.get(http_method)
        match = pattern.fullmatch(path) if pattern else None
        if match is None:
            raise invalid_argument(f"Malformed request: {http_method} {path}")
        if not match["name"]:
            raise invalid_argument("Missing model name in request.")
        spec = _model_spec(match)
        if pattern is _CALL:
            return self._call(match["method"].lower(), spec, body)
        if match["metadata"]:
            return self._metadata(spec)
        return self._status(spec)

    def _call(self, method: str, spec: model_pb2.ModelSpec, body: bytes) -> dict[str, Any]:
        with self._metrics.observe(spec.name, method, "REST"):
            document = parse_json(body)
            if method == "predict":
                servable = self._registry.servable(spec)
                request = predict_request(document, servable)
                response = predict(servable, request, self._metrics)
                return predict_response_json(document, response.outputs)
            spec.signature_name = document.get("signature_name", "")
            examples = examples_input(document)
            servable = self._registry.servable(spec)
            if method == "classify":
                request = classification_pb2.ClassificationRequest(model_spec=spec, input=examples)
                return classification_json(classify(servable, request, self._metrics).result)
            request = regression_pb2.RegressionRequest(model_spec=spec, input=examples)
            return regression_json(regress(servable, request, self._metrics).result)

    def _status(self, spec: model_pb2.ModelSpec) -> dict[str, Any]:
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=spec)
        return _to_json(get_model_status(self._registry, request))

    def _metadata(self, spec: model_pb2.ModelSpec) -> dict[str, Any]:
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=spec, metadata_field=[SIGNATURE_DEF]
        )
        response = get_model_metadata(self._registry, request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata[SIGNATURE_DEF].Unpack(signatures)
        return {
            "model_spec": _to_json(response.model_spec),
            "metadata": {SIGNATURE_DEF: _to_json(signatures)},
        }


def _model_spec(match: re.Match) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=urllib.parse.unquote(match["name"]))
    if match["version"]:
        if int(match["version"]) > _MAX_VERSION:
            raise invalid_argument(f"Failed to convert version: {match['version']} to numeric.")
        spec.version.value = int(match["version"])
    elif match["label"]:
        spec.version_label = urllib.parse.unquote(match["label"])
    return spec


def _to_json(proto: message.Message) -> dict[str, Any]:
    return json_format.MessageToDict(
        proto, preserving_proto_field_name=True, **{_WITH_DEFAULTS: True}
    )
