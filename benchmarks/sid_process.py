"""Commands of `sid`, each in a process of its own that has TFX when it begins."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence

_FORKS = multiprocessing.get_context("forkserver")
# TFX takes ten seconds to import; a process that is forked has it already.
_FORKS.set_forkserver_preload(
    [
        "semantic_id_ranking.cli.main",
        "semantic_id_ranking.pipeline.dag",
        "semantic_id_ranking.pipeline.days.day_dag",
        "semantic_id_ranking.pipeline.days.refresh_dag",
        "semantic_id_ranking.trainer.ranker.carry_fn",
        "semantic_id_ranking.trainer.ranker.run_fn",
        "semantic_id_ranking.trainer.rqvae.run_fn",
    ]
)


def run_sid(arguments: Sequence[str], log: str, seconds: float | None) -> int | None:
    """Runs a command.

    Args:
        arguments: Those of `sid`.
        log: File that gets what the command prints.
        seconds: After them the command is killed, with all processes that it has begun; None: it
            runs to its end.

    Returns:
        The exit status; None where it was killed.
    """
    process = _FORKS.Process(target=_sid, args=(list(arguments), log))
    process.start()
    process.join(seconds)
    if process.is_alive():
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        return None
    return process.exitcode


def _sid(arguments: list[str], log: str) -> None:
    os.setsid()
    with open(log, "a", encoding="utf-8") as file:
        print(f"--- {arguments}", file=file, flush=True)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from semantic_id_ranking.cli.main import main

    sys.argv = ["sid", *arguments]
    sys.exit(main())
