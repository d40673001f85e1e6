"""A SQLite store after kills, a full disk and foreign files, and with several processes."""

import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store import StoreError
from semantic_id_ranking.serving.store import UnknownSpaceError

SPACE = SidSpace("space-a", levels=3, codebook_size=300)
PROLOGUE = """
import os, resource, signal, sqlite3, subprocess, sys, time
import numpy as np
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.store import Checkpoint, open_store, StoreError, UnknownSpaceError
SPACE = SidSpace("space-a", 3, 300)
path, *arguments = sys.argv[1:]
"""


def start(program, path, *arguments, before=()):
    command = [*before, sys.executable, "-c", PROLOGUE + program, str(path), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def check_works(path):
    """Loads the store as a publish does, and reads it."""
    with open_store(f"sqlite:///{path}") as store:
        store.add_space(SPACE)
        store.put("space-a", ["x"], [[1, 2, 3]])
        np.testing.assert_array_equal(store.get("space-a", ["x", "y"]), [[1, 2, 3], [-1] * 3])


DIES = """
class Dying(sqlite3.Connection):
    def execute(self, *statement):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(*statement)
connect = sqlite3.connect
sqlite3.connect = lambda *a, **k: connect(*a, **k, factory=Dying)
for left in range(int(arguments[0])):
    child = os.fork()
    if not child:
        with open_store(f"sqlite:///{path}/{left}.sqlite") as store:
            store.add_space(SPACE)
            store.put("space-a", ["x"], [[4, 5, 6]])
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_publish_killed_before_any_of_its_statements_is_repeated(tmp_path):
    statements = range(14)
    process = start(DIES, tmp_path, len(statements))
    codes = [int(line) for line in process.communicate(timeout=60)[0].split()]
    # The kills come before each statement up to the last one, then there is none left to die at.
    deaths = codes.count(-signal.SIGKILL)
    assert deaths >= 9
    assert codes == [-signal.SIGKILL] * deaths + [0] * (len(codes) - deaths)
    for number in statements:
        with open_store(f"sqlite:///{tmp_path}/{number}.sqlite") as reader:
            assert reader.spaces() in ({}, {"space-a": SPACE})
            assert reader.count("space-a") in (0, 1)
            assert reader.checkpoint("space-a") is None
        check_works(tmp_path / f"{number}.sqlite")


def test_an_empty_file_holds_nothing_and_is_completed(tmp_path):
    path = tmp_path / "s.sqlite"
    path.touch()
    with open_store(f"sqlite:///{path}") as store:
        assert (store.spaces(), store.count("space-a")) == ({}, 0)
        assert store.checkpoint("space-a") is None
        store.drop("space-a")
        with pytest.raises(UnknownSpaceError, match="it holds none"):
            store.get("space-a", ["x"])
    assert path.read_bytes() == b""
    check_works(path)


@pytest.mark.parametrize(
    "content",
    [b"x", b"no database" * 1000, bytes(4096), b"SQLite format 3\0" + b"\xff" * 5000],
    ids=["byte", "text", "zeros", "header"],
)
def test_a_file_that_is_no_store_is_refused_and_stays(tmp_path, content):
    path = tmp_path / "s.sqlite"
    path.write_bytes(content)
    with open_store(f"sqlite:///{path}") as store:
        for use in (store.spaces, lambda: store.add_space(SPACE), lambda: store.drop("space-a")):
            with pytest.raises(StoreError, match="name another file, or move this one") as caught:
                use()
            assert str(caught.value).startswith(f"sqlite:///{path}: ")
            assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


FILLS = """
def limit(size):
    if arguments[0] == "tmpfs":
        options = f"remount,size={size}"
        subprocess.run(["mount", "-o", options, os.path.dirname(path)], check=True)
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def put(store, batch):
    ids = [f"item{batch}-{number}" for number in range(1000)]
    store.put("space-a", ids, np.full((1000, 3), batch % 300), Checkpoint("batch", batch))

limit(4096)
with open_store(f"sqlite:///{path}") as store:
    try:
        store.add_space(SPACE)
        sys.exit("a page is enough for a store")
    except StoreError as error:
        print(error)
limit(600_000)
with open_store(f"sqlite:///{path}") as store, open_store(f"sqlite:///{path}") as reader:
    store.add_space(SPACE)
    batch = 0
    try:
        while True:
            put(store, batch + 1)
            batch += 1
    except StoreError as error:
        print(error)
    assert batch > 0
    assert reader.count("space-a") == 1000 * batch
    assert reader.checkpoint("space-a") == Checkpoint("batch", batch)
    assert reader.get("space-a", [f"item{batch}-999"]).tolist() == [[batch] * 3]
    limit(1 << 26)
    for _ in range(20):
        batch += 1
        put(store, batch)
    assert reader.count("space-a") == 1000 * batch
"""


def may_mount():
    """Whether a file system may be mounted, for one process alone."""
    if not shutil.which("unshare"):
        return False
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_store_works_again_when_a_full_disk_has_space(tmp_path):
    kind, before = "limit", []
    if may_mount():
        kind, mount = "tmpfs", 'mount -t tmpfs -o size=4096 tmpfs "$0" && exec "$@"'
        before = ["unshare", "--mount", "sh", "-c", mount, str(tmp_path)]
    process = start(FILLS, tmp_path / "s.sqlite", kind, before=before)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    first, second = said.splitlines()
    for line in (first, second):
        assert line.startswith(f"sqlite:///{tmp_path}/s.sqlite: ")
        assert "full" in line or "disk I/O error" in line


PUTS = """
with open_store(f"sqlite:///{path}", 30.0) as store:
    store.add_space(SPACE)
    for batch in range(30):
        ids = [f"item{number}" for number in range(100 * batch, 100 * (batch + 1))]
        sids = np.full((100, 3), batch)
        checkpoint = Checkpoint("table", 100 * (batch + 1))
        store.put("space-a", ids, sids, checkpoint, batch > 0)
    print(store.count("space-a"))
"""
READS = """
last, end = f"item{2999}", time.monotonic() + 60
while time.monotonic() < end:
    with open_store(f"sqlite:///{path}", 30.0) as store:
        try:
            sids = store.get("space-a", [f"item{number}" for number in range(0, 3000, 25)])
        except UnknownSpaceError:
            continue
        expected = np.repeat(np.arange(30), 4)
        assert np.isin(sids[:, 0] - expected, [0, *(-1 - expected)]).all(), sids
        # A batch is there with all of its items or with none.
        assert all(len(set(batch.tolist())) == 1 for batch in (sids[:, 0] >= 0).reshape(30, 4))
        if (sids >= 0).all():
            sys.exit(0)
sys.exit("it was not filled")
"""


@pytest.mark.parametrize("repetition", range(2))
def test_two_processes_fill_a_new_store_and_a_third_reads_beside_them(tmp_path, repetition):
    path = tmp_path / "s.sqlite"
    processes = [start(program, path) for program in (READS, PUTS, PUTS)]
    ends = [(*process.communicate(timeout=90), process.returncode) for process in processes]
    assert [code for *_, code in ends] == [0, 0, 0], [errors for _, errors, _ in ends]
    assert [said for said, *_ in ends[1:]] == ["3000\n"] * 2
    assert not os.path.exists(f"{path}-wal")
