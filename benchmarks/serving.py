"""Latency of ranking: the SavedModel in process and behind `sid serve`, new items and reloading.

`make bench-serving` ranks 500 candidates for one user, in a world of 100,000 items with histories
of 50, Semantic IDs of 8 codes of 2,048 and tables of 100,000 rows, and writes
`benchmarks/out/serving.json`: `{"cases": [{"target", "representation", "in_flight", "p50_ms",
"p95_ms", "p99_ms", "requests_per_s", "errors"}], "bars": [{"bar", "value", "limit", "holds"}],
"parts": [{"part", "value"}], "reload", "new_items"}`. `parts` tell what the bars can allow for: an
echo of the same messages over gRPC, and reading the tf.Examples without ranking them, both over
`rank` in process. The server is held against the echo and the session that it runs, since gRPC in
Python alone takes a third of `rank` in process. On two busy cores expect all bars to hold but those
of `serving_default`, which works on a user that many examples share once, too.
"""

import json
import os
import statistics
import tempfile
from collections.abc import Sequence
from typing import Any

from benchmarks import command
from benchmarks.bars import at_least
from benchmarks.bars import at_most
from benchmarks.grpc_echo import EchoServer
from benchmarks.load import Load
from benchmarks.load import run_by_turns
from benchmarks.load import run_load
from benchmarks.load import summary
from benchmarks.serving_calls import Call
from benchmarks.serving_calls import echo
from benchmarks.serving_calls import examples_in_process
from benchmarks.serving_calls import examples_through_server
from benchmarks.serving_calls import in_process
from benchmarks.serving_calls import predict_json
from benchmarks.serving_calls import predict_messages
from benchmarks.serving_calls import rank_messages
from benchmarks.serving_calls import reading_in_process
from benchmarks.serving_calls import session_in_process
from benchmarks.serving_calls import through_server
from benchmarks.serving_models import ExportableRanker
from benchmarks.serving_models import RankRequest
from benchmarks.serving_new_items import measure_new_items
from benchmarks.serving_reload import reload_under_load
from benchmarks.serving_world import serving_world
from benchmarks.sid_server import SidServer
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.trainer.ranker.config import RankerConfig
from semantic_id_ranking.trainer.ranker.representations import REGISTRY
from semantic_id_ranking.trainer.rqvae.export import export as export_encoder

IN_PROCESS, SERVER = "SavedModel in process", "server"
EXAMPLES = "serving_default"
ECHO, READING = "gRPC echo", f"{IN_PROCESS}, {EXAMPLES}, reading alone"
SESSION, MESSAGES, REST = "session in process", "server, messages alone", "server, REST"
_SPM, _HASH = "sid_spm", "random_hash"
_REPRESENTATIONS = (_HASH, _SPM, "sid_hybrid")
_CROWDS = (4, 16)
_REQUESTS = 20

Case = tuple[str, str, int]
"""Target, representation and requests in flight."""


def measure(
    calls: dict[tuple[str, str], Call], rounds: int, requests: int
) -> dict[Case, list[Load]]:
    """Runs all cases in turns: what else the machine does falls on all of them.

    Where one request is in flight, the turns are of one request; else a turn keeps its requests in
    flight.

    Args:
        calls: By target and representation.
        rounds: How often.
        requests: Requests of a case in a round.
    """
    turns: dict[Case, list[Load]] = {(*key, 1): [] for key in calls}
    run_by_turns(calls, requests)
    for number in range(1, rounds + 1):
        for key, load in run_by_turns(calls, requests).items():
            turns[(*key, 1)].append(load)
        for in_flight in _CROWDS:
            for key, call in calls.items():
                if EXAMPLES not in key[0] and key[0] != REST:  # It has one connection.
                    load = run_load(call, in_flight, lambda count: count < requests)
                    turns.setdefault((*key, in_flight), []).append(load)
        print(f"round {number} of {rounds}", flush=True)
    return turns


def latency_bars(turns: dict[Case, list[Load]]) -> list[dict[str, Any]]:
    """The bars on latency; a ratio is the median over the rounds of that of one round."""

    def ratio(one: Case, other: Case) -> float:
        pairs = zip(turns[one], turns[other], strict=True)
        return statistics.median(a.p50 / b.p50 for a, b in pairs)

    bars = [
        at_most(
            f"p50 of {_SPM} over {_HASH}, in process",
            ratio((IN_PROCESS, _SPM, 1), (IN_PROCESS, _HASH, 1)),
            1.3,
        )
    ]
    bars += _added(turns)
    for target in (IN_PROCESS, SERVER):
        speedup = ratio((f"{target}, {EXAMPLES}", _SPM, 1), (target, _SPM, 1))
        bars.append(at_least(f"speed of rank over {EXAMPLES}, {_SPM}, {target}", speedup, 5.0))
    crowd = max(_CROWDS)
    for target, name, in_flight in turns:
        if target == SERVER and in_flight == crowd:
            total = summary(turns[target, name, in_flight])
            at = f"{crowd} in flight, {name}"
            bars.append(at_most(f"errors at {at}", total["errors"], 0))
            bars.append(at_most(f"p99 over p50 at {at}", total["p99_ms"] / total["p50_ms"], 4.0))
    return bars


