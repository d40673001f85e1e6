"""Descriptors of the two gRPC services of TensorFlow Serving.

`tensorflow_serving.apis.prediction_service_pb2` and `model_service_pb2` describe them too, but on
Python 3.11 and newer TFX takes a version whose two modules protobuf refuses to load.
"""

from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from tensorflow_serving.apis import classification_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import inference_pb2
from tensorflow_serving.apis import model_management_pb2
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import regression_pb2

_PACKAGE = "tensorflow.serving"
_PREDICTION_METHODS = {
    "Classify": (
        classification_pb2.ClassificationRequest,
        classification_pb2.ClassificationResponse,
    ),
    "Regress": (regression_pb2.RegressionRequest, regression_pb2.RegressionResponse),
    "Predict": (predict_pb2.PredictRequest, predict_pb2.PredictResponse),
    "MultiInference": (inference_pb2.MultiInferenceRequest, inference_pb2.MultiInferenceResponse),
    "GetModelMetadata": (
        get_model_metadata_pb2.GetModelMetadataRequest,
        get_model_metadata_pb2.GetModelMetadataResponse,
    ),
}
_MODEL_METHODS = {
    "GetModelStatus": (
        get_model_status_pb2.GetModelStatusRequest,
        get_model_status_pb2.GetModelStatusResponse,
    ),
    "HandleReloadConfigRequest": (
        model_management_pb2.ReloadConfigRequest,
        model_management_pb2.ReloadConfigResponse,
    ),
}


def register_services() -> tuple[str, str]:
    """Adds both services to the default descriptor pool, which reflection answers from.

    Both files are those of TensorFlow Serving, to the letter: a program that loads its modules too
    would otherwise define the same files twice.

    Returns:
        The full names of PredictionService and ModelService.
    """
    return (
        _register("prediction_service", "PredictionService", _PREDICTION_METHODS),
        _register("model_service", "ModelService", _MODEL_METHODS),
    )


def _register(
    file_name: str, service_name: str, methods: dict[str, tuple[type[Message], type[Message]]]
) -> str:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"tensorflow_serving/apis/{file_name}.proto", package=_PACKAGE, syntax="proto3"
    )
    file.options.cc_enable_arenas = True
    service = file.service.add(name=service_name)
    messages: list[Descriptor] = []
    for name, (request, response) in methods.items():
        service.method.add(
            name=name,
            input_type=f".{request.DESCRIPTOR.full_name}",
            output_type=f".{response.DESCRIPTOR.full_name}",
        )
        messages += [request.DESCRIPTOR, response.DESCRIPTOR]
    file.dependency.extend(sorted({message.file.name for message in messages}))
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    return f"{_PACKAGE}.{service_name}"
