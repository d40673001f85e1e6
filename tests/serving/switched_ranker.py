"""A served ranker whose version is switched between two requests, and that counts them."""

import collections
import contextlib
import dataclasses

import numpy as np
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from semantic_id_ranking.serving.tensor_proto import read_array
from semantic_id_ranking.serving.tensor_proto import write_array
from tests.serving.test_serving_retries import listen


@dataclasses.dataclass(frozen=True)
class Version:
    number: int
    fingerprint: str = "space-a"
    columns: tuple[str, ...] = ()


class SwitchedRanker(prediction_service_pb2_grpc.PredictionServiceServicer):
    """click = sum of a candidate's two codes; a column is an integer that it does not look at."""

    def __init__(self, version):
        self.version = version
        self.calls = collections.Counter()

    def GetModelMetadata(self, request, context):  # noqa: N802
        self.calls["metadata"] += 1
        signatures = get_model_metadata_pb2.SignatureDefMap()
        rank = signatures.signature_def["rank"]
        for role in ("candidate", "current", "history"):
            rank.inputs[f"{role}_sid"].dtype = types_pb2.DT_INT64
        for column in self.version.columns:
            rank.inputs[f"context_{column}"].dtype = types_pb2.DT_INT64
        rank.outputs["click"].dtype = types_pb2.DT_FLOAT
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.version.value = self.version.number
        response.metadata["signature_def"].Pack(signatures)
        return response

    def Predict(self, request, context):  # noqa: N802
        self.calls[request.model_spec.signature_name] += 1
        response = predict_pb2.PredictResponse()
        response.model_spec.version.value = self.version.number
        if request.model_spec.signature_name == "info":
            fingerprint = self.version.fingerprint.encode()
            write_array(np.array(fingerprint, object), response.outputs["fingerprint"])
            write_array(np.array(2), response.outputs["levels"])
            write_array(np.array(10), response.outputs["codebook_size"])
            return response
        sids = read_array(request.inputs["candidate_sid"])
        write_array(np.maximum(sids, 0).sum(1).astype(np.float32), response.outputs["click"])
        return response


@contextlib.contextmanager
def serve(version):
    """Serves a version; gives the servicer, whose `address` is where it listens."""
    servicer = SwitchedRanker(version)
    server, servicer.address = listen(servicer)
    try:
        yield servicer
    finally:
        server.stop(None).wait()