def _added(turns: dict[Case, list[Load]]) -> list[dict[str, Any]]:
    """The bars on what the server adds; each value is the median over the rounds."""

    def p50(target: str) -> list[float]:
        return [1e3 * load.p50 for load in turns[target, _SPM, 1]]

    echo_and_session = map(sum, zip(p50(ECHO), p50(SESSION), strict=True))
    return [
        at_most(
            f"p50 ms of {target}, over {other}, {_SPM}",
            statistics.median(a - b for a, b in zip(p50(target), base, strict=True)),
            limit,
        )
        for target, other, base, limit in (
            (MESSAGES, f"{ECHO} and {SESSION}", echo_and_session, 0.3),
            (REST, MESSAGES, p50(MESSAGES), 3.0),
        )
    ]


def parts(turns: dict[Case, list[Load]]) -> list[dict[str, Any]]:
    """Share of `rank` in process that an echo over gRPC and the reading of tf.Examples take."""
    rank = turns[IN_PROCESS, _SPM, 1]
    return [
        {
            "part": f"p50 of {target} over rank, {_SPM}, in process",
            "value": statistics.median(
                a.p50 / b.p50 for a, b in zip(turns[target, _SPM, 1], rank, strict=True)
            ),
        }
        for target in (ECHO, READING)
    ]


def main(
    items: int = 100_000,
    candidates: int = 500,
    history: int = 50,
    levels: int = 8,
    codebook_size: int = 2048,
    embedding_dim: int = 64,
    rows: int = 100_000,
    rounds: int = 15,
    requests: int = 100,
    new_items: int = 1_000,
    switches: int = 10,
    reload_seconds: float = 60.0,
    output: str = "benchmarks/out/serving.json",
) -> None:
    """Measures latencies, the path of new items, and the reloading of models under load."""
    world, encoder = serving_world(items, levels, codebook_size, embedding_dim, history)
    asked = [RankRequest.draw(world, candidates, seed) for seed in range(_REQUESTS)]
    with tempfile.TemporaryDirectory() as folder:
        models = os.path.join(folder, "models")
        export_encoder(encoder, os.path.join(models, "semantic_id", "1"))
        for name in _REPRESENTATIONS:
            ranker = ExportableRanker(world, REGISTRY[name](rows=rows), RankerConfig())
            print(f"{name}: {ranker.table_rows} table rows", flush=True)
            ranker.export(os.path.join(models, name, "1"))
            if name == _SPM:
                spm = ranker
        with SidServer(models, "--poll-seconds", "0.2", "--rest-port", "0") as server:
            message, answer = rank_messages(server.address, _SPM, asked[0])
            with EchoServer(len(answer)) as echo_server:
                calls = _calls(models, server.address, asked)
                calls[ECHO, _SPM] = echo(echo_server.address, message)
                calls[READING, _SPM] = reading_in_process(spm, asked[0])
                calls[SESSION, _SPM] = session_in_process(os.path.join(models, _SPM, "1"), asked[0])
                calls[MESSAGES, _SPM] = predict_messages(server.address, message)
                calls[REST, _SPM] = predict_json(server.rest_address, _SPM, asked[0])
                turns = measure(calls, rounds, requests)
            reload_result = reload_under_load(
                server.address,
                spm,
                os.path.join(models, _SPM),
                asked[0],
                switches,
                reload_seconds,
            )
            new = measure_new_items(
                server.address, _SPM, asked[0], f"sqlite:///{folder}/sids.sqlite", new_items
            )
    bars = latency_bars(turns)
    bars.append(at_most("errors of new items", new.errors, 0))
    bars.append(at_most("p99 seconds from embedding to ranked", summary([new])["p99_ms"] / 1e3, 1))
    bars.append(at_most("requests that failed while versions came", reload_result["failed"], 0))
    bars.append(at_most("answers of a mix of versions", reload_result["mixed"], 0))
    bars.append(at_least("versions that came under load", reload_result["switches"], switches))
    cases = [
        {"target": target, "representation": name, "in_flight": in_flight, **summary(loads)}
        for (target, name, in_flight), loads in turns.items()
    ]
    report = {
        "cases": cases,
        "bars": bars,
        "parts": parts(turns),
        "reload": reload_result,
        "new_items": summary([new]),
    }
    print(json.dumps(report, indent=1))
    command.write_json(output, report)


def _calls(
    models: str, address: str, requests: Sequence[RankRequest]
) -> dict[tuple[str, str], Call]:
    calls = {}
    for name in _REPRESENTATIONS:
        path = os.path.join(models, name, "1")
        calls[IN_PROCESS, name] = in_process(path, requests)
        client = RankerClient(address, timeout=30.0, model=name)
        calls[SERVER, name] = through_server(client, requests)
    path = os.path.join(models, _SPM, "1")
    calls[f"{IN_PROCESS}, {EXAMPLES}", _SPM] = examples_in_process(path, requests[0])
    for target, from_arrays in ((EXAMPLES, False), (f"{EXAMPLES} from arrays", True)):
        calls[f"{SERVER}, {target}", _SPM] = examples_through_server(
            address, _SPM, requests[0], from_arrays
        )
    return calls


if __name__ == "__main__":
    command.run(main)
