"""Prometheus metrics on the REST port, and the monitoring configuration."""

import json
import urllib.error
import urllib.request

import grpc
import pytest
from prometheus_client import parser
from tensorflow_serving.apis import prediction_service_pb2_grpc

from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.server import MonitoringConfig
from semantic_id_ranking.serving.server.metrics import Metrics
from semantic_id_ranking.serving.server.monitoring_config import read_monitoring_config
from tests.serving import tiny_models
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
