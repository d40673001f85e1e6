"""The exit statuses of `sid`, and the signal that terminates it."""

import contextlib
import signal
from collections.abc import Iterator

#: The input, an option or the machine is not what it should be: one sentence says what.
REFUSED = 2
#: The run is complete, but its ranker misses a threshold.
NOT_BLESSED = 3
#: 128 + SIGINT, as shells say it.
INTERRUPTED = 130
#: 128 + SIGTERM.
TERMINATED = 143

EPILOG = (
    "Exit status: 0 done; 1 an error of the program, with its traceback; 2 refused, one sentence "
    "says why; 3 sid run or sid demo: not blessed, nothing was pushed; 130 interrupted (Ctrl-C); "
    "143 terminated (SIGTERM). sid serve drains on either signal and ends with 0."
)


class Terminated(SystemExit):
    """SIGTERM came."""


_received: list[int] = []


def received_signal() -> int | None:
    """The exit status of the signal that came first; None while none came."""
    return _received[0] if _received else None


@contextlib.contextmanager
def signals_unwind() -> Iterator[None]:
    """Makes SIGTERM unwind the stack, as Ctrl-C does: locks are released, temporary files removed.

    Which of them came is remembered: Beam makes another error of what interrupts it. A second
    SIGTERM kills. Where Ctrl-C is ignored, as in a shell's background jobs, it stays so.

    Raises:
        Terminated: SIGTERM came within the block.
        KeyboardInterrupt: SIGINT came.
    """

    def terminate(*_: object) -> None:
        _received.append(TERMINATED)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise Terminated(TERMINATED)

    def interrupt(*_: object) -> None:
        _received.append(INTERRUPTED)
        raise KeyboardInterrupt

    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, terminate)}
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        before[signal.SIGINT] = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _received.clear()
