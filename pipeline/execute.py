"""A pipeline run on this machine, with its progress on a console and its errors in one sentence."""

import logging

import rich.console
from tfx import v1 as tfx

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.exit_status import received_signal
from semantic_id_ranking.pipeline.local_run import run_locally
from semantic_id_ranking.pipeline.os_errors import is_disk_full
from semantic_id_ranking.pipeline.progress import Progress
from semantic_id_ranking.pipeline.run_records import RunRecords


def execute(
    pipeline: tfx.dsl.Pipeline,
    destinations: Destinations,
    output: str,
    console: rich.console.Console,
) -> tuple[RunRecords, dict[str, float]]:
    """Runs a pipeline.

    Args:
        pipeline: Writes into `destinations`.
        destinations: Where; nobody else writes there meanwhile.
        output: The folder of them, for messages.
        console: Where progress goes.

    Returns:
        What was recorded of this run, and the wall seconds of each component.

    Raises:
        InputError: The input is not what it should be, or the disk is full.
    """
    progress = Progress(
        [component.id for component in pipeline.components],
        lambda line: console.print(line, highlight=False, markup=False),
    )
    logger = logging.getLogger("absl")
    logger.addHandler(progress)
    try:
        return run_locally(pipeline, destinations), progress.seconds
    except InputError:
        raise
    except Exception as error:
        if cause := _input_error_behind(error):
            raise cause from None
        if is_disk_full(error):
            raise InputError(
                f"{output}: the disk is full, {progress.running or 'the run'} could not go on; "
                "free some space and run it again, what is complete is kept"
            ) from error
        if not received_signal():
            console.print(f"{progress.running} failed", highlight=False)
        raise
    finally:
        logger.removeHandler(progress)


def _input_error_behind(error: BaseException) -> InputError | None:
    """The InputError that an error was raised from, if there is one."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, InputError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None
