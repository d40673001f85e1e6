"""The clients' own messages against tensorflow-serving-api's, and the cost of their import."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import predict_pb2

from benchmarks import client_import
from semantic_id_ranking.serving.client import messages
from semantic_id_ranking.serving.tensor_proto import NUMPY_TYPES
from semantic_id_ranking.serving.tensor_proto import write_array

ARRAYS = {
    f"{number}_{shape}": np.ones(shape, dtype)
    for number, dtype in NUMPY_TYPES.items()
    if dtype.kind != "O"
    for shape in ((), (2, 3), (1, 0, 2))
} | {"strings": np.array([[b"a\0", b""], [b"\xff", "ü".encode()]], object)}
#: The process of the benchmark, and what must not be imported.
COST = f"""{client_import.PROCESS}
import sys
heavy = {{"tensorflow", "tensorflow_serving", "redis", "sqlite3", "pydantic", "pyarrow", "yaml"}}
assert not heavy.intersection(sys.modules), heavy.intersection(sys.modules)
"""
BOTH = """
import sys
from semantic_id_ranking.serving.client import messages
from tensorflow_serving.apis import predict_pb2
one, other = messages.PredictRequest(), predict_pb2.PredictRequest()
for request in (one, other):
    request.model_spec.name = "ranker"
    request.inputs["a"].float_val.append(1.5)
assert one.SerializeToString() == other.SerializeToString()
assert type(one) is not type(other)
"""


def run(source):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", source], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def fill_request(request):
    request.model_spec.name = "ranker"
    request.model_spec.version.value = 7
    request.model_spec.signature_name = "rank"
    for alias, array in ARRAYS.items():
        write_array(array, request.inputs[alias])
    request.output_filter.append("click")


def fill_response(response):
    response.model_spec.version.value = 2**40
    for alias, array in ARRAYS.items():
        write_array(array, response.outputs[alias])


def fill_signature_defs(defs):
    for name in ("rank", "info"):
        defs.signature_def[name].method_name = "tensorflow/serving/predict"
        given = defs.signature_def[name].inputs["candidate_sid"]
        given.name, given.dtype = "candidate_sid:0", types_pb2.DT_INT64
        given.tensor_shape.dim.add(size=-1)
        given.tensor_shape.dim.add(size=8)


def fill_metadata(response):
    response.model_spec.name = "ranker"
    defs = get_model_metadata_pb2.SignatureDefMap()
    fill_signature_defs(defs)
    any_message = response.metadata["signature_def"]
    any_message.type_url = "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    any_message.value = defs.SerializeToString(deterministic=True)


def fill_status(response):
    for version, state in enumerate((0, 10, 20, 30, 40, 50)):
        status = response.model_version_status.add(version=version, state=state)
        status.status.error_message = "ü"


@pytest.mark.parametrize(
    ("name", "module", "fill"),
    [
        ("PredictRequest", predict_pb2, fill_request),
        ("PredictResponse", predict_pb2, fill_response),
        ("GetModelMetadataResponse", get_model_metadata_pb2, fill_metadata),
        ("SignatureDefMap", get_model_metadata_pb2, fill_signature_defs),
        ("GetModelStatusResponse", get_model_status_pb2, fill_status),
    ],
)
def test_the_bytes_are_those_of_tensorflow_serving_api(name, module, fill):
    own, official = getattr(messages, name)(), getattr(module, name)()
    assert type(own) is not type(official)
    for message in (own, official):
        fill(message)
    content = official.SerializeToString(deterministic=True)
    assert own.SerializeToString(deterministic=True) == content
    assert type(own).FromString(content) == own
    assert type(official).FromString(own.SerializeToString()) == official


def test_both_are_imported_in_one_process_ours_first():
    """Here, it is the other one that is the first."""
    run(BOTH)


def test_every_field_is_one_of_the_installed_tensorflow_serving_api():
    """Which may have more: the file is of the lowest version."""
    content = pathlib.Path(messages.__file__).with_name("messages.binpb").read_bytes()
    compared = 0

    def compare(message, scope):
        nonlocal compared
        name = f"{scope}.{message.name}"
        installed = descriptor_pool.Default().FindMessageTypeByName(name)
        for field in message.field:
            theirs = installed.fields_by_number[field.number]
            assert (field.name, field.type) == (theirs.name, theirs.type), name
            compared += 1
        for nested in message.nested_type:
            compare(nested, name)

    for file in descriptor_pb2.FileDescriptorSet.FromString(content).file:
        for message in file.message_type:
            compare(message, file.package)
    assert compared > 200


def test_the_import_of_a_client_takes_little_memory_and_no_tensorflow():
    """Its processor time is `make bench-client-import`."""
    _, before, _, after = map(float, run(COST).split())
    assert after <= 75
    assert after - before <= 15
