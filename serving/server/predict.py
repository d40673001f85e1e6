"""Predict: one signature of one version, tensors in and tensors out."""

from tensorflow_serving.apis import predict_pb2

from semantic_id_ranking.serving.server.metrics import Metrics
from semantic_id_ranking.serving.server.servable import DEFAULT_SIGNATURE
from semantic_id_ranking.serving.server.servable import Servable
from semantic_id_ranking.serving.server.tensor_proto import write_values


def predict(
    servable: Servable, request: predict_pb2.PredictRequest, metrics: Metrics
) -> predict_pb2.PredictResponse:
    """Answers what TensorFlow Serving's `predict_impl.cc` answers.

    Args:
        servable: The version that the request asks for.
        request: Inputs and output filter.
        metrics: Where TensorFlow's part is timed.

    Returns:
        The outputs.

    Raises:
        StatusError: The request does not fit the signature, or an operation fails.
    """
    name = request.model_spec.signature_name
    timer = metrics.time_runtime(servable.name, "Predict")
    outputs = servable.signature(name).run(dict(request.inputs), request.output_filter, timer)
    response = predict_pb2.PredictResponse(
        model_spec=servable.model_spec(name or DEFAULT_SIGNATURE)
    )
    for alias, array in outputs.items():
        write_values(array, response.outputs[alias])
    return response
