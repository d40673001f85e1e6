"""ModelService: GetModelStatus. The rest answers UNIMPLEMENTED."""

from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_service_pb2_grpc

from serving.server.model_registry import ModelRegistry
from serving.server.status import answers_status
from serving.server.status import invalid_argument
from serving.server.status import not_found


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """Answers what TensorFlow Serving's `get_model_status_impl.cc` answers.

    Args:
        registry: The models.
    """

    def __init__(self, registry: ModelRegistry):
        self._registry = registry

    @answers_status
    def GetModelStatus(  # noqa: N802
        self, request: get_model_status_pb2.GetModelStatusRequest
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Tells the states of one version, or of all versions of a model."""
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        spec = request.model_spec
        model = self._registry.model(spec.name)
        statuses = model.statuses() if model else []
        if spec.HasField("version"):
            version = spec.version.value
            statuses = [status for status in statuses if status.version == version]
            if not statuses:
                raise not_found(f"Could not find version {version} of model {spec.name}")
        if not statuses:
            raise not_found(f"Could not find any versions of model {spec.name}")
        return get_model_status_pb2.GetModelStatusResponse(model_version_status=statuses)
