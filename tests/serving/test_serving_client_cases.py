"""The cases of TensorFlow Serving's own client test, against this server over real channels.

Its `tensorflow_model_server_test.py` walks 30 cases, of which two ask for TensorFlow Lite and one
for the profiler. The other 27 are here, written anew after what each of them looks at.
"""

import json
import subprocess
import sys
import time
import urllib.request

import grpc
import pytest
import tensorflow as tf
import tensorflow_text
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import classification_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import inference_pb2
from tensorflow_serving.apis import input_pb2
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc
from tensorflow_serving.apis import regression_pb2

from semantic_id_ranking.cli.serve import serve
from semantic_id_ranking.cli.serve import ServeOptions
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.server.channel_arguments import parse_channel_arguments
from tests.serving.example_models import CLASSIFY
from tests.serving.example_models import example
from tests.serving.example_models import REGRESS
from tests.serving.half_plus_two import export_tf1
from tests.serving.half_plus_two import export_tf2
from tests.serving.half_plus_two import VERSION
from tests.serving.server_calls import until

EXAMPLES = input_pb2.Input(example_list=input_pb2.ExampleList(examples=[example(x=2.0)]))
# Exports a model that is trained on two CPUs; a process of its own, since TensorFlow asks for them
# before anything else.
TWO_REPLICAS = """
import sys
from semantic_id_ranking._compat import keep_autograph_out_of_keras
import tensorflow as tf
keep_autograph_out_of_keras()
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
with tf.distribute.MirroredStrategy(devices=("/cpu:0", "/cpu:1")).scope():
    tf.saved_model.save(
        tf.keras.Sequential(
            [
                tf.keras.layers.Input(shape=(1,), name="x"),
                tf.keras.layers.Dense(1, kernel_initializer="ones"),
                tf.keras.layers.Lambda(lambda x: x, name="y"),
            ]
        ),
        sys.argv[1],
    )
"""


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    root = tmp_path_factory.mktemp("half_plus_two")
    return {
        "tf1": export_tf1(root / "tf1"),
        "tf2": export_tf2(root / "tf2"),
        "three": export_tf1(root / "three", plus=3.0),
    }


@pytest.fixture(scope="module")
def server(paths, tmp_path_factory):
    """Serves half plus two as `default`, and its TF2 export as `tf2`."""
    models = {"default": paths["tf1"], "tf2": paths["tf2"]}
    path = str(tmp_path_factory.mktemp("socket") / "grpc.sock")
    with ModelServer(models, rest_port=0, socket_path=path) as server:
        server.socket = f"unix:{path}"
        yield server


def predictions(address):
    return prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(address))


def spec(model="default", signature=""):
    return model_pb2.ModelSpec(name=model, signature_name=signature)


def check_spec(found, model, signature):
    assert (found.name, found.signature_name) == (model, signature)
    assert found.version.value == VERSION


def check_prediction(
    address, y, model="default", signature="serving_default", output_filter=(), shape=(1,)
):
    """Sends x = 2 as a third-party client does, and reads `float_val` as it does."""
    request = predict_pb2.PredictRequest(
        model_spec=spec(model, signature), output_filter=output_filter
    )
    x = request.inputs["x"]
    x.dtype = types_pb2.DT_FLOAT
    x.float_val.append(2.0)
    for size in shape:
        x.tensor_shape.dim.add(size=size)
    response = predictions(address).Predict(request, timeout=30)
    assert response.outputs["y"].dtype == types_pb2.DT_FLOAT
    assert list(response.outputs["y"].float_val) == [y]
    check_spec(response.model_spec, model, signature)


def rest(server, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"http://{server.rest_address}{path}", data, timeout=30) as answer:
        return answer.read().decode()


def config_text(**paths):
    return (
        "model_config_list: {"
        + "".join(
            f'config: {{ name: "{name}", base_path: "{path}", model_platform: "tensorflow" }}'
            for name, path in paths.items()
        )
        + "}"
    )


def test_get_model_status(server):
    stub = model_service_pb2_grpc.ModelServiceStub(grpc.insecure_channel(server.address))
    request = get_model_status_pb2.GetModelStatusRequest(model_spec=spec())
    (status,) = stub.GetModelStatus(request, timeout=30).model_version_status
    assert (status.version, status.status.error_code) == (VERSION, 0)


def test_get_model_metadata(server):
    request = get_model_metadata_pb2.GetModelMetadataRequest(
        model_spec=spec(), metadata_field=["signature_def"]
    )
    response = predictions(server.address).GetModelMetadata(request, timeout=30)
    check_spec(response.model_spec, "default", "")
    assert list(response.metadata) == ["signature_def"]


