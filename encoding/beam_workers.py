"""Beam over parts of the items, in worker processes that may die."""

import contextlib
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

import apache_beam as beam

from semantic_id_ranking.encoding import parts as parts_lib
from semantic_id_ranking.encoding.encode_parts import EncodeJob
from semantic_id_ranking.encoding.encode_parts import EncodeParts
from semantic_id_ranking.inputs.data_set import Block

#: Times that lost workers are replaced.
RETRIES = 3
_LOST = os.EX_TEMPFAIL


def encode_parts(job: EncodeJob, parts: Sequence[Block], workers: int) -> None:
    """Encodes parts, until all are done or the input turns out to be wrong.

    Args:
        job: What to do.
        parts: All parts.
        workers: Worker processes; one runs within this process.

    Raises:
        RuntimeError: Workers died too often, or the pipeline failed.
    """
    if workers == 1:
        _run(job, parts, 1, "in_memory")
        return
    for attempt in range(1 + RETRIES):
        done = job.staging.done()
        missing = [part for part in parts if part.number not in done]
        if attempt:
            logging.warning("A worker died: %d of %d parts anew.", len(missing), len(parts))
        status = _attempt(job, missing, min(workers, len(missing)))
        if job.staging.error() or len(job.staging.done()) == len(parts):
            return
        if status != _LOST and status >= 0:
            raise RuntimeError(f"the Beam pipeline failed with status {status}; see the log")
    raise RuntimeError(f"Beam workers died {1 + RETRIES} times; see the log")


def _run(job: EncodeJob, parts: Sequence[Block], workers: int, mode: str) -> None:
    arguments = ["--runner=FnApiRunner", f"--direct_num_workers={workers}"]
    with beam.Pipeline(argv=[*arguments, f"--direct_running_mode={mode}"]) as pipeline:
        _ = (
            pipeline
            | beam.Create(parts_lib.runs(parts, workers), reshuffle=False)
            # Else the runner fuses everything into one worker.
            | beam.Reshuffle()
            | beam.ParDo(EncodeParts(job))
        )


def _attempt(job: EncodeJob, parts: Sequence[Block], workers: int) -> int:
    """Runs the pipeline in a process group that can be killed; returns its exit status.

    FnApiRunner neither notices nor replaces a worker process that dies: it waits for ever. The
    workers are its own, so a pool of joblib or pebble could only hold this process.
    """
    environment = dict(os.environ, PYTHONWARNINGS="ignore")
    # Each worker has a core or more to itself; TensorFlow would start a thread a core in each.
    threads = max(1, (os.cpu_count() or 1) // workers)
    environment.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
    # An arena a thread keeps what that thread once held.
    environment.setdefault("MALLOC_ARENA_MAX", "2")
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=2,  # Only the driver speaks on standard output.
        env=environment,
        start_new_session=True,
    )
    assert process.stdin is not None  # It is a pipe.
    try:
        pickle.dump((job, parts, workers), process.stdin)
        process.stdin.flush()
        return process.wait()
    except BrokenPipeError:
        return process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _main() -> None:
    """The process of an attempt."""
    job, parts, workers = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # The thread in which the runner waits for a worker raises when it dies, to no effect but this.
    threading.excepthook = _end_with_worker
    _run(job, parts, workers, "multi_processing")


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(0, signal.SIGKILL)


def _end_with_worker(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        sys.excepthook(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
    sys.stderr.flush()
    os._exit(_LOST)


if __name__ == "__main__":
    _main()
