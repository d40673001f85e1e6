"""GetModelStatus: the state of each version of a model."""

from tensorflow_serving.apis import get_model_status_pb2

from semantic_id_ranking.serving.server.model_registry import ModelRegistry
from semantic_id_ranking.serving.server.status import invalid_argument
from semantic_id_ranking.serving.server.status import not_found


def get_model_status(
    registry: ModelRegistry, request: get_model_status_pb2.GetModelStatusRequest
) -> get_model_status_pb2.GetModelStatusResponse:
    """Answers what TensorFlow Serving's `get_model_status_impl.cc` answers.

    Args:
        registry: The models.
        request: A model, or one of its versions; a label is passed over.

    Returns:
        The states, newest version first.

    Raises:
        StatusError: There is no such model, or no such version of it.
    """
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    spec = request.model_spec
    statuses = registry.statuses(spec.name)
    if spec.HasField("version"):
        version = spec.version.value
        statuses = [status for status in statuses if status.version == version]
        if not statuses:
            raise not_found(f"Could not find version {version} of model {spec.name}")
    if not statuses:
        raise not_found(f"Could not find any versions of model {spec.name}")
    return get_model_status_pb2.GetModelStatusResponse(model_version_status=statuses)
