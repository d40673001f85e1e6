"""PredictionService: Predict and GetModelMetadata. The rest answers UNIMPLEMENTED."""

from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from serving.server.model_registry import ModelRegistry
from serving.server.servable import DEFAULT_SIGNATURE
from serving.server.status import answers_status
from serving.server.status import invalid_argument
from serving.tensor_proto import write_array

SIGNATURE_DEF = "signature_def"


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers what TensorFlow Serving's `predict_impl.cc` and `get_model_metadata_impl.cc` answer.

    Args:
        registry: The models.
    """

    def __init__(self, registry: ModelRegistry):
        self._registry = registry

    @answers_status
    def Predict(  # noqa: N802
        self, request: predict_pb2.PredictRequest
    ) -> predict_pb2.PredictResponse:
        """Runs one signature of one version."""
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        spec = request.model_spec
        servable = self._registry.servable(spec)
        signature = servable.signature(spec.signature_name)
        outputs = signature.run(dict(request.inputs), request.output_filter)
        response = predict_pb2.PredictResponse()
        for alias, array in outputs.items():
            write_array(array, response.outputs[alias])
        response.model_spec.name = servable.name
        response.model_spec.version.value = servable.version
        response.model_spec.signature_name = spec.signature_name or DEFAULT_SIGNATURE
        return response

    @answers_status
    def GetModelMetadata(  # noqa: N802
        self, request: get_model_metadata_pb2.GetModelMetadataRequest
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Tells the signatures of one version."""
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        if not request.metadata_field:
            raise invalid_argument(
                "GetModelMetadataRequest must specify at least one metadata_field"
            )
        for field in request.metadata_field:
            if field != SIGNATURE_DEF:
                raise invalid_argument(f"Metadata field {field} is not supported")
        servable = self._registry.servable(request.model_spec)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = servable.name
        response.model_spec.version.value = servable.version
        response.metadata[SIGNATURE_DEF].Pack(
            get_model_metadata_pb2.SignatureDefMap(signature_def=servable.signature_defs)
        )
        return response
