import json

import numpy as np
import pytest

from benchmarks import serving
from benchmarks.grpc_echo import EchoServer
from benchmarks.load import Load
from benchmarks.serving_calls import echo
from benchmarks.serving_models import RankRequest
from benchmarks.serving_reload import version_of
from benchmarks.serving_world import serving_world

IN_PROCESS, SERVER = serving.IN_PROCESS, serving.SERVER


def test_a_world_has_the_semantic_ids_of_its_encoder():
    world, encoder = serving_world(300, levels=3, codebook_size=16, embedding_dim=8, history=5)
    codebooks = encoder.codebooks.numpy()
    for embedding, sid in zip(world.embeddings[:20], world.sids[:20], strict=True):
        residual = embedding
        for codebook, code in zip(codebooks, sid, strict=True):
            assert ((codebook - residual) ** 2).sum(axis=1).argmin() == code
            residual = residual - codebook[code]
    assert world.space == encoder.space
    assert world.counts.min() >= 1


def test_an_example_and_a_request_hold_the_same():
    world, _ = serving_world(40, levels=2, codebook_size=8, embedding_dim=4, history=3)
    request = RankRequest.draw(world, candidates=6, seed=1)
    arrays = request.arrays(["candidate_sid", "current_sid", "history_sid", "history_item_id"])
    assert {alias: array.shape for alias, array in arrays.items()} == {
        "candidate_sid": (6, 2),
        "current_sid": (1, 2),
        "history_sid": (1, 3, 2),
        "history_item_id": (1, 3),
    }
    np.testing.assert_array_equal(arrays["candidate_sid"], world.sids[request.candidates])
    assert len(set(request.candidates)) == 6
    assert len(request.examples()) == 6


def test_an_answer_is_of_the_one_version_that_all_scores_are_of():
    versions = [{"a": np.array([1.0, 2.0])}, {"a": np.array([1.0, 3.0])}]
    assert version_of({"a": np.array([1.0, 2.0001])}, versions) == 0
    assert version_of({"a": np.array([1.0, 3.0])}, versions) == 1
    assert version_of({"a": np.array([1.1, 3.0])}, versions) is None
    two = [
        {"a": np.array([1.0]), "b": np.array([1.0])},
        {"a": np.array([2.0]), "b": np.array([2.0])},
    ]
    assert version_of({"a": np.array([1.0]), "b": np.array([2.0])}, two) is None


def loads(*medians):
    return [Load([median] * 3, 0, 1.0) for median in medians]


def test_bars_are_medians_of_the_ratios_of_a_round():
    examples = serving.EXAMPLES
    turns = {
        (IN_PROCESS, "random_hash", 1): loads(1.0, 2.0, 1.0),
        (IN_PROCESS, "sid_spm", 1): loads(1.2, 2.2, 9.0),
        (serving.ECHO, "sid_spm", 1): loads(0.001, 0.001, 0.002),
        (serving.SESSION, "sid_spm", 1): loads(0.002, 0.002, 0.002),
        (serving.MESSAGES, "sid_spm", 1): loads(0.0032, 0.0036, 0.0041),
        (serving.REST, "sid_spm", 1): loads(0.0062, 0.0068, 0.009),
        (SERVER, "sid_spm", 1): loads(1.2, 2.2, 4.5),
        (SERVER, "sid_spm", 16): [Load([1.0] * 98 + [5.0, 5.0], 2, 1.0)],
        (f"{IN_PROCESS}, {examples}", "sid_spm", 1): loads(6.0, 11.0, 9.0),
        (f"{SERVER}, {examples}", "sid_spm", 1): loads(1.2, 2.2, 4.5),
    }
    found = {
        bar["bar"]: (pytest.approx(bar["value"]), bar["holds"])
        for bar in serving.latency_bars(turns)
    }
    assert found == {
        "p50 of sid_spm over random_hash, in process": (1.2, True),
        "p50 ms of server, messages alone, over gRPC echo and session in process, sid_spm": (
            pytest.approx(0.2),
            True,
        ),
        "p50 ms of server, REST, over server, messages alone, sid_spm": (3.2, False),
        f"speed of rank over {examples}, sid_spm, {IN_PROCESS}": (5.0, True),
        f"speed of rank over {examples}, sid_spm, {SERVER}": (1.0, False),
        "errors at 16 in flight, sid_spm": (2, False),
        "p99 over p50 at 16 in flight, sid_spm": (5.0, False),
    }


def test_parts_are_medians_of_the_ratios_of_a_round():
    turns = {
        (IN_PROCESS, "sid_spm", 1): loads(1.0, 2.0, 4.0),
        (serving.ECHO, "sid_spm", 1): loads(0.5, 0.5, 0.5),
        (serving.READING, "sid_spm", 1): loads(3.0, 4.0, 4.0),
    }
    assert [part["value"] for part in serving.parts(turns)] == [0.25, 2.0]


def test_an_echo_answers_as_many_bytes_as_it_is_told():
    with EchoServer(1234) as server:
        assert len(echo(server.address, b"any")(0)) == 1234


@pytest.mark.slow
def test_the_whole_of_it(tmp_path):
    output = tmp_path / "serving.json"
    serving.main(
        items=200,
        candidates=5,
        history=3,
        levels=2,
        codebook_size=8,
        embedding_dim=4,
        rows=60,
        rounds=1,
        requests=2,
        new_items=2,
        switches=1,
        reload_seconds=0.5,
        output=str(output),
    )
    report = json.loads(output.read_text())
    for case in report["cases"]:
        assert case["errors"] == 0, case
        assert 0 < case["p50_ms"] <= case["p95_ms"] <= case["p99_ms"]
    representations = {"random_hash", "sid_spm", "sid_hybrid"}
    assert {(c["target"], c["representation"], c["in_flight"]) for c in report["cases"]} >= {
        (target, name, in_flight)
        for target in (IN_PROCESS, SERVER)
        for name in representations
        for in_flight in (1, 4, 16)
    }
    assert all(part["value"] > 0 for part in report["parts"]) and len(report["parts"]) == 2
    bars = {bar["bar"]: bar for bar in report["bars"]}
    assert bars["errors of new items"]["value"] == 0
    assert bars["requests that failed while versions came"]["value"] == 0
    assert bars["answers of a mix of versions"]["value"] == 0
    assert bars["versions that came under load"]["value"] == 1
