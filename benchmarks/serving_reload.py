"""Release of new ranker versions under load."""

import os
import threading
import time
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.load import run_load
from benchmarks.serving_models import ExportableRanker
from benchmarks.serving_models import RankRequest
from semantic_id_ranking.serving.client import RankerClient

# Seconds after which versions are no longer waited for.
_PATIENCE = 300.0

Scores = Mapping[str, np.ndarray]


def reload_under_load(
    address: str,
    ranker: ExportableRanker,
    base_path: str,
    request: RankRequest,
    switches: int,
    seconds: float,
    in_flight: int = 4,
) -> dict[str, Any]:
    """Renames versions in, one after the other, while a request is made over and over.

    Every version scores every candidate otherwise, so that each score tells which version it is of.

    Args:
        address: host:port of the server.
        ranker: What is served as version 1; its weights change.
        base_path: Folder of its versions, named as the model.
        request: The request.
        switches: How many versions come.
        seconds: How long, at least.
        in_flight: Requests in progress at once.

    Returns:
        `requests`, `failed`, `mixed` (answers whose scores are not all of one version) and
        `switches`, how many of the versions that came have answered.
    """
    expected, written = [ranker.scores(request)], []
    for seed in range(1, switches + 1):
        ranker.draw_weights(seed)
        expected.append(ranker.scores(request))
        written.append(os.path.join(base_path, f"writing-{seed}"))
        ranker.export(written[-1])
    begin = time.monotonic()
    seen: list[int | None] = []
    all_in = threading.Event()

    def rename_in() -> None:
        for number, path in enumerate(written):
            due = begin + seconds * number / switches
            # A version that comes too soon after another replaces it before it is served.
            while time.monotonic() < due or (number not in seen[-in_flight:] and _waits(begin)):
                time.sleep(0.05)
            os.rename(path, os.path.join(base_path, str(number + 2)))
        while switches not in seen[-in_flight:] and _waits(begin):
            time.sleep(0.05)
        all_in.set()

    def more(_: int) -> bool:
        return time.monotonic() < begin + seconds or not all_in.is_set()

    model = os.path.basename(base_path)
    with RankerClient(address, timeout=30.0, model=model) as client:
        arguments = request.arguments()

        def call(_: int) -> None:
            seen.append(version_of(client.rank(**arguments), expected))

        renaming = threading.Thread(target=rename_in)
        renaming.start()
        load = run_load(call, in_flight, more)
        renaming.join()
    return {
        "requests": len(load.latencies) + load.errors,
        "failed": load.errors,
        "mixed": seen.count(None),
        "switches": len({*seen} - {None, 0}),
    }


def _waits(begin: float) -> bool:
    """Whether a version that has not answered may still come."""
    return time.monotonic() < begin + _PATIENCE


def version_of(scores: Scores, expected: Sequence[Scores], tolerance: float = 1e-3) -> int | None:
    """Identifies the one of several versions that gave an answer.

    Args:
        scores: The scores [N] of each task.
        expected: Those of each version, further apart than the tolerance.
        tolerance: Relative.

    Returns:
        The version's index; None where the scores are not all of one.
    """
    for index, one in enumerate(expected):
        if all(np.allclose(scores[task], one[task], rtol=tolerance, atol=0) for task in one):
            return index
    return None
