"""GetModelMetadata and GetModelStatus over a real channel."""

import pytest
import tensorflow as tf
from google.protobuf import wrappers_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_pb2

from tests.serving.server_calls import refusal


def spec(name, version=None):
    return model_pb2.ModelSpec(
        name=name, version=None if version is None else wrappers_pb2.Int64Value(value=version)
    )


def test_metadata_tells_signatures_with_names_types_and_shapes(prediction_service):
    response = prediction_service.GetModelMetadata(
        get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=spec("ranker"), metadata_field=["signature_def"]
        )
    )
    assert (response.model_spec.name, response.model_spec.version.value) == ("ranker", 3)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    rank = signatures.signature_def["rank"]
    assert rank.inputs["history_sid"].dtype == tf.int64.as_datatype_enum
    assert [d.size for d in rank.inputs["history_sid"].tensor_shape.dim] == [1, -1, 2]
    assert set(rank.outputs) == {"click", "like"}
    assert set(signatures.signature_def) >= {"serving_default", "rank", "info"}


Metadata = get_model_metadata_pb2.GetModelMetadataRequest


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (Metadata(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        (
            Metadata(model_spec=spec("ranker")),
            "INVALID_ARGUMENT",
            "GetModelMetadataRequest must specify at least one metadata_field",
        ),
        (
            Metadata(model_spec=spec("ranker"), metadata_field=["weights"]),
            "INVALID_ARGUMENT",
            "Metadata field weights is not supported",
        ),
        (
            Metadata(model_spec=spec("ranker", 9), metadata_field=["signature_def"]),
            "NOT_FOUND",
            "Servable not found for request: Specific(ranker, 9)",
        ),
    ],
)
def test_metadata_refusals(prediction_service, request_, code, message):
    assert refusal(prediction_service.GetModelMetadata, request_) == (code, message)


@pytest.mark.parametrize("version", [None, 3])
def test_status_of_a_served_version(model_service, version):
    response = model_service.GetModelStatus(
        get_model_status_pb2.GetModelStatusRequest(model_spec=spec("ranker", version))
    )
    (status,) = response.model_version_status
    assert status.version == 3
    assert status.state == get_model_status_pb2.ModelVersionStatus.AVAILABLE
    assert (status.status.error_code, status.status.error_message) == (0, "")


@pytest.mark.parametrize(
    ("model_spec", "code", "message"),
    [
        (None, "INVALID_ARGUMENT", "Missing ModelSpec"),
        (spec("nobody"), "NOT_FOUND", "Could not find any versions of model nobody"),
        (spec("ranker", 4), "NOT_FOUND", "Could not find version 4 of model ranker"),
    ],
)
def test_status_refusals(model_service, model_spec, code, message):
    request = get_model_status_pb2.GetModelStatusRequest(model_spec=model_spec)
    assert refusal(model_service.GetModelStatus, request) == (code, message)
