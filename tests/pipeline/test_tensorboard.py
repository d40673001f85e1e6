"""TensorBoard on the logs that a run's training writes."""

import contextlib
import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest


@pytest.fixture
def tensorboard(finished_run):
    """Address of a TensorBoard process on the shared run."""
    command = [sys.executable, "-W", "ignore", "-m", "tensorboard.main", "--port", "0"]
    command += ["--logdir", finished_run.output, "--load_fast", "false"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            printed = ""
            while not (address := re.search(r"http://\S+", printed)):
                line = process.stderr.readline()
                assert line, f"TensorBoard ended and said: {printed}"
                printed += line
            yield address.group()
        finally:
            process.kill()


def _points(address: str, run: str, tag: str, count: int) -> list[list[float]]:
    """The points [time, step, value] of a scalar, once there are `count`."""
    query = urllib.parse.urlencode({"run": run, "tag": tag})
    deadline = time.monotonic() + 60  # It answers before it has read everything.
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.HTTPError):
            url = f"{address}data/plugin/scalars/scalars?{query}"
            with urllib.request.urlopen(url, timeout=60) as response:
                points = json.load(response)
            if len(points) >= count:
                return points
        time.sleep(0.2)
    raise AssertionError(f"TensorBoard has no {count} points of {tag} in {run}")


def test_tensorboard_reads_the_training_of_a_run(tensorboard, finished_run):
    def logs(trainer: str) -> tuple[str, dict]:
        folder = pathlib.Path(finished_run.records.output(trainer, "model_run").uri)
        metrics = json.loads((folder / "metrics.json").read_text())
        return str(folder.relative_to(finished_run.output)), metrics

    folder, metrics = logs("Trainer.ranker")
    losses = _points(tensorboard, f"{folder}/train", "epoch_loss", metrics["epochs"])
    assert len(losses) == metrics["epochs"]
    assert losses[-1][2] == pytest.approx(metrics["loss"], rel=1e-6)

    folder, metrics = logs("Trainer.rqvae")
    errors = _points(tensorboard, folder, "reconstruction", metrics["epochs"])
    assert [step for _, step, _ in errors] == list(range(1, metrics["epochs"] + 1))
