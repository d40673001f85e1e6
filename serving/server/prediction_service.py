"""PredictionService over gRPC."""

from tensorflow_serving.apis import classification_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import inference_pb2
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc
from tensorflow_serving.apis import regression_pb2

from semantic_id_ranking.serving.server.classify import classify
from semantic_id_ranking.serving.server.metrics import Metrics
from semantic_id_ranking.serving.server.model_metadata import get_model_metadata
from semantic_id_ranking.serving.server.model_registry import ModelRegistry
from semantic_id_ranking.serving.server.multi_inference import multi_inference
from semantic_id_ranking.serving.server.predict import predict
from semantic_id_ranking.serving.server.regress import regress
from semantic_id_ranking.serving.server.status import answers_status


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers as TensorFlow Serving's `prediction_service_impl.cc` does.

    Args:
        registry: The models.
        metrics: Where requests are counted.
    """

    def __init__(self, registry: ModelRegistry, metrics: Metrics):
        self._registry = registry
        self._metrics = metrics

    @answers_status
    def Predict(  # noqa: N802
        self, request: predict_pb2.PredictRequest
    ) -> predict_pb2.PredictResponse:
        """Runs one signature of one version on tensors."""
        with self._metrics.observe(request.model_spec.name, "Predict", "GRPC"):
            return predict(self._registry.requested(request), request, self._metrics)

    @answers_status
    def Classify(  # noqa: N802
        self, request: classification_pb2.ClassificationRequest
    ) -> classification_pb2.ClassificationResponse:
        """Runs a signature of classification on tf.Examples."""
        with self._metrics.observe(request.model_spec.name, "Classify", "GRPC"):
            return classify(self._registry.requested(request), request, self._metrics)

    @answers_status
    def Regress(  # noqa: N802
        self, request: regression_pb2.RegressionRequest
    ) -> regression_pb2.RegressionResponse:
        """Runs a signature of regression on tf.Examples."""
        with self._metrics.observe(request.model_spec.name, "Regress", "GRPC"):
            return regress(self._registry.requested(request), request, self._metrics)

    @answers_status
    def MultiInference(  # noqa: N802
        self, request: inference_pb2.MultiInferenceRequest
    ) -> inference_pb2.MultiInferenceResponse:
        """Runs several such signatures on the same tf.Examples; the first task says the version."""
        spec = next(iter(request.tasks), inference_pb2.InferenceTask()).model_spec
        with self._metrics.observe(spec.name, "MultiInference", "GRPC"):
            return multi_inference(self._registry.servable(spec), request, self._metrics)

    @answers_status
    def GetModelMetadata(  # noqa: N802
        self, request: get_model_metadata_pb2.GetModelMetadataRequest
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Tells the signatures of one version."""
        return get_model_metadata(self._registry, request)