@pytest.mark.parametrize("model", ["default", "tf2"])
def test_classify(server, model):
    request = classification_pb2.ClassificationRequest(
        model_spec=spec(model, "classify_x_to_y"), input=EXAMPLES
    )
    response = predictions(server.address).Classify(request, timeout=30)
    (row,) = response.result.classifications
    assert [one.score for one in row.classes] == [3.0]
    check_spec(response.model_spec, model, "classify_x_to_y")


@pytest.mark.parametrize("model", ["default", "tf2"])
def test_regress(server, model):
    request = regression_pb2.RegressionRequest(
        model_spec=spec(model, "regress_x_to_y"), input=EXAMPLES
    )
    response = predictions(server.address).Regress(request, timeout=30)
    assert [one.value for one in response.result.regressions] == [3.0]
    check_spec(response.model_spec, model, "regress_x_to_y")


@pytest.mark.parametrize("model", ["default", "tf2"])
def test_multi_inference(server, model):
    request = inference_pb2.MultiInferenceRequest(
        tasks=[
            inference_pb2.InferenceTask(
                model_spec=spec(model, "regress_x_to_y"), method_name=REGRESS
            ),
            inference_pb2.InferenceTask(
                model_spec=spec(model, "classify_x_to_y"), method_name=CLASSIFY
            ),
        ],
        input=EXAMPLES,
    )
    response = predictions(server.address).MultiInference(request, timeout=30)
    regressed, classified = response.results
    assert [one.value for one in regressed.regression_result.regressions] == [3.0]
    (row,) = classified.classification_result.classifications
    assert [one.score for one in row.classes] == [3.0]
    check_spec(regressed.model_spec, model, "regress_x_to_y")
    check_spec(classified.model_spec, model, "classify_x_to_y")


def test_predict(server):
    check_prediction(server.address, 3.0)
    check_prediction(server.address, 3.0, output_filter=["y"])


def test_a_good_model_config(paths, tmp_path):
    file = tmp_path / "models.config"
    file.write_text(config_text(half_plus_two=paths["tf1"], half_plus_three=paths["three"]))
    with ModelServer(file) as server:
        for output_filter in ([], ["y"]):
            check_prediction(server.address, 3.0, "half_plus_two", output_filter=output_filter)
            check_prediction(server.address, 4.0, "half_plus_three", output_filter=output_filter)


def test_a_bad_model_config(tmp_path):
    file = tmp_path / "models.config"
    file.write_text("improperly formatted file")
    complaint = "Error parsing text-format tensorflow.serving.ModelServerConfig"
    with pytest.raises(InputError, match=complaint):
        serve(ServeOptions(models_config=str(file)), None)


def test_a_changed_model_config_is_taken_up(paths, tmp_path):
    file = tmp_path / "models.config"
    file.write_text(config_text(half_plus_two=paths["tf1"]))
    with ModelServer(file, poll_seconds=0.05) as server:
        check_prediction(server.address, 3.0, "half_plus_two")
        file.write_text(config_text(half_plus_three=paths["three"]))
        until(lambda: server.model_names == ["half_plus_three"])

        def served():
            try:
                check_prediction(server.address, 4.0, "half_plus_three")
            except grpc.RpcError:
                return False
            return True

        until(served)


def test_a_changed_model_config_is_passed_over_with_a_poll_period_of_zero(paths, tmp_path):
    file = tmp_path / "models.config"
    file.write_text(config_text(half_plus_two=paths["tf1"]))
    with ModelServer(file, poll_seconds=0) as server:
        check_prediction(server.address, 3.0, "half_plus_two")
        file.write_text(config_text(half_plus_three=paths["three"]))
        time.sleep(1)
        check_prediction(server.address, 3.0, "half_plus_two")
        assert server.model_names == ["half_plus_two"]


def test_grpc_channel_arguments(paths):
    arguments = parse_channel_arguments(
        "grpc.max_connection_age_ms=2000,grpc.lb_policy_name=grpclb"
    )
    with ModelServer({"default": paths["tf1"]}, channel_arguments=arguments) as server:
        check_prediction(server.address, 3.0)


@pytest.mark.parametrize(
    ("method", "body", "answer"),
    [
        (
            "classify",
            {"signature_name": "classify_x_to_y", "examples": [{"x": 2.0}]},
            {"results": [[["", 3.0]]]},
        ),
        (
            "regress",
            {"signature_name": "regress_x_to_y", "examples": [{"x": 2.0}]},
            {"results": [3.0]},
        ),
        ("predict", {"instances": [2.0, 3.0, 4.0]}, {"predictions": [3.0, 3.5, 4.0]}),
        ("predict", {"inputs": [2.0, 3.0, 4.0]}, {"outputs": [3.0, 3.5, 4.0]}),
    ],
)
def test_a_call_over_rest(server, method, body, answer):
    assert json.loads(rest(server, f"/v1/models/default:{method}", body)) == answer


