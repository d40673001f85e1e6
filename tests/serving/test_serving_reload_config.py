"""HandleReloadConfigRequest and models.config over a real channel."""

import contextlib
import time
import types

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_management_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import prediction_service_pb2_grpc

from semantic_id_ranking.serving.server import ModelServer
from semantic_id_ranking.serving.server.model_config import config_of
from tests.serving.server_calls import refusal
from tests.serving.server_calls import until
from tests.serving.tiny_models import example
from tests.serving.tiny_models import export
from tests.serving.tiny_models import predict_request
from tests.serving.tiny_models import SidRanker

State = get_model_status_pb2.ModelVersionStatus.State


@pytest.fixture
def root(tmp_path):
    """Models a, with versions 1 to 3, and b; the score of [1, 2] is 10 v + 3 in version v."""
    for version in (1, 2, 3):
        export(SidRanker(bonus=10.0 * version), tmp_path / "a", version)
    export(SidRanker(bonus=10.0), tmp_path / "b", 1)
    return tmp_path


@contextlib.contextmanager
def serving(models, **options):
    with (
        ModelServer(models, poll_seconds=0.05, **options) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        models_stub = model_service_pb2_grpc.ModelServiceStub(channel)
        predictions = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        def score(model, version=None, label=None):
            request = predict_request(model, version=version, examples=[example(1, 2)])
            if label:
                request.model_spec.version_label = label
            return tf.make_ndarray(predictions.Predict(request).outputs["click"]).item()

        def states(model):
            request = get_model_status_pb2.GetModelStatusRequest()
            request.model_spec.name = model
            try:
                found = models_stub.GetModelStatus(request).model_version_status
            except grpc.RpcError:
                return None
            return {status.version: State.Name(status.state) for status in found}

        def reload(config):
            request = model_management_pb2.ReloadConfigRequest(config=config)
            return models_stub.HandleReloadConfigRequest(request)

        yield types.SimpleNamespace(
            score=score, states=states, reload=reload, predictions=predictions
        )


def test_the_configuration_is_the_complete_set(root):
    with serving({"a": root / "a"}) as server:
        answer = server.reload(config_of({"b": root / "b"}))
        assert (answer.status.error_code, answer.status.error_message) == (0, "")
        assert server.score("b") == 13.0
        with pytest.raises(grpc.RpcError, match=r"Servable not found for request: Latest\(a\)"):
            server.score("a")
        until(lambda: server.states("a") == {3: "END"})
        server.reload(config_of({"a": root / "a", "b": root / "b"}))
        assert server.score("a") == 33.0
        assert server.states("a") == {3: "AVAILABLE"}


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        ("", {3}),
        ("latest { num_versions: 2 }", {3, 2}),
        ("all {}", {3, 2, 1}),
        ("specific { versions: 1 versions: 3 }", {3, 1}),
    ],
)
def test_version_policies_of_a_models_config(root, policy, served):
    file = root / "models.config"
    file.write_text(
        f'model_config_list {{ config {{ name: "a" base_path: "{root}/a" '
        f'model_platform: "tensorflow" model_version_policy {{ {policy} }} }} }}'
    )
    with serving(file) as server:
        assert server.states("a") == dict.fromkeys(served, "AVAILABLE")
        assert {server.score("a", version=v) for v in served} == {10.0 * v + 3 for v in served}


def test_a_policy_can_change(root):
    with serving({"a": root / "a"}) as server:
        pinned = config_of({"a": root / "a"})
        pinned.model_config_list.config[0].model_version_policy.specific.versions.append(1)
        server.reload(pinned)
        assert server.score("a") == 13.0
        until(lambda: server.states("a") == {1: "AVAILABLE", 3: "END"})


def with_labels(root, **labels):
    config = config_of({"a": root / "a"})
    (model,) = config.model_config_list.config
    model.model_version_policy.all.SetInParent()
    for label, version in labels.items():
        model.version_labels[label] = version
    return config


def test_labels_name_versions_and_move(root):
    with serving({"a": root / "a"}) as server:
        server.reload(with_labels(root))
        server.reload(with_labels(root, stable=1, canary=3))
        assert server.score("a", label="stable") == 13.0
        assert server.score("a", label="canary") == 33.0
        server.reload(with_labels(root, stable=2))
        assert server.score("a", label="stable") == 23.0
        with pytest.raises(grpc.RpcError, match="Unrecognized servable version label: canary"):
            server.score("a", label="canary")


