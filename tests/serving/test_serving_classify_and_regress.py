"""Classify, Regress and MultiInference over a real channel."""

import grpc
import pytest
from tensorflow_serving.apis import classification_pb2
from tensorflow_serving.apis import inference_pb2
from tensorflow_serving.apis import input_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc
from tensorflow_serving.apis import regression_pb2

from semantic_id_ranking.serving.server import ModelServer
from tests.serving import tiny_models
from tests.serving.example_models import CLASSIFY
from tests.serving.example_models import example
from tests.serving.example_models import ExampleModel
from tests.serving.example_models import export_tf1
from tests.serving.example_models import REGRESS
from tests.serving.server_calls import refusal


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    root = tmp_path_factory.mktemp("examples")
    tiny_models.export(ExampleModel(), root / "tf2", 4)
    tiny_models.export(tiny_models.SidRanker(), root / "ranker", 1)
    export_tf1(root / "tf1", 5)
    paths = {path.name: path for path in root.iterdir()}
    with ModelServer(paths) as server, grpc.insecure_channel(server.address) as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


def examples(*values, context=None):
    found = [example(x=value) for value in values]
    if context is None:
        return input_pb2.Input(example_list=input_pb2.ExampleList(examples=found))
    return input_pb2.Input(
        example_list_with_context=input_pb2.ExampleListWithContext(examples=found, context=context)
    )


def request_of(message, model, signature="", version=None, input=None):
    request = message(input=input)
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    return request


def classification(*args, **kwargs):
    return request_of(classification_pb2.ClassificationRequest, *args, **kwargs)


def regression(*args, **kwargs):
    return request_of(regression_pb2.RegressionRequest, *args, **kwargs)


def multi_inference(*tasks, input):
    request = inference_pb2.MultiInferenceRequest(input=input)
    for model, signature, method in tasks:
        task = request.tasks.add(method_name=method)
        task.model_spec.name = model
        task.model_spec.signature_name = signature
    return request


def values(result):
    return [regression.value for regression in result.regressions]


def labelled(result):
    return [[(c.label, c.score) for c in row.classes] for row in result.classifications]


@pytest.mark.parametrize("xs", [[3.0], [3.0, -1.0, 0.5]])
def test_regress_gives_a_value_an_example(service, xs):
    response = service.Regress(regression("tf2", input=examples(*xs)))
    assert values(response.result) == xs
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("tf2", 4, "serving_default")


def test_a_context_is_merged_into_each_example(service):
    request = regression("tf2", input=examples(1.0, 2.0, context=example(y=10.0)))
    assert values(service.Regress(request).result) == [11.0, 12.0]


@pytest.mark.parametrize("model", ["tf1", "tf2"])
def test_classify_gives_classes_with_scores(service, model):
    response = service.Classify(classification(model, "classify", input=examples(2.0, -1.0)))
    assert labelled(response.result) == [
        [("low", -2.0), ("high", 2.0)],
        [("low", 1.0), ("high", -1.0)],
    ]
    assert response.model_spec.signature_name == "classify"


@pytest.mark.parametrize(("call", "make"), [("Classify", classification), ("Regress", regression)])
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ({"model": ""}, "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        ({"model": "m"}, "NOT_FOUND", "Servable not found for request: Latest(m)"),
        (
            {"model": "tf2", "version": 7},
            "NOT_FOUND",
            "Servable not found for request: Specific(tf2, 7)",
        ),
        (
            {"model": "tf2", "signature": "x"},
            "INVALID_ARGUMENT",
            "No signature was found with the name: x",
        ),
    ],
)
def test_refusals_that_classify_and_regress_share(service, call, make, arguments, code, message):
    request = make(**arguments, input=examples(1.0))
    assert refusal(getattr(service, call), request) == (code, message)


