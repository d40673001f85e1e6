"""Prometheus metrics on the REST port, and the monitoring configuration."""

import json
import urllib.error
import urllib.request

import grpc
import pytest
from prometheus_client import parser
from tensorflow_serving.apis import classification_pb2
from tensorflow_serving.apis import inference_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc
from tensorflow_serving.apis import regression_pb2

from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.server import MonitoringConfig
from semantic_id_ranking.serving.server.metrics import Metrics
from semantic_id_ranking.serving.server.monitoring_config import read_monitoring_config
from tests.serving import tiny_models
from tests.serving.example_models import example as x_example
from tests.serving.example_models import ExampleModel
from tests.serving.tiny_models import example
from tests.serving.tiny_models import predict_request

COUNT = ":tensorflow:serving:request_count"
PATH = "/monitoring/prometheus/metrics"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("models") / "ranker"
    tiny_models.export(tiny_models.SidRanker(), base_path, 3)
    return {"ranker": base_path}


def samples(page):
    """Value by name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parser.text_string_to_metric_families(page)
        for sample in family.samples
    }


def scrape(server, path=PATH):
    with urllib.request.urlopen(f"http://{server.rest_address}{path}", timeout=10) as response:
        assert response.headers["Content-Type"].startswith("text/plain")
        return response.read().decode()


def predict(server, model, examples):
    with grpc.insecure_channel(server.address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        stub.Predict(predict_request(model, examples=examples))


def test_requests_are_counted_and_timed_under_the_names_of_tensorflow_serving(models):
    with ModelServer(models, rest_port=0) as server:
        for _ in range(3):
            predict(server, "ranker", [example(1, 2)])
        with pytest.raises(grpc.RpcError):
            predict(server, "ranker", [b"no example"])
        body = json.dumps({"signature_name": "plus", "inputs": {"a": [1], "b": [2]}}).encode()
        urllib.request.urlopen(
            f"http://{server.rest_address}/v1/models/ranker:predict", body, timeout=10
        ).close()
        page = scrape(server)
    assert "# TYPE :tensorflow:serving:request_count counter\n" in page
    assert "# TYPE :tensorflow:serving:request_latency histogram\n" in page
    for status, number in [("OK", 4), ("INVALID_ARGUMENT", 1)]:
        line = f'{COUNT}{{model_name="ranker",status="{status}"}} {number}.0'
        assert line in page.splitlines()
    found = samples(page)
    latency, model = ":tensorflow:serving:request_latency", ("model_name", "ranker")
    grpc_labels = (("API", "Predict"), ("entrypoint", "GRPC"), model)
    rest_labels = (("API", "predict"), ("entrypoint", "REST"), model)
    assert found[(f"{latency}_count", *grpc_labels)] == 3
    assert found[(f"{latency}_count", *rest_labels)] == 1
    buckets = sorted(
        (float(dict(labels)["le"]), value)
        for (name, *labels), value in found.items()
        if name == f"{latency}_bucket" and ("API", "Predict") in labels
    )
    assert [buckets[0][0], buckets[1][0]] == [10.0, 18.0]
    assert buckets[-1] == (float("inf"), 3)


def test_examples_are_counted_and_tensorflows_part_is_timed(tmp_path):
    tiny_models.export(ExampleModel(), tmp_path / "m", 1)

    def request(message, count, signature=""):
        request = message()
        request.model_spec.name = "m"
        request.model_spec.signature_name = signature
        request.input.example_list.examples.extend([x_example(x=1.0)] * count)
        return request

    tasks = inference_pb2.MultiInferenceRequest()
    for signature, method in [("serving_default", "regress"), ("classify", "classify")]:
        task = tasks.tasks.add(method_name=f"tensorflow/serving/{method}")
        task.model_spec.name = "m"
        task.model_spec.signature_name = signature
    tasks.input.example_list.examples.extend([x_example(x=1.0)] * 5)
    with (
        ModelServer({"m": tmp_path / "m"}, rest_port=0) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        stub.Classify(request(classification_pb2.ClassificationRequest, 3, "classify"))
        stub.Regress(request(regression_pb2.RegressionRequest, 1))
        stub.MultiInference(tasks)
        stub.Predict(predict_request("m", inputs=[x_example(x=1.0).SerializeToString()]))
        with pytest.raises(grpc.RpcError):
            stub.Regress(request(regression_pb2.RegressionRequest, 1, "classify"))
        body = b'{"examples": [{"x": 1.0}, {"x": 2.0}]}'
        urllib.request.urlopen(
            f"http://{server.rest_address}/v1/models/m:regress", body, timeout=10
        ).close()
        found = samples(scrape(server))
    start, model = ":tensorflow:serving:", ("model", "m")
    assert found[(f"{start}request_example_count_total", model)] == 3 + 1 + 5 + 2
    assert found[(f"{start}request_example_counts_sum", model)] == 3 + 1 + 5 + 2
    buckets = {
        float(dict(labels)["le"]): value
        for (name, *labels), value in found.items()
        if name == f"{start}request_example_counts_bucket"
    }
    assert [buckets[limit] for limit in (1, 2, 4, 8, 2**14)] == [1, 2, 3, 4, 4]
    for api, count in [("Classify", 1), ("Regress", 2), ("Predict", 1)]:
        labels = (("API", api), ("model_name", "m"), ("runtime", "TF1"))
        assert found[(f"{start}runtime_latency_count", *labels)] == count
        assert 0 < found[(f"{start}runtime_latency_sum", *labels)] < 10e6


def test_latency_is_in_microseconds(monkeypatch):
    clock = iter([5.0, 5.0015])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    metrics = Metrics({"m"})
    with metrics.observe("m", "Predict", "GRPC"):
        pass
    labels = (("API", "Predict"), ("entrypoint", "GRPC"), ("model_name", "m"))
    found = samples(metrics.page().decode())
    assert found[(":tensorflow:serving:request_latency_sum", *labels)] == pytest.approx(1500)


def test_callers_cannot_fill_the_page_with_names_of_their_own(models):
    with ModelServer(models, rest_port=0) as server:
        for name in ("x", "y"):
            with pytest.raises(grpc.RpcError):
                predict(server, name, [])
        page = scrape(server)
    assert f'{COUNT}{{model_name="",status="NOT_FOUND"}} 2.0' in page.splitlines()


def test_the_page_moves_or_is_absent_as_configured(models):
    with ModelServer(models, rest_port=0, monitoring=MonitoringConfig(path="/m")) as server:
        assert COUNT in scrape(server, "/m")
    for path, monitoring in [(PATH, MonitoringConfig(path="/m")), (PATH, MonitoringConfig(False))]:
        with (
            ModelServer(models, rest_port=0, monitoring=monitoring) as server,
            pytest.raises(urllib.error.HTTPError, match="404"),
        ):
            scrape(server, path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", MonitoringConfig(False, PATH)),
        ("prometheus_config { enable: true }", MonitoringConfig(True, PATH)),
        ('prometheus_config { enable: true path: "/m" }', MonitoringConfig(True, "/m")),
    ],
)
def test_the_text_proto(tmp_path, text, expected):
    file = tmp_path / "monitoring.config"
    file.write_text(text)
    assert read_monitoring_config(file) == expected


def test_a_text_proto_of_something_else(tmp_path):
    file = tmp_path / "monitoring.config"
    file.write_text("prometheus { enable: true }")
    with pytest.raises(
        ValueError,
        match=f"{file}: Error parsing text-format tensorflow.serving.MonitoringConfig: 1:1 ",
    ):
        read_monitoring_config(file)
