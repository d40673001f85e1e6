"""Bad requests against `sid serve`.

`make fuzz-serving` sends 100,000 (REQUESTS=N) and writes `benchmarks/out/serving_fuzz.json`:
`{"requests", "seconds", "codes": {code: answers}, "improper": [the first few], "resident_mib": [20
times], "bars": [{"bar", "value", "limit", "holds"}]}`. Expect every request to be
answered with a code that says what is wrong with it, and the memory to stay within 10 %.
"""

import collections
import json
import os
import tempfile
import threading
from collections.abc import Mapping
from typing import Any

from benchmarks import command

import grpc  # isort: skip
from tensorflow_serving.apis import get_model_metadata_pb2  # isort: skip
from tensorflow_serving.apis.prediction_service_pb2_grpc import (  # isort: skip
    PredictionServiceStub,
)

from benchmarks.bad_requests import BadRequests
from benchmarks.bad_requests import Signatures
from benchmarks.bars import at_most
from benchmarks.load import run_load
from benchmarks.serving_models import ExportableRanker
from benchmarks.serving_world import serving_world
from benchmarks.sid_server import SidServer
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.representations import SidSpm
from semantic_id_ranking.trainer.rqvae.export import export as export_encoder

_OUT = "benchmarks/out/serving_fuzz.json"
_PROPER = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNIMPLEMENTED,
}
# What every gRPC server answers to a message that does not parse.
_UNREADABLE = (grpc.StatusCode.INTERNAL, "Exception deserializing request!")
_TIMEOUT = 60.0
_IN_FLIGHT = 4
# Of all requests: how many the server has answered before its memory is first looked at.
_WARM = 0.1


def is_proper(code: grpc.StatusCode, message: str) -> bool:
    """Whether an answer says what is wrong with the request, rather than with the server."""
    return code in _PROPER or (code, message) == _UNREADABLE


def send(channel: grpc.Channel, method: str, message: bytes) -> tuple[grpc.StatusCode, str]:
    """Sends a serialized message; the code and the message of the answer."""
    try:
        channel.unary_unary(method)(message, timeout=_TIMEOUT)
        return grpc.StatusCode.OK, ""
    except grpc.RpcError as error:
        return error.code(), error.details()


def signatures(channel: grpc.Channel, model: str) -> Signatures:
    """The signatures of a served model."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = model
    answer = PredictionServiceStub(channel).GetModelMetadata(request)
    found = get_model_metadata_pb2.SignatureDefMap()
    answer.metadata["signature_def"].Unpack(found)
    return found.signature_def


def fuzz(server: SidServer, models: list[str], requests: int, seed: int = 0) -> dict[str, Any]:
    """Sends bad requests and looks at the answers and at the server's memory.

    Args:
        server: The server.
        models: Names of its models.
        requests: How many.
        seed: Of the requests.
    """
    codes: collections.Counter[str] = collections.Counter()
    memory: list[float] = []
    improper: list[Mapping[str, Any]] = []
    lock = threading.Lock()
    with grpc.insecure_channel(server.address) as channel:
        bad = BadRequests({model: signatures(channel, model) for model in models}, seed)

        def call(number: int) -> None:
            method, message = bad.make(number)
            code, text = send(channel, method, message)
            with lock:
                codes[code.name] += 1
                if number % max(1, requests // 20) == 0:
                    memory.append(server.resident_bytes / 2**20)
                if not is_proper(code, text):
                    improper.append({"number": number, "code": code.name, "message": text})

        warm = run_load(call, _IN_FLIGHT, lambda number: number < _WARM * requests)
        before = server.resident_bytes
        load = run_load(
            lambda number: call(number + len(warm.latencies)),
            _IN_FLIGHT,
            lambda number: number < requests - len(warm.latencies),
        )
    after = server.resident_bytes if server.runs else 0
    return {
        "requests": sum(codes.values()),
        "seconds": warm.seconds + load.seconds,
        "codes": dict(codes),
        "improper": improper[:10],
        "resident_mib": memory,
        "bars": [
            at_most("requests that were not answered", requests - sum(codes.values()), 0),
            at_most("answers with a code that is not proper", len(improper), 0),
            at_most("servers that died", int(not server.runs), 0),
            at_most("memory after over before", after / before, 1.1),
        ],
    }


def main(requests: int = 100_000, seed: int = 0, output: str = _OUT) -> None:
    """Sends bad requests to a server of a small ranker and an encoder."""
    world, encoder = serving_world(
        items=2_000, levels=4, codebook_size=64, embedding_dim=16, history=10
    )
    with tempfile.TemporaryDirectory() as models:
        export_encoder(encoder, os.path.join(models, "semantic_id", "1"))
        config = SidSpm(rows=1_000)
        ranker = ExportableRanker(world, config, RankerConfig())
        ranker.export(os.path.join(models, "ranker", "1"))
        # protobuf would tell of each text that is not UTF-8.
        with SidServer(models, log=os.devnull) as server:
            report = fuzz(server, ["ranker", "semantic_id"], requests, seed)
    print(json.dumps(report, indent=1))
    command.write_json(output, report)


if __name__ == "__main__":
    command.run(main)