def test_no_model_spec(service):
    for call, request in [
        (service.Classify, classification_pb2.ClassificationRequest()),
        (service.Regress, regression_pb2.RegressionRequest()),
    ]:
        assert refusal(call, request) == ("INVALID_ARGUMENT", "Missing ModelSpec")


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (classification("tf2", "classify"), "INVALID_ARGUMENT", "Input is empty."),
        (
            classification("ranker", "rank", input=examples(1.0)),
            "INVALID_ARGUMENT",
            "Expected one input Tensor.",
        ),
        (
            classification("ranker", input=examples(1.0)),
            "FAILED_PRECONDITION",
            "No classification inputs found in SignatureDef: ",
        ),
        (
            classification("tf2", input=examples(1.0)),
            "FAILED_PRECONDITION",
            'Expected classification signature outputs to contain at least one of "classes" or '
            '"scores". Signature was: ',
        ),
    ],
)
def test_classify_refusals(service, request_, code, message):
    found_code, found_message = refusal(service.Classify, request_)
    assert found_code == code
    assert found_message.startswith(message)


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (
            regression("ranker", input=examples(1.0)),
            "INVALID_ARGUMENT",
            "Expected one output Tensor.",
        ),
        (
            regression("tf2", "named_otherwise", input=examples(1.0)),
            "FAILED_PRECONDITION",
            "No regression inputs found in SignatureDef: ",
        ),
        (
            regression("tf2", "total", input=examples(1.0, 2.0)),
            "INVALID_ARGUMENT",
            "Input batch size did not match output batch size: 2 vs. 1",
        ),
    ],
)
def test_regress_refusals(service, request_, code, message):
    found_code, found_message = refusal(service.Regress, request_)
    assert found_code == code
    assert found_message.startswith(message)


def test_multi_inference_runs_every_task_on_the_same_examples(service):
    response = service.MultiInference(
        multi_inference(
            ("tf1", "regress", REGRESS), ("tf1", "classify", CLASSIFY), input=examples(2.0)
        )
    )
    regressed, classified = response.results
    assert values(regressed.regression_result) == [3.0]
    assert labelled(classified.classification_result) == [[("low", -2.0), ("high", 2.0)]]
    assert classified.model_spec.version.value == 5


def test_multi_inference_feeds_the_input_of_each_signature(service):
    """A TF2 export gives each signature an input of its own."""
    request = multi_inference(
        ("tf2", "", REGRESS), ("tf2", "classify", CLASSIFY), input=examples(2.0, -1.0)
    )
    regressed, classified = service.MultiInference(request).results
    assert values(regressed.regression_result) == [2.0, -1.0]
    assert labelled(classified.classification_result) == [
        [("low", -2.0), ("high", 2.0)],
        [("low", 1.0), ("high", -1.0)],
    ]
    assert regressed.model_spec.signature_name == "serving_default"


@pytest.mark.parametrize(
    ("tasks", "code", "message"),
    [
        ([], "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        ([("m", "", REGRESS)], "NOT_FOUND", "Servable not found for request: Latest(m)"),
        (
            [("tf1", "regress", REGRESS), ("", "classify", CLASSIFY)],
            "INVALID_ARGUMENT",
            "Found ModelSpec with an empty model name.",
        ),
        (
            [("tf1", "regress", REGRESS), ("tf2", "classify", CLASSIFY)],
            "INVALID_ARGUMENT",
            "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
        ),
        (
            [("tf1", "regress", REGRESS), ("tf1", "regress", REGRESS)],
            "INVALID_ARGUMENT",
            "Duplicate evaluation of signature: regress",
        ),
        (
            [("tf1", "x", REGRESS)],
            "INVALID_ARGUMENT",
            "Requested signature not found in model graph: x",
        ),
        (
            [("tf1", "regress", "tensorflow/serving/predict")],
            "UNIMPLEMENTED",
            "Unsupported signature method_name: tensorflow/serving/predict",
        ),
    ],
)
def test_multi_inference_refusals(service, tasks, code, message):
    request = multi_inference(*tasks, input=examples(1.0))
    assert refusal(service.MultiInference, request) == (code, message)
