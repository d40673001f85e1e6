"""The output folder of `sid encode`, and the remains of killed processes."""

import os
import subprocess
import sys

import pytest

from semantic_id_ranking.encoding.output_folder import OutputFolder

WORK = """
import sys
from semantic_id_ranking.encoding.output_folder import OutputFolder
with OutputFolder(sys.argv[1]).staging() as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def worker(tmp_path):
    """Another process at work on the same output, and its staging folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, str(tmp_path / "sids")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process, process.stdout.readline().strip()
    process.kill()
    process.communicate()


def test_the_staging_folder_of_a_killed_process_goes_with_the_next_one(worker, tmp_path):
    process, left = worker
    process.kill()
    process.wait()
    (tmp_path / ".sids.notes").mkdir()
    assert os.path.isdir(left)
    with OutputFolder(str(tmp_path / "sids")).staging():
        assert not os.path.exists(left)
    assert os.listdir(tmp_path) == [".sids.notes"]


def test_that_of_a_process_at_work_stays(worker, tmp_path):
    _, used = worker
    with OutputFolder(str(tmp_path / "sids")).staging() as folder:
        assert os.path.isdir(used)
        assert folder != used


def test_the_output_has_the_mode_that_the_umask_says(tmp_path):
    output = OutputFolder(str(tmp_path / "sids"))
    before = os.umask(0o007)
    try:
        with output.staging() as folder:
            os.makedirs(os.path.join(folder, "table"))
            output.publish(os.path.join(folder, "table"), None)
    finally:
        os.umask(before)
    assert os.stat(output.path).st_mode & 0o777 == 0o770
