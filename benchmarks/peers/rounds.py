"""Timing loop of a peer's script: one round for each line that it is sent."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any


def serve_rounds(function: Callable[[], Any], about: dict[str, Any]) -> None:
    """Warms a function up, says so, and then times it once for each line of the standard input.

    Args:
        function: What is timed.
        about: Printed as JSON after the warm-up, one line; then the seconds, a line each.
    """
    function()
    print(json.dumps(about), flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        function()
        print(time.perf_counter() - begin, flush=True)