def test_labels_bind_to_loaded_versions_only(root):
    with serving({"a": root / "a"}) as server:
        with pytest.raises(grpc.RpcError) as caught:
            server.reload(with_labels(root, stable=1))
        assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
        assert caught.value.details() == (
            "Request to assign label to version 1 of model a, which is not currently available for "
            "inference"
        )
        # Nothing has changed: the policy is still the latest version.
        assert server.states("a") == {3: "AVAILABLE"}


def test_a_new_label_may_come_before_its_version_where_that_is_allowed(root):
    with serving({"a": root / "a"}, allow_unavailable_labels=True) as server:
        server.reload(with_labels(root, stable=2, next=9))
        assert server.score("a", label="stable") == 23.0
        with pytest.raises(
            grpc.RpcError, match=r"Servable not found for request: Specific\(a, 9\)"
        ):
            server.score("a", label="next")
        with pytest.raises(grpc.RpcError, match="not currently available"):
            server.reload(with_labels(root, stable=9))
        assert server.score("a", label="stable") == 23.0


def changed(config, **fields):
    for name, value in fields.items():
        setattr(config.model_config_list.config[0], name, value)
    return config


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda config: model_management_pb2.ReloadConfigRequest().config,
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
            "ModelConfigList is currently supported",
        ),
        (
            lambda config: changed(config, model_platform="torch"),
            "Illegal to change a model's platform. For model a platform was tensorflow and new "
            "platform requested is torch",
        ),
        (
            lambda config: changed(config, name="new", model_platform="torch"),
            "Model new requests unsupported platform torch",
        ),
        (
            lambda config: changed(config, name="new", model_platform=""),
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            "ModelServerConfig::model_platform.",
        ),
        (
            lambda config: changed(config, model_type=1),
            "Illegal setting both ModelServerConfig::model_type (deprecated) and "
            "ModelServerConfig::model_platform.",
        ),
        (
            lambda config: changed(config, base_path="models/a"),
            "Expected model a to have an absolute path or URI; got base_path()=models/a",
        ),
    ],
)
def test_a_refused_configuration_changes_nothing(root, make, message):
    with serving({"a": root / "a"}) as server:
        config = make(config_of({"a": root / "a"}))
        assert refusal(server.reload, config) == ("INVALID_ARGUMENT", message)
        assert server.score("a") == 33.0


def test_a_name_is_listed_once(root):
    with serving({"a": root / "a"}) as server:
        config = config_of({"a": root / "a"})
        config.model_config_list.config.append(config.model_config_list.config[0])
        assert refusal(server.reload, config) == (
            "INVALID_ARGUMENT",
            "Illegal to list model a multiple times in config list",
        )


def test_a_new_model_that_does_not_load_is_told_and_waited_for(root):
    broken = root / "broken" / "1"
    broken.mkdir(parents=True)
    with serving({"a": root / "a"}) as server:
        config = config_of({"a": root / "a", "broken": root / "broken", "empty": root / "none"})
        code, message = refusal(server.reload, config)
        assert code == "UNKNOWN"
        assert message.startswith(
            "2 model(s) did not become available: {{{name: broken version: 1}"
        )
        assert "saved_model.pb" in message
        assert f"{{name: empty}} has no version under {root}/none" in message
        assert server.score("a") == 33.0
        export(SidRanker(bonus=20.0), root / "none", 1)
        until(lambda: server.states("empty") == {1: "AVAILABLE"})


def test_a_models_config_is_followed(root):
    def text(model):
        return (
            f'model_config_list {{ config {{ name: "{model}" base_path: "{root}/{model}" '
            'model_platform: "tensorflow" } }'
        )

    file = root / "models.config"
    file.write_text(text("a"))
    with serving(file) as server:
        assert server.score("a") == 33.0
        file.write_text("no text proto")
        time.sleep(0.2)
        assert server.score("a") == 33.0
        file.write_text(text("b"))
        until(lambda: server.states("a") == {3: "END"})
        assert server.score("b") == 13.0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "model_config_list { confg {} }",
            'Error parsing text-format tensorflow.serving.ModelServerConfig: 1:21 .*"confg"',
        ),
        ("", "needs a model_config_list"),
    ],
)
def test_a_file_that_is_no_models_config(tmp_path, text, complaint):
    file = tmp_path / "models.config"
    file.write_text(text)
    with pytest.raises(ValueError, match=f"{file}: {complaint}"):
        ModelServer(file)


def test_a_server_does_not_start_with_a_configuration_that_is_refused(tmp_path):
    file = tmp_path / "models.config"
    file.write_text('model_config_list { config { name: "a" base_path: "/a" } }')
    with pytest.raises(RuntimeError, match="Illegal setting neither"):
        ModelServer(file).start()
