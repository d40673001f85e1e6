"""ModelService over gRPC."""

from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_management_pb2
from tensorflow_serving.apis import model_service_pb2_grpc

from semantic_id_ranking.serving.server.model_registry import ModelRegistry
from semantic_id_ranking.serving.server.model_status import get_model_status
from semantic_id_ranking.serving.server.status import answers_status
from semantic_id_ranking.serving.server.status import invalid_argument
from semantic_id_ranking.serving.server.status import unimplemented


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """Answers as TensorFlow Serving's `model_service_impl.cc` does.

    Args:
        registry: The models.
        reload: Whether HandleReloadConfigRequest is answered.
    """

    def __init__(self, registry: ModelRegistry, reload: bool):
        self._registry = registry
        self._reload = reload

    @answers_status
    def GetModelStatus(  # noqa: N802
        self, request: get_model_status_pb2.GetModelStatusRequest
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Tells the states of one version, or of all versions of a model."""
        return get_model_status(self._registry, request)

    @answers_status
    def HandleReloadConfigRequest(  # noqa: N802
        self, request: model_management_pb2.ReloadConfigRequest
    ) -> model_management_pb2.ReloadConfigResponse:
        """Makes a configuration the complete set of models; answers when they are loaded."""
        if not self._reload:
            raise unimplemented(
                "HandleReloadConfigRequest is off; start the server with --reload to have it"
            )
        if request.config.WhichOneof("config") != "model_config_list":
            raise invalid_argument(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
                "ModelConfigList is currently supported"
            )
        self._registry.reload(request.config)
        response = model_management_pb2.ReloadConfigResponse()
        response.status.SetInParent()
        return response
