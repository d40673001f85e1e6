"""Real processes of `sid run`, interrupted, terminated, killed, and with a full disk."""

import os
import re
import signal
import subprocess
import sys

import pytest

from tests import synthetic

SMALL = "rqvae={levels: 2, codebook_size: 4, epochs: 1}"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return synthetic.write_small(tmp_path_factory.mktemp("data"))


def command(data, output):
    return [
        *(sys.executable, "-W", "ignore", "-m", "semantic_id_ranking.cli.main", "run"),
        *("--items", data / "items.parquet", "--impressions", data / "impressions.parquet"),
        *("--output", output, "--set", SMALL, "--set", "representation.rows=64"),
    ]


@pytest.fixture
def start(data):
    """Function that starts `sid run`."""
    started = []

    def call(output):
        process = subprocess.Popen(
            command(data, output),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            # A test that runs in a shell's background would hand on that Ctrl-C is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.communicate()


def wait_for(process, pattern):
    """Reads lines until one matches."""
    seen = []
    for line in process.stdout:
        seen.append(line)
        if re.search(pattern, line):
            return
    pytest.fail(f"{seen} {process.stderr.read()}")


@pytest.mark.slow
def test_runs_that_are_killed_interrupted_and_terminated(start, data, tmp_path):
    """One after the other in one output folder, whose lock and leavings stop none of them."""
    output = tmp_path / "output"
    first = start(output)
    # Another folder, so that both load TFX at the same time.
    beside = start(tmp_path / "beside")
    wait_for(first, "ItemGen …")
    second = start(output)
    _, said = second.communicate(timeout=200)
    assert second.returncode == 2
    assert re.fullmatch(
        rf"sid: {re.escape(str(output))}: sid run \(process {first.pid} on .*, since .*\n", said
    )
    assert said.count("\n") == 1
    os.kill(first.pid, signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    (output / "artifacts/ItemGen/examples/99").mkdir(parents=True)

    wait_for(beside, "ItemGen …")
    beside.send_signal(signal.SIGINT)
    _, said = beside.communicate(timeout=200)
    assert (beside.returncode, said) == (130, "sid: interrupted\n")

    third = start(output)
    wait_for(third, "StatisticsGen.items …")
    # What the killed run left is gone; what it did is not lost.
    assert not (output / "artifacts/ItemGen/examples/99").exists()
    third.send_signal(signal.SIGTERM)
    _, said = third.communicate(timeout=200)
    assert (third.returncode, said) == (143, "sid: terminated\n")
    assert not (output / "serving").exists()
    assert not (output / "tmp").exists()


@pytest.mark.slow
def test_a_disk_that_is_full_during_the_run(data, tmp_path):
    """A file system of its own, with space for the metadata and little more."""
    (tmp_path / "small").mkdir()
    script = 'mount -t tmpfs -o size=330k tmpfs "$0" && exec "$@"'
    # A root of its own (lane B) has no user namespaces; whoever is root needs none.
    root = ["--map-root-user"] if os.geteuid() else []
    mounted = ("unshare", *root, "--mount", "sh", "-c", script, tmp_path / "small")
    ended = subprocess.run(
        [*mounted, *command(data, tmp_path / "small" / "output")],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.startswith("sid: ")
    assert "the disk is full" in ended.stderr
    assert ended.stderr.count("\n") == 1
