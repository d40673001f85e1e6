"""The TFX pipeline of a list of components."""

from collections.abc import Sequence
from typing import Any

from tfx import v1 as tfx

from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.destinations import PIPELINE_NAME

#: TFX packs itself for remote workers anew for each component and leaves 42 MB behind, unless the
#: arguments name an image or a package.
NO_IMAGE = "--sdk_container_image=none"

#: Runs on this machine, in this process. Beam's default runner would first try to download another.
LOCAL_BEAM_ARGUMENTS = ("--runner=FnApiRunner", "--direct_running_mode=in_memory", NO_IMAGE)

_OF_REMOTE_WORKERS = (
    "--extra_package",
    "--setup_file",
    "--requirements_file",
    "--worker_harness_container_image",
    "--sdk_container_image",
)


def assemble(
    components: Sequence[Any], config: Config, destinations: Destinations
) -> tfx.dsl.Pipeline:
    """Builds a pipeline with the cache, metadata and Beam arguments that all pipelines here have.

    Args:
        components: TFX components, in any order.
        config: Configuration; its `beam.arguments` are given to every component.
        destinations: Folders to write to.

    Returns:
        The pipeline, for any TFX runner.
    """
    return tfx.dsl.Pipeline(
        pipeline_name=PIPELINE_NAME,
        pipeline_root=destinations.root,
        components=list(components),
        enable_cache=True,
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            destinations.metadata
        ),
        beam_pipeline_args=beam_arguments(config.beam.arguments),
    )


def beam_arguments(given: Sequence[str]) -> list[str]:
    """Completes the configured arguments of Beam.

    Args:
        given: Arguments of the configuration; empty for one process on this machine.

    Returns:
        The arguments. FnApiRunner, whose workers are of this machine, gets no package of TFX.

    Example:
        >>> beam_arguments(["--runner=FnApiRunner"])
        ['--runner=FnApiRunner', '--sdk_container_image=none']
        >>> beam_arguments(["--runner=FlinkRunner"])
        ['--runner=FlinkRunner']
    """
    if not given:
        return list(LOCAL_BEAM_ARGUMENTS)
    local = "--runner=FnApiRunner" in given
    packed = any(argument.startswith(_OF_REMOTE_WORKERS) for argument in given)
    return [*given, NO_IMAGE] if local and not packed else list(given)
