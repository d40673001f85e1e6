"""The cost of importing a client, against `import numpy, grpc` in the same process.

`make bench-client-import` prints `{"cpu_seconds", "mib", "over_numpy_and_grpc": {"cpu_seconds",
"mib"}}`: medians of processes that import the one and then the other. Expect at most .5 s and 75
MiB in all, of which at most .15 s and 15 MiB over numpy and grpc.
"""

import json
import subprocess
import sys
from typing import Annotated

import numpy as np
import typer

from benchmarks import command

#: A process that prints what it used, in CPU seconds and MiB at most, before and after.
PROCESS = """
import resource

def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    # Not ru_maxrss, which the process has from the one that made it.
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return usage.ru_utime + usage.ru_stime, int(status["VmHWM"].split()[0]) / 1024

import numpy
import grpc
before = used()
from semantic_id_ranking.serving.client import AsyncRankerClient, EncoderClient, RankerClient
from semantic_id_ranking.serving.store import open_store
print(*before, *used())
"""


def main(
    processes: Annotated[int, typer.Option(help="Processes, one after the other.", min=1)] = 15,
) -> None:
    """Imports a client again and again, each time in a process of its own."""
    program = [sys.executable, "-W", "ignore", "-c", PROCESS]
    rows = [subprocess.check_output(program, text=True).split() for _ in range(processes)]
    before, after = np.split(np.array(rows, float), 2, axis=1)
    total, over = np.median(after, axis=0), np.median(after - before, axis=0)
    report = {
        "cpu_seconds": total[0],
        "mib": total[1],
        "over_numpy_and_grpc": {"cpu_seconds": over[0], "mib": over[1]},
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    command.run(main)
