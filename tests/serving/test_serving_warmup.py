"""Warm-up records run before a version is served."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import input_pb2
from tensorflow_serving.apis import model_management_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import prediction_log_pb2

from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.server.model_config import config_of
from semantic_id_ranking.serving.server.model_config import ModelConfig
from semantic_id_ranking.serving.server.served_model import ServedModel
from tests.serving import tiny_models
from tests.serving.example_models import CLASSIFY
from tests.serving.example_models import example
from tests.serving.example_models import export_tf1
from tests.serving.example_models import REGRESS
from tests.serving.held_model import HeldModel
from tests.serving.server_calls import until
from tests.serving.tiny_models import predict_request

State = get_model_status_pb2.ModelVersionStatus.State


class CountingModel(tf.Module):
    """Counts its calls, in the process that saved it."""

    def __init__(self):
        super().__init__()
        self.calls = []

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="a")])
    def score(self, a):
        def count(values):
            self.calls.append(values.tolist())
            return np.float32(0)

        return {"b": tf.numpy_function(count, [a], tf.float32)}

    def signatures(self):
        return {"serving_default": self.score}


def predict_log(**inputs):
    log = prediction_log_pb2.PredictionLog()
    # What a record says of name and version does not count.
    log.predict_log.request.CopyFrom(predict_request("someone else", version=77, **inputs))
    return log.SerializeToString()


def write_records(version_path, records):
    directory = version_path / "assets.extra"
    directory.mkdir()
    with tf.io.TFRecordWriter(str(directory / "tf_serving_warmup_requests")) as writer:
        for record in records:
            writer.write(record)


def status_after_load(base_path):
    model = ServedModel("m")
    model.configure(ModelConfig(base_path=str(base_path)))
    (status,) = model.statuses()
    return status.status.error_code, status.status.error_message


@pytest.fixture
def counting(tmp_path):
    model = CountingModel()
    return model, tmp_path / "m", tiny_models.export(model, tmp_path / "m", 1)


def test_records_run_before_the_server_listens(counting):
    model, base_path, version_path = counting
    write_records(version_path, [predict_log(a=[1.0]), predict_log(a=[2.0, 3.0])])
    with ModelServer({"m": base_path}) as server:
        assert model.calls == [[1.0], [2.0, 3.0]]
        with grpc.insecure_channel(server.address) as channel:
            grpc.channel_ready_future(channel).result(10)


def test_a_failing_record_fails_the_load(counting):
    _, base_path, version_path = counting
    write_records(version_path, [predict_log(a=[1.0]), predict_log(b=[1.0])])
    code, message = status_after_load(base_path)
    assert code == tf.errors.INVALID_ARGUMENT
    assert message.startswith("Signature input alias: a(feed name: serving_default_a:0) not found")
    with pytest.raises(RuntimeError, match="version 1: Signature input alias: a"):
        ModelServer({"m": base_path}).start()


def test_a_version_that_fails_leaves_the_old_one_serving(counting, tmp_path):
    _, base_path, _ = counting
    newer = tiny_models.export(CountingModel(), tmp_path / "elsewhere", 2)
    write_records(newer, [predict_log(b=[1.0])])
    newer.rename(base_path / "2")
    model = ServedModel("m")
    model.configure(ModelConfig(base_path=str(base_path)))
    model.refresh(model.look())
    # Also at the start the version before is served instead.
    assert model.servable().version == 1
    pinned = ModelConfig(base_path=str(base_path))
    pinned.model_version_policy.all.SetInParent()
    model.configure(pinned)
    assert model.servable().version == 1


def test_a_version_that_warms_up_is_loading_and_the_next_one_has_started(tmp_path):
    held = HeldModel()
    base_path = tmp_path / "m"
    for version in (1, 2, 3):
        path = tiny_models.export(held, base_path, version)
        if version > 1:
            write_records(path, [predict_log(a=[1.0])])
    config = config_of({"m": base_path})
    policy = config.model_config_list.config[0].model_version_policy
    policy.specific.versions.append(1)
    with (
        ModelServer({"m": base_path}, version_policy=policy) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        models = model_service_pb2_grpc.ModelServiceStub(channel)

        def states():
            request = get_model_status_pb2.GetModelStatusRequest()
            request.model_spec.name = "m"
            found = models.GetModelStatus(request).model_version_status
            return {status.version: State.Name(status.state) for status in found}

        policy.all.SetInParent()
        reload = models.HandleReloadConfigRequest.future(
            model_management_pb2.ReloadConfigRequest(config=config)
        )
        until(lambda: states() == {1: "AVAILABLE", 2: "START", 3: "LOADING"})
        assert not reload.done()
        held.let_go.set()
        reload.result(10)
        assert states() == dict.fromkeys((1, 2, 3), "AVAILABLE")


@pytest.mark.parametrize(("count", "loads"), [(1000, True), (1001, False)])
def test_at_most_a_thousand_records(counting, count, loads):
    _, base_path, version_path = counting
    write_records(version_path, [predict_log(a=[1.0])] * count)
    code, message = status_after_load(base_path)
    file = version_path / "assets.extra" / "tf_serving_warmup_requests"
    if loads:
        assert (code, message) == (0, "")
    else:
        assert code == tf.errors.INVALID_ARGUMENT
        assert message == f"Number of warmup records exceeds the maximum (1000) at {file}"


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"no TFRecord, yet long enough for one", tf.errors.DATA_LOSS, "TFRecord format"),
        ([b"\xff\xff"], tf.errors.INVALID_ARGUMENT, "Failed to parse warmup record"),
    ],
)
def test_files_that_hold_something_else(counting, content, code, said):
    _, base_path, version_path = counting
    write_records(version_path, content if isinstance(content, list) else [])
    if isinstance(content, bytes):
        (version_path / "assets.extra" / "tf_serving_warmup_requests").write_bytes(content)
    found, message = status_after_load(base_path)
    assert found == code
    assert said in message


def test_session_runs_cannot_be_replayed(counting):
    _, base_path, version_path = counting
    log = prediction_log_pb2.PredictionLog()
    log.session_run_log.SetInParent()
    write_records(version_path, [log.SerializeToString()])
    code, message = status_after_load(base_path)
    assert code == tf.errors.UNIMPLEMENTED
    assert message.startswith("Unsupported log_type for warmup")


@pytest.mark.parametrize("kind", ["classify", "regress", "multi_inference"])
@pytest.mark.parametrize("good", [True, False])
def test_the_other_calls_warm_up_too(tmp_path, kind, good):
    export_tf1(tmp_path / "m", 1)
    examples = input_pb2.Input(
        example_list=input_pb2.ExampleList(examples=[example(x=1.0)] if good else [])
    )
    log = prediction_log_pb2.PredictionLog()
    request = getattr(log, f"{kind}_log").request
    request.input.CopyFrom(examples)
    if kind == "multi_inference":
        for signature, method in (("classify", CLASSIFY), ("regress", REGRESS)):
            task = request.tasks.add(method_name=method)
            task.model_spec.name = "m"
            task.model_spec.signature_name = signature
    else:
        request.model_spec.signature_name = kind
    write_records(tmp_path / "m" / "1", [log.SerializeToString()])
    assert status_after_load(tmp_path / "m") == ((0, "") if good else (3, "Input is empty."))
