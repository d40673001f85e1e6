"""GetModelMetadata: the signatures of one version."""

from tensorflow_serving.apis import get_model_metadata_pb2

from semantic_id_ranking.serving.server.model_registry import ModelRegistry
from semantic_id_ranking.serving.server.status import invalid_argument

SIGNATURE_DEF = "signature_def"


def get_model_metadata(
    registry: ModelRegistry, request: get_model_metadata_pb2.GetModelMetadataRequest
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """Answers what TensorFlow Serving's `get_model_metadata_impl.cc` answers.

    Args:
        registry: The models.
        request: The version, and the one field there is.

    Returns:
        Its signatures.

    Raises:
        StatusError: The request cannot be answered.
    """
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    if not request.metadata_field:
        raise invalid_argument("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != SIGNATURE_DEF:
            raise invalid_argument(f"Metadata field {field} is not supported")
    servable = registry.servable(request.model_spec)
    response = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=servable.model_spec())
    response.metadata[SIGNATURE_DEF].Pack(
        get_model_metadata_pb2.SignatureDefMap(signature_def=servable.signature_defs)
    )
    return response
