"""ModelPusher: what goes in and what comes out."""

from tfx import types
from tfx import v1 as tfx
from tfx.dsl.components.base import executor_spec

from semantic_id_ranking.components.model_pusher import executor


class ModelPusher(tfx.components.Pusher):
    """Makes a blessed model a new version in a base folder, where it appears whole.

    Args:
        model: The SavedModel.
        model_blessing: What Evaluator says of it.
        base_directory: Folder of the versions, which a model server watches.
        keep_versions: Versions kept there, the new one among them.
    """

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        base_directory: str,
        keep_versions: int,
    ):
        super().__init__(
            model=model,
            model_blessing=model_blessing,
            push_destination=tfx.proto.PushDestination(
                filesystem=tfx.proto.PushDestination.Filesystem(base_directory=base_directory)
            ),
            custom_config={"keep_versions": keep_versions},
        )
