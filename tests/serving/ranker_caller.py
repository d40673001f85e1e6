"""Questions to a server about its model `ranker`."""

import grpc
import tensorflow as tf
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import prediction_service_pb2_grpc

from tests.serving.tiny_models import example
from tests.serving.tiny_models import predict_request

State = get_model_status_pb2.ModelVersionStatus.State


class Caller:
    """Asks for an example's score, which tells versions apart: v is exported with bonus 10 v."""

    def __init__(self, server):
        self.channel = grpc.insecure_channel(server.address)
        self.predictions = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def score(self, version=None):
        """Version that answered, and the score."""
        response = self.predictions.Predict(
            predict_request("ranker", version=version, examples=[example(1, 2)])
        )
        score = tf.make_ndarray(response.outputs["click"]).item()
        return response.model_spec.version.value, score

    def states(self):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "ranker"
        statuses = self.models.GetModelStatus(request).model_version_status
        return {status.version: State.Name(status.state) for status in statuses}

    def error(self, version):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "ranker"
        request.model_spec.version.value = version
        (status,) = self.models.GetModelStatus(request).model_version_status
        return status.status
