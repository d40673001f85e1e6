"""Refreshes of a SID space, each of which is killed after another step of its release.

`python -m tests.pipeline.killed_refresh ITEMS OUTPUT STORE` prints the steps, one a line, each when
a process was killed after it. A process goes on from what the one before it left.
"""

import os
import re
import signal
import sys
from collections.abc import Callable
from typing import Any

import rich.console

from semantic_id_ranking.components.releaser import journal
from semantic_id_ranking.components.releaser import release_models
from semantic_id_ranking.pipeline.days import refresh_dag  # noqa: F401  TFX, once for all.
from semantic_id_ranking.pipeline.days.day_config import day_config
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.days.refresh import refresh

#: Object and attribute of what is called at a step, in the order of a release.
STEPS: dict[str, tuple[Any, str]] = {
    "published": (release_models, "publish_sids"),
    "staged": (release_models, "require_releasable"),
    "encoder renamed": (os, "rename"),
    "ranker renamed": (os, "rename"),
    "described": (journal, "write_releases"),
    "recorded": (Ledger, "write"),
}


def _dying(step: str, call: Callable[..., Any]) -> Callable[..., Any]:
    version = {"encoder": r"/semantic_id/\d+$", "ranker": r"/ranker/\d+$"}.get(step.split()[0])

    def call_and_die(*arguments: Any, **options: Any) -> Any:
        if step != "recorded":  # Its kill is before what is written.
            result = call(*arguments, **options)
        if version is None or re.search(version, str(arguments[1])):
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call_and_die


def main() -> None:
    """Runs the processes."""
    items, output, store = sys.argv[1:]
    config = day_config(output, None, (f"serving.store={store}",))
    for step, (holder, name) in STEPS.items():
        pid = os.fork()
        if pid == 0:
            setattr(holder, name, _dying(step, getattr(holder, name)))
            refresh(items, output, config, rich.console.Console(stderr=True))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            print(step, flush=True)


if __name__ == "__main__":
    main()
