"""The lock of an output folder between processes."""

import json
import os
import re
import socket
import subprocess
import sys

import pytest

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.output_lock import LOCK_FILE
from semantic_id_ranking.pipeline.output_lock import output_lock

HOLD = """
import sys
from semantic_id_ranking.pipeline.output_lock import output_lock
with output_lock(sys.argv[1], "sid run"):
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "locked\n"
    yield process
    process.kill()
    process.communicate()


def test_the_second_is_refused_and_told_who_is_first(holder, tmp_path):
    with pytest.raises(InputError) as refusal, output_lock(str(tmp_path), "sid gc"):
        pass
    said = str(refusal.value)
    assert f"sid run (process {holder.pid} on {socket.gethostname()}, since 20" in said
    assert re.search(r"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\)", said)
    assert said.startswith(f"{tmp_path}: ")


def test_the_lock_of_a_killed_process_stops_nobody(holder, tmp_path):
    holder.kill()
    holder.wait()
    assert json.loads((tmp_path / LOCK_FILE).read_text())["pid"] == holder.pid
    with output_lock(str(tmp_path), "sid gc"):
        written = json.loads((tmp_path / LOCK_FILE).read_text())
    assert (written["pid"], written["command"]) == (os.getpid(), "sid gc")


def test_the_lock_ends_with_its_block(tmp_path):
    for _ in range(2):
        with output_lock(str(tmp_path), "sid run"):
            pass


def test_a_holder_that_has_not_said_who_it_is_is_refused_all_the_same(holder, tmp_path):
    (tmp_path / LOCK_FILE).write_text("")
    refusal = pytest.raises(InputError, match="another process works on it")
    with refusal, output_lock(str(tmp_path), "sid gc"):
        pass
