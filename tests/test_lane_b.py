"""The script that runs the tests in a Debian 13 root, with stand-ins for debootstrap and chroot."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from tests import ROOT

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes root, for mounts of its own")

DEBOOTSTRAP = """#!/bin/sh
for root; do :; done
mkdir "$root" && cd "$root" &&
    mkdir -p proc dev/shm dev/pts tmp etc/ssl/certs usr/bin
touch usr/bin/python3.13
"""
# Runs as long as the test wants, with a process of its own, as pytest does.
CHROOT = """#!/bin/sh
echo "$@" >"$1/called"
cat /proc/self/mounts >"$1/mounts"
sleep 1000 &
readlink "$1/proc/1/ns/pid" >"$1/starting" && mv "$1/starting" "$1/started"
wait
"""


class Checkout:
    """A checkout with three files, and programs that are found before the system's."""

    def __init__(self, folder: pathlib.Path):
        self.path = folder / "checkout"
        self.bin = folder / "bin"
        self.root = self.path / ".lane-b" / "root"
        self.process: subprocess.Popen | None = None
        (self.path / "tests").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / "tests" / "lane_b.sh", self.path / "tests")
        for name in ("Makefile", ".gitignore"):
            shutil.copy(ROOT / name, self.path)
        subprocess.run(["git", "init", "--quiet"], cwd=self.path, check=True)
        self.program("debootstrap", DEBOOTSTRAP)
        self.program("chroot", CHROOT)

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def command(self, *command: str, **keywords) -> subprocess.Popen:
        environment = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"}
        return subprocess.Popen(
            command, cwd=self.path, env=environment, stderr=subprocess.PIPE, text=True, **keywords
        )

    def start(self) -> None:
        """Starts the script, up to the first process in the root."""
        self.process = self.command("tests/lane_b.sh", start_new_session=True)
        deadline = time.monotonic() + 30
        while not (self.root / "started").exists():
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def processes(self) -> list[str]:
        """Those of the system that run in the run's namespace of processes."""
        namespace = (self.root / "started").read_text().strip()
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(process / "ns/pid") == namespace:
                    found.append(process.name)
            except OSError:
                pass  # It has ended.
        return found

    def mounts(self) -> list[str]:
        text = pathlib.Path("/proc/self/mounts").read_text()
        return [line for line in text.splitlines() if str(self.path) in line]


@pytest.fixture
def checkout(tmp_path):
    checkout = Checkout(tmp_path)
    yield checkout
    if checkout.process:
        checkout.process.kill()
        checkout.process.wait()


def test_a_user_who_is_not_root_is_told(checkout):
    checkout.program("id", "#!/bin/sh\necho 1000\n")
    process = checkout.command("tests/lane_b.sh")
    _, printed = process.communicate()
    assert (process.returncode, printed.count("\n")) == (2, 1)
    assert "takes root" in printed


@as_root
@pytest.mark.parametrize("whole_group", [True, False], ids=["group", "script"])
def test_a_kill_leaves_no_mount_and_no_process(checkout, whole_group):
    checkout.start()
    inside = (checkout.root / "mounts").read_text()
    assert all(f"{checkout.root}/{path} " in inside for path in ("proc", "dev/shm", "dev/pts"))
    assert len(checkout.processes()) >= 2
    assert checkout.mounts() == []

    kill = os.killpg if whole_group else os.kill
    kill(checkout.process.pid, signal.SIGKILL)
    checkout.process.wait()
    deadline = time.monotonic() + 30
    while checkout.processes():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert checkout.mounts() == []


@as_root
def test_clean_removes_the_root_of_a_run_in_progress_and_nothing_outside(checkout):
    checkout.start()
    devices = sorted(os.listdir("/dev"))
    process = checkout.command("make", "clean", stdout=subprocess.DEVNULL)
    process.communicate()
    assert process.returncode == 0
    assert not (checkout.path / ".lane-b").exists()
    assert (checkout.path / "Makefile").exists()
    assert sorted(os.listdir("/dev")) == devices


@as_root
def test_the_root_has_the_checkouts_files_and_keeps_what_it_installed(checkout, monkeypatch):
    (checkout.path / "old.py").touch()
    checkout.start()
    inside = checkout.root / "checkout"
    assert {path.name for path in inside.iterdir()} == {
        ".gitignore",
        "Makefile",
        "old.py",
        "tests",
    }
    checkout.process.kill()
    checkout.process.wait()

    (checkout.root / "started").unlink()
    (inside / ".venv").mkdir()
    (checkout.path / "old.py").rename(checkout.path / "new.py")
    (checkout.path / "runs").mkdir()
    (checkout.path / "runs" / "ignored").touch()
    checkout.program("debootstrap", "#!/bin/sh\nexit 1\n")  # The root is there.
    monkeypatch.setenv("PIP_FIND_LINKS", "/outside")
    checkout.start()
    assert {path.name for path in inside.iterdir()} == {
        ".gitignore",
        ".venv",
        "Makefile",
        "new.py",
        "tests",
    }
    called = (checkout.root / "called").read_text()
    assert "/usr/bin/env -i" in called
    assert "PIP_FIND_LINKS" not in called
    assert called.endswith("make --no-print-directory --directory /checkout test\n")


@as_root
def test_a_second_run_is_refused(checkout):
    checkout.start()
    process = checkout.command("tests/lane_b.sh")
    _, printed = process.communicate()
    assert (process.returncode, printed.count("\n")) == (2, 1)
    assert f"{checkout.path}/.lane-b" in printed
