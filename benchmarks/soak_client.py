"""A client in a process of its own that ranks without end, and counts what it is answered.

`python -m benchmarks.soak_client ADDRESS STORE LOG OUTPUT` ranks until SIGTERM, and then writes
what `read_answers` reads. Half of the requests name a user, whose history and counters come from
the store; a third have new items among their candidates, with embeddings for the encoder.
"""

import dataclasses
import json
import signal
import subprocess
import sys
import time
from typing import Any

import grpc
import numpy as np

from semantic_id_ranking.contracts.counters import CounterLayout
from semantic_id_ranking.contracts.counters import USER_CODE_COUNTERS
from semantic_id_ranking.contracts.counters import USER_COUNTERS
from semantic_id_ranking.serving.client import open_channel
from semantic_id_ranking.serving.client import RankerClient
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.tensor_proto import read_array

CANDIDATES = 20
#: Between an answer and the next request, so that the server leaves the trainers some of the CPU.
_PAUSE_SECONDS = 0.05
_WIDTHS = CounterLayout(("click",)).widths
#: Of somebody who is not known.
NOBODY = {name: [0] * _WIDTHS[name] for name in (USER_COUNTERS, USER_CODE_COUNTERS)}


@dataclasses.dataclass(frozen=True)
class Catalogue:
    """What requests are made of.

    Attributes:
        items: item_id -> embedding.
        old: Items that every table of Semantic IDs has.
        users: Users.
    """

    items: dict[str, list[float]]
    old: list[str]
    users: list[str]


class SentSids(grpc.UnaryUnaryClientInterceptor):
    """Keeps the Semantic IDs of the candidates of the last request.

    Attributes:
        last: int32 [N, L].
    """

    last: np.ndarray

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        """Looks at a request that ranks."""
        if "candidate_sid" in getattr(request, "inputs", ()):
            self.last = read_array(request.inputs["candidate_sid"])
        return continuation(details, request)


class SoakClient:
    """The process.

    Args:
        address: host:port of the model server.
        store: URL of the store.
        catalogue: What requests are made of.
        output: File of the answers.
    """

    def __init__(self, address: str, store: str, catalogue: Catalogue, output: str):
        self._output = output
        given = f"{output}.catalogue.json"
        with open(given, "w", encoding="utf-8") as file:
            json.dump(dataclasses.asdict(catalogue), file)
        program = [sys.executable, "-W", "ignore", "-m", "benchmarks.soak_client"]
        self._process = subprocess.Popen([*program, address, store, given, output])

    def stop(self) -> dict[str, Any]:
        """Ends it.

        Returns:
            `requests`, of each the time, the milliseconds and the version that answered;
            `failed`, of each the time and the error; `sent`, Semantic IDs of candidates:
            version -> item -> all that were sent to it.
        """
        self._process.send_signal(signal.SIGTERM)
        if self._process.wait(60):
            raise RuntimeError(f"the client ended with {self._process.returncode}")
        with open(self._output, encoding="utf-8") as file:
            answers: dict[str, Any] = json.load(file)
        return answers


def _rank_until_terminated(address: str, store: str, catalogue: Catalogue) -> dict[str, Any]:
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    rng, sent_sids = np.random.default_rng(0), SentSids()
    requests: list[tuple[float, float, int]] = []
    failed: list[tuple[float, str]] = []
    sent: dict[int, dict[str, set[tuple[int, ...]]]] = {}
    everything = list(catalogue.items)
    with open_channel(address) as channel, open_store(store) as opened:
        client = RankerClient(grpc.intercept_channel(channel, sent_sids), store=opened)
        while not stopped:
            has_new = rng.random() < 1 / 3
            items = rng.choice(everything if has_new else catalogue.old, CANDIDATES, False)
            options: dict[str, Any] = {"embeddings": catalogue.items} if has_new else {}
            if rng.random() < 0.5:
                options["user"] = str(rng.choice(catalogue.users))
            else:
                options |= {"context": NOBODY, "history": catalogue.old[:5]}
            now, begin = time.time(), time.perf_counter()
            try:
                ranking = client.rank_items(items.tolist(), **options)
            except Exception as error:
                failed.append((now, repr(error)))
            else:
                milliseconds = 1000 * (time.perf_counter() - begin)
                requests.append((now, milliseconds, ranking.version))
                of_version = sent.setdefault(ranking.version, {})
                for item, sid in zip(items.tolist(), sent_sids.last.tolist(), strict=True):
                    of_version.setdefault(item, set()).add(tuple(sid))
            time.sleep(_PAUSE_SECONDS)
    return {
        "requests": requests,
        "failed": failed,
        "sent": {
            version: {item: sorted(sids) for item, sids in items.items()}
            for version, items in sent.items()
        },
    }


def main() -> None:
    """Runs the process."""
    address, store, given, output = sys.argv[1:]
    with open(given, encoding="utf-8") as file:
        catalogue = Catalogue(**json.load(file))
    answers = _rank_until_terminated(address, store, catalogue)
    with open(output, "w", encoding="utf-8") as file:
        json.dump(answers, file)


if __name__ == "__main__":
    main()
