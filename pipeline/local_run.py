"""A run of a pipeline on this machine, into folders that hold nothing of killed runs."""

import datetime
from typing import Any

from tfx import v1 as tfx
from tfx.proto.orchestration import pipeline_pb2

from semantic_id_ranking._compat import set_run_id
from semantic_id_ranking.pipeline.artifact_folder import remove_leftovers
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.folder_modes import write_bits_as_umask
from semantic_id_ranking.pipeline.run_records import open_metadata
from semantic_id_ranking.pipeline.run_records import RunRecords
from semantic_id_ranking.pipeline.temporary_files import temporary_files_in


def run_locally(pipeline: tfx.dsl.Pipeline, destinations: Destinations) -> RunRecords:
    """Runs a pipeline in this process.

    Args:
        pipeline: Writes into `destinations`.
        destinations: Where; nobody else writes there meanwhile.

    Returns:
        What was recorded of this very run.

    Raises:
        InputError: The metadata is older than an artifact that is served.
    """
    # SQLite would make it without the group's right to write, whatever the umask.
    with open(destinations.metadata, "ab"):
        pass
    remove_leftovers(destinations, open_metadata(destinations.metadata))
    run_id = datetime.datetime.now().isoformat()
    try:
        with temporary_files_in(destinations.temporary):
            _Runner(run_id).run(pipeline)
    finally:
        for folder in (destinations.root, destinations.serving):
            write_bits_as_umask(folder)
    return RunRecords(destinations.metadata, run_id)


class _Runner(tfx.orchestration.LocalDagRunner):
    """TFX's runner, with a run id that the caller knows."""

    def __init__(self, run_id: str):
        super().__init__()
        self._run_id = run_id

    def run_with_ir(self, pipeline: pipeline_pb2.Pipeline, *args: Any, **kwargs: Any) -> None:
        """Runs; TFX finds no run id left to choose."""
        set_run_id(pipeline, self._run_id)
        super().run_with_ir(pipeline, *args, **kwargs)
