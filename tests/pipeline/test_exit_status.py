"""Exit statuses of `sid`, and their one-line reasons."""

import contextlib
import errno
import os
import signal
import sys
import types

import pytest
from typer.testing import CliRunner

from semantic_id_ranking.cli import gc as gc_lib
from semantic_id_ranking.cli import main as cli
from semantic_id_ranking.cli.demo import demo as demo_lib
from semantic_id_ranking.components.releaser.release import write_releases
from semantic_id_ranking.pipeline import exit_status
from semantic_id_ranking.pipeline import run as run_lib
from semantic_id_ranking.pipeline.run_summary import RunSummary
from tests import releases


@pytest.fixture
def sid(capfd, monkeypatch):
    """Runs a command; returns its exit status and what it wrote to standard error."""
    # It would redirect the standard error of all tests that follow.
    monkeypatch.setattr(cli, "silence_exit", lambda: None)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["sid", *arguments])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code
        return status, capfd.readouterr().err

    return run


@pytest.fixture
def gc_raises(sid, monkeypatch):
    """Runs a command that calls a function; returns as `sid` does."""

    def run(function):
        monkeypatch.setattr(gc_lib, "gc", lambda *_: function())
        return sid("gc", "DIR", "--keep", "1")

    return run


def throw(error):
    raise error


RUN = ("run", "--items", "i", "--impressions", "i", "--output", "o")


@pytest.mark.parametrize(
    ("command", "module", "function"),
    [(RUN, run_lib, "run"), (("demo", "--output", "o"), demo_lib, "demo")],
)
@pytest.mark.parametrize(("blessed", "status"), [(True, 0), (False, 3)])
def test_not_blessed_has_a_status_of_its_own(
    sid, monkeypatch, command, module, function, blessed, status
):
    summary = RunSummary.model_construct(blessed=blessed)
    made = summary if module is run_lib else summary.to_json()
    monkeypatch.setattr(module, function, lambda *_: made)
    assert sid(*command) == (status, "")


def test_every_status_is_in_the_help():
    text = " ".join(CliRunner().invoke(cli.app, ["--help"]).output.split())
    for status in (
        0,
        1,
        exit_status.REFUSED,
        exit_status.NOT_BLESSED,
        exit_status.INTERRUPTED,
        exit_status.TERMINATED,
    ):
        assert f" {status} " in text[text.index("Exit status:") :]


def test_ctrl_c(gc_raises):
    assert gc_raises(lambda: os.kill(os.getpid(), signal.SIGINT)) == (130, "sid: interrupted\n")


def test_sigterm_lets_the_command_put_things_right(gc_raises):
    steps = []

    def work():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            steps.append("went on")
        finally:
            steps.append("put right")

    before = signal.getsignal(signal.SIGTERM)
    assert gc_raises(work) == (143, "sid: terminated\n")
    assert steps == ["put right"]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("number", "ended"),
    [(signal.SIGINT, (130, "sid: interrupted\n")), (signal.SIGTERM, (143, "sid: terminated\n"))],
)
def test_a_signal_that_beam_makes_another_error_of(gc_raises, number, ended):
    def work():
        try:
            os.kill(os.getpid(), number)
        except BaseException as error:
            # As apache_beam.runners.common does.
            raise RuntimeError(f"{error!r} [while running 'Inference']") from None

    assert gc_raises(work) == ended
    assert exit_status.received_signal() is None


def test_a_command_that_ends_well_on_ctrl_c(gc_raises):
    """As `sid serve`, which drains."""

    def drain():
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)

    assert gc_raises(drain) == (0, "")


def chained(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/d/f"), "/d/f: Permission denied"),
        (
            OSError(errno.EROFS, "Read-only file system", "/d/f"),
            "/d/f: Read-only file system",
        ),
        (
            chained(RuntimeError("a worker failed"), IsADirectoryError(21, "Is a directory", "d")),
            "d: Is a directory",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "/d/f"),
            "/d/f: the disk is full; free some space and run it again",
        ),
        (
            RuntimeError("/d/f; Permission denied"),
            "/d/f: Permission denied",
        ),
        (
            OSError(errno.EDQUOT, "Disk quota exceeded"),
            "the disk is full; free some space and run it again",
        ),
        (
            RuntimeError("Traceback …: OSError: [Errno 28] No space left on device [while running"),
            "the disk is full; free some space and run it again",
        ),
    ],
)
def test_what_the_operating_system_refuses_is_one_sentence(gc_raises, error, said):
    assert gc_raises(lambda: throw(error)) == (2, f"sid: {said}\n")


def test_an_error_of_the_program_keeps_its_traceback(gc_raises):
    with pytest.raises(ZeroDivisionError):
        gc_raises(lambda: 1 / 0)
    with pytest.raises(OSError, match="Bad file descriptor"):
        gc_raises(lambda: os.close(10_000))

    def wrong_handler():
        try:
            os.stat("/no/such/file")
        except OSError:
            return {}["key"]

    with pytest.raises(KeyError):
        gc_raises(wrong_handler)


def test_the_outcome_says_what_was_pushed(tmp_path):
    versions = {"ranker": 17, "semantic_id": 16}
    (tmp_path / "serving").mkdir()
    pushed = releases.release(versions=versions)
    write_releases(str(tmp_path / "serving"), [pushed])

    def outcome(released, blessed=True, idle=False):
        missed = [] if blessed else ["task a", "task b"]
        summary = types.SimpleNamespace(blessed=blessed, missed=missed)
        return run_lib._outcome(summary, str(tmp_path), released, idle)

    assert outcome(pushed) == f"blessed and pushed to {tmp_path}/serving"
    assert outcome(pushed, idle=True).startswith("blessed; an earlier run pushed these models")
    other = pushed.with_versions({"ranker": 17, "semantic_id": 15})
    assert outcome(other).endswith("what was pushed or rolled back since stays")
    assert outcome(None) == "blessed, but nothing was pushed"
    assert outcome(None, blessed=False) == ("not blessed, so nothing was pushed: task a; task b")


def test_a_message_cannot_steer_the_terminal(sid):
    status, said = sid("gc", "no\x1b[2J\nsuch[bold]\u202efolder", "--keep", "1")
    assert status == 2
    assert said.startswith("sid: no\\x1b[2J\\nsuch[bold]\\u202efolder: holds no run")
    assert said.count("\n") == 1
