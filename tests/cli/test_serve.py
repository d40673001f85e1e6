"""`sid serve` as a program, and its refusals."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request

import grpc
import numpy as np
import pytest
import rich.console
import tensorflow as tf
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import prediction_service_pb2_grpc

from semantic_id_ranking.cli.serve import serve
from semantic_id_ranking.cli.serve import ServeOptions
from semantic_id_ranking.contracts.errors import InputError
from tests.serving.tiny_models import predict_request


@pytest.fixture
def models(tmp_path):
    class Doubling(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
        def double(self, x):
            return {"y": 2.0 * x}

    module = Doubling()
    path = tmp_path / "models" / "doubling" / "1"
    tf.saved_model.save(module, str(path), {"serving_default": module.double})
    return tmp_path / "models"


def test_the_program_serves_and_drains_on_sigterm(models, tmp_path):
    config = tmp_path / "models.config"
    config.write_text(
        f'model_config_list {{ config {{ name: "doubling" base_path: "{models}/doubling" '
        'model_platform: "tensorflow" } }'
    )
    monitoring = tmp_path / "monitoring.config"
    monitoring.write_text('prometheus_config { enable: true path: "/m" }')
    command = [
        sys.executable,
        "-m",
        "semantic_id_ranking.cli.main",
        "serve",
        "--models-config",
        str(config),
    ]
    command += ["--port", "0", "--rest-port", "0", "--monitoring-config", str(monitoring)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        line = process.stdout.readline()
        found = re.fullmatch(r"serving doubling at \S+ \(gRPC\) and (\S+) \(REST\)\n", line)
        assert found, line
        rest = f"http://{found[1]}"
        body = json.dumps({"instances": [1.5]}).encode()
        with urllib.request.urlopen(f"{rest}/v1/models/doubling:predict", body) as response:
            assert json.load(response) == {"predictions": [3.0]}
        with urllib.request.urlopen(f"{rest}/m") as response:
            assert b':request_count{model_name="doubling",status="OK"} 1.0' in response.read()
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "drained and stopped\n"
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def test_the_program_starts_with_the_version_before_a_broken_one_and_says_why(models, tmp_path):
    shutil.copytree(models / "doubling" / "1", models / "doubling" / "2")
    (models / "doubling" / "2" / "saved_model.pb").write_bytes(b"not a model")
    command = [sys.executable, "-m", "semantic_id_ranking.cli.main", "serve"]
    command += ["--models", str(models), "--port", "0"]
    said = tmp_path / "said"
    with open(said, "w") as file:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
    try:
        found = re.fullmatch(r"serving doubling at (\S+) \(gRPC\)\n", process.stdout.readline())
        with grpc.insecure_channel(found[1]) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            response = stub.Predict(predict_request("doubling", x=np.float32([1.5])))
            assert response.model_spec.version.value == 1
            assert tf.make_ndarray(response.outputs["y"]).tolist() == [3.0]
            request = get_model_status_pb2.GetModelStatusRequest()
            request.model_spec.name = "doubling"
            models_stub = model_service_pb2_grpc.ModelServiceStub(channel)
            broken, served = models_stub.GetModelStatus(request).model_version_status
        assert (served.version, served.state) == (1, served.AVAILABLE)
        assert (broken.version, broken.state) == (2, broken.END)
        assert broken.status.error_code
        assert "saved_model.pb" in broken.status.error_message
    finally:
        process.terminate()
        process.wait(30)
    assert said.read_text().count("Model doubling version 2 does not load: ") == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "needs either --models or --models-config, and not both"),
        ({"models": "a", "models_config": "b"}, "needs either --models or --models-config"),
        ({"models": "{}", "tls_key": "k"}, "--tls-certificate and --tls-key need each other"),
        ({"models": "{}", "tls_client_authority": "a"}, "--tls-client-authority needs"),
        ({"models": "{}/none"}, "holds no model"),
        ({"models_config": "{}/none"}, "No such file or directory: '.*/none'"),
        ({"models": "{}", "monitoring_config": "{}/none"}, "No such file or directory"),
        (
            {"models": "{}", "port": 0, "tls_certificate": "{}/c", "tls_key": "{}/k"},
            "No such file or directory: '.*/k'",
        ),
    ],
)
def test_options_that_do_not_fit(models, options, complaint):
    filled = {
        name: value.format(models) if isinstance(value, str) else value
        for name, value in options.items()
    }
    with pytest.raises(InputError, match=complaint):
        serve(ServeOptions(**filled), rich.console.Console())
