"""Progress lines of a local run."""

import logging
import re
import time
from collections.abc import Callable

_STARTED = re.compile(r"Component (\S+) is running\.")
_FINISHED = re.compile(r"Component (\S+) is finished\.")
_EPOCH = re.compile(r"(rqvae|ranker): (epoch \d+ of \d+, .*)")


class Progress(logging.Handler):
    """Turns what TFX's local runner and our trainers log into progress lines.

    The runner has no hook for this; its log lines are the same in every version that we support.

    Args:
        components: Ids of the pipeline's components.
        show: Takes each line.
        clock: Seconds, monotonic.

    Attributes:
        seconds: Component id -> wall seconds, of those that finished.
        running: Id of the component that runs now; None between two.
    """

    def __init__(
        self,
        components: list[str],
        show: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__(logging.INFO)
        self._components = components
        self._show = show
        self._clock = clock
        self._begin = 0.0
        self._last_step = 0.0
        self.seconds: dict[str, float] = {}
        self.running: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Looks at one log record."""
        message = record.getMessage()
        if match := _STARTED.fullmatch(message):
            self.running = match[1]
            self._begin = self._last_step = self._clock()
            self._show(f"{self._prefix()} {self.running} …")
        elif (match := _FINISHED.fullmatch(message)) and match[1] == self.running:
            self.seconds[match[1]] = self._clock() - self._begin
            self._show(f"{self._prefix()} {self.running} {self.seconds[match[1]]:.1f} s")
            self.running = None
        elif match := _EPOCH.fullmatch(message):
            self._step(match[2])

    def _step(self, text: str) -> None:
        # Epochs can be many a second: one line a second is enough.
        if self._clock() - self._last_step >= 1:
            self._last_step = self._clock()
            self._show(f"{self._prefix()} {self.running}: {text}")

    def _prefix(self) -> str:
        number = self._components.index(self.running) + 1 if self.running in self._components else 0
        return f"[{number:2d}/{len(self._components)}]"
