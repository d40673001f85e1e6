"""MultiInference: several signatures of Classify and Regress on the same tf.Examples."""

import contextlib

from tensorflow_serving.apis import inference_pb2

from semantic_id_ranking.serving.server.classify import check_classification
from semantic_id_ranking.serving.server.classify import classification_result
from semantic_id_ranking.serving.server.example_signature import run_on_examples
from semantic_id_ranking.serving.server.metrics import Metrics
from semantic_id_ranking.serving.server.regress import check_regression
from semantic_id_ranking.serving.server.regress import regression_result
from semantic_id_ranking.serving.server.servable import DEFAULT_SIGNATURE
from semantic_id_ranking.serving.server.servable import Servable
from semantic_id_ranking.serving.server.status import invalid_argument
from semantic_id_ranking.serving.server.status import unimplemented

CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
_CHECKS = {CLASSIFY: check_classification, REGRESS: check_regression}


def multi_inference(
    servable: Servable, request: inference_pb2.MultiInferenceRequest, metrics: Metrics
) -> inference_pb2.MultiInferenceResponse:
    """Answers what TensorFlow Serving's `multi_inference.cc` answers.

    Args:
        servable: The version that the request asks for.
        request: The tasks and the examples.
        metrics: Where examples are counted.

    Returns:
        A result for each task.

    Raises:
        StatusError: The tasks do not go together, or do not fit the version's signatures.
    """
    _check_tasks(servable, request)
    response = inference_pb2.MultiInferenceResponse()
    examples = 0
    for task in request.tasks:
        name = _signature_name(task)
        outputs, examples = run_on_examples(servable, name, request.input, contextlib.nullcontext())
        result = response.results.add(model_spec=servable.model_spec(name))
        if task.method_name == CLASSIFY:
            result.classification_result.CopyFrom(classification_result(outputs, examples))
        else:
            result.regression_result.CopyFrom(regression_result(outputs, examples))
    metrics.count_examples(servable.name, examples)
    return response


def _check_tasks(servable: Servable, request: inference_pb2.MultiInferenceRequest) -> None:
    seen: set[str] = set()
    for task in request.tasks:
        if not task.model_spec.name:
            raise invalid_argument("Found ModelSpec with an empty model name.")
        if task.model_spec.name != request.tasks[0].model_spec.name:
            raise invalid_argument(
                "All ModelSpecs in a MultiInferenceRequest must access the same model name."
            )
        name = _signature_name(task)
        if name in seen:
            raise invalid_argument(f"Duplicate evaluation of signature: {name}")
        if name not in servable.signature_defs:
            raise invalid_argument(f"Requested signature not found in model graph: {name}")
        seen.add(name)
        if task.method_name not in _CHECKS:
            raise unimplemented(f"Unsupported signature method_name: {task.method_name}")
        _CHECKS[task.method_name](servable.signature_defs[name])


def _signature_name(task: inference_pb2.InferenceTask) -> str:
    return task.model_spec.signature_name or DEFAULT_SIGNATURE