def test_status_over_rest(server):
    assert json.loads(rest(server, "/v1/models/default")) == {
        "model_version_status": [
            {
                "version": "123",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }


def test_metadata_over_rest(server):
    def tensor(name, dtype, *shape):
        dims = [{"size": size, "name": ""} for size in shape]
        shape = {"dim": dims, "unknown_rank": False}
        return {"name": name, "dtype": dtype, "tensor_shape": shape}

    metadata = json.loads(rest(server, "/v1/models/default/metadata"))
    assert metadata["model_spec"] == {
        "name": "default",
        "signature_name": "",
        "version": "123",
    }
    signatures = metadata["metadata"]["signature_def"]["signature_def"]
    assert set(signatures) == {"serving_default", "regress_x_to_y", "classify_x_to_y"}
    x, y = tensor("x:0", "DT_FLOAT", "-1", "1"), tensor("y:0", "DT_FLOAT", "-1", "1")
    # Newer versions tell of default inputs, too.
    assert (
        signatures["serving_default"].items()
        >= {
            "inputs": {"x": x},
            "outputs": {"y": y},
            "method_name": "tensorflow/serving/predict",
        }.items()
    )
    assert (
        signatures["regress_x_to_y"].items()
        >= {
            "inputs": {"inputs": tensor("tf_example:0", "DT_STRING", "-1")},
            "outputs": {"outputs": y},
            "method_name": "tensorflow/serving/regress",
        }.items()
    )


def test_the_prometheus_page(server):
    assert "# TYPE" in rest(server, "/monitoring/prometheus/metrics")


def test_predict_over_a_unix_socket(server):
    check_prediction(server.socket, 3.0)


def test_an_export_with_one_signature(tmp_path):
    root = tf.train.Checkpoint(v1=tf.Variable(3.0), v2=tf.Variable(2.0))
    root.f = tf.function(lambda x: {"y": root.v1 * root.v2 * x})
    signature = root.f.get_concrete_function(tf.TensorSpec(None, tf.float32))
    tf.saved_model.save(root, str(tmp_path / "00000123"), signature)
    with ModelServer({"default": tmp_path}) as server:
        check_prediction(server.address, 12.0)


def test_an_export_with_several_signatures(tmp_path):
    root = tf.train.Checkpoint()
    x = [tf.TensorSpec(None, tf.float32)]
    root.f = tf.function(lambda x: {"y": 1.0}, input_signature=x)
    root.g = tf.function(lambda x: {"y": 2.0}, input_signature=x)
    signatures = {"serving_default": root.f, "custom_signature_key": root.g}
    tf.saved_model.save(root, str(tmp_path / "00000123"), signatures)
    with ModelServer({"default": tmp_path}) as server:
        check_prediction(server.address, 2.0, signature="custom_signature_key", output_filter=["y"])
        check_prediction(server.address, 1.0, output_filter=["y"])


def test_an_export_of_keras(tmp_path):
    layers = [
        tf.keras.layers.Input(dtype="float32", shape=(1,), name="x"),
        tf.keras.layers.Lambda(lambda x: x, name="y"),
    ]
    tf.saved_model.save(tf.keras.Sequential(layers), str(tmp_path / "00000123"))
    with ModelServer({"default": tmp_path}) as server:
        check_prediction(server.address, 2.0, shape=(1, 1))


def test_an_export_of_keras_on_two_replicas(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", TWO_REPLICAS, str(tmp_path / "00000123")]
    subprocess.run(command, check=True, capture_output=True)
    with ModelServer({"default": tmp_path}) as server:
        check_prediction(server.address, 2.0, shape=(1, 1))


def test_an_export_with_operations_of_tensorflow_text(tmp_path):
    class WordCount(tf.Module):
        """y = x + 1, the number of words."""

        @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
        def count(self, x):
            words = tensorflow_text.WhitespaceTokenizer().tokenize(tf.constant(["word"]))
            return {"y": x + tf.cast(tf.size(words.flat_values), tf.float32)}

    model = WordCount()
    tf.saved_model.save(model, str(tmp_path / "00000123"), {"serving_default": model.count})
    with ModelServer({"default": tmp_path}) as server:
        check_prediction(server.address, 3.0, output_filter=["y"])
