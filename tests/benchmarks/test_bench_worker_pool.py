import os
import signal
import subprocess
import sys
import time

import pytest

from benchmarks.worker_pool import Failure
from benchmarks.worker_pool import run_each
from tests.benchmarks import failing_tasks


@pytest.mark.parametrize("workers", [1, 2])
def test_what_fails_twice_is_named_and_everything_else_comes(tmp_path, workers):
    names = ["a", "dies", "b", "dies once", "raises", "c", "raises once", "d"]
    tasks = [(name, str(tmp_path / "log")) for name in names]
    outcomes = {
        task[0]: outcome
        for task, outcome in run_each(
            failing_tasks.run, tasks, workers, failing_tasks.start, ("started",)
        )
    }
    assert set(outcomes) == set(names)
    assert outcomes.pop("raises") == Failure("ValueError: bad rows")
    assert "died" in outcomes.pop("dies").reason
    assert {name: text for name, (text, _) in outcomes.items()} == {
        name: f"started {name}" for name in outcomes
    }
    # Every failure has two attempts, in two processes; all else has one.
    attempts = [line.rsplit(" ", 1) for line in (tmp_path / "log").read_text().splitlines()]
    processes = {name: [pid for other, pid in attempts if other == name] for name in names}
    for name in names:
        expected = 2 if name.startswith(("dies", "raises")) else 1
        assert len(processes[name]) == len(set(processes[name])) == expected


def test_no_tasks_are_no_outcomes():
    assert list(run_each(failing_tasks.run, [], 2, failing_tasks.start, ("",))) == []


def test_processes_that_die_at_their_start_end_too(tmp_path):
    tasks = [("a", str(tmp_path / "log")), ("b", str(tmp_path / "log"))]
    outcomes = dict(run_each(failing_tasks.run, tasks, 2, failing_tasks.die, ("",)))
    assert set(outcomes) == set(tasks)
    assert all("died" in outcome.reason for outcome in outcomes.values())


SWEEP = """
from tests.benchmarks import failing_tasks
from benchmarks.worker_pool import run_each
if __name__ == "__main__":
    tasks = [("waits", {log!r})]
    list(run_each(failing_tasks.run, tasks, 1, failing_tasks.start, ("",)))
"""


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet waited for does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_workers_end_with_a_process_that_is_killed(tmp_path):
    log = tmp_path / "log"
    script = tmp_path / "sweep.py"
    script.write_text(SWEEP.format(log=str(log)))
    paths = os.pathsep.join(path for path in sys.path if path)
    parent = subprocess.Popen([sys.executable, script], env=os.environ | {"PYTHONPATH": paths})
    wait_until(lambda: log.exists() and log.read_text().endswith("\n"))
    worker = int(log.read_text().split()[-1])
    assert alive(worker)
    parent.send_signal(signal.SIGKILL)
    parent.wait(60)
    wait_until(lambda: not alive(worker))
