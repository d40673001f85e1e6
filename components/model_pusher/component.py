"""Component ModelPusher: inputs, outputs and parameters."""

from tfx import types
from tfx import v1 as tfx
from tfx.dsl.components.base import base_component
from tfx.dsl.components.base import executor_spec
from tfx.types import component_spec
from tfx.types import standard_artifacts
from tfx.types import standard_component_specs
from tfx.utils import json_utils

from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.model_pusher import executor


class ModelPusherSpec(standard_component_specs.PusherSpec):
    """Interface of ModelPusher: TFX's Pusher's, and the model that is released with this one."""

    INPUTS = {
        **standard_component_specs.PusherSpec.INPUTS,
        executor.COMPANION: component_spec.ChannelParameter(type=standard_artifacts.Model),
    }


class ModelPusher(base_component.BaseComponent):
    """Makes a blessed model a new version in a base folder, where it appears whole.

    Before anything is pushed, this model and its companion are loaded and called. What is a version
    there already, or was one and is rolled back, is not pushed again.

    Args:
        model: The SavedModel.
        companion: The SavedModel that another ModelPusher releases beside it, of the same SID
            space.
        model_blessing: What RankingEvaluator says of them.
        base_directory: Folder of the versions, which a model server watches.
        keep_versions: Versions kept there, the new one among them.
    """

    SPEC_CLASS = ModelPusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        companion: types.BaseChannel,
        model_blessing: types.BaseChannel,
        base_directory: str,
        keep_versions: int,
    ):
        super().__init__(
            ModelPusherSpec(
                model=model,
                companion=companion,
                model_blessing=model_blessing,
                push_destination=tfx.proto.PushDestination(
                    filesystem=tfx.proto.PushDestination.Filesystem(base_directory=base_directory)
                ),
                custom_config=json_utils.dumps(
                    {
                        "keep_versions": keep_versions,
                        "code_version": code_version(executor.Executor),
                    }
                ),
                pushed_model=types.Channel(type=standard_artifacts.PushedModel),
            )
        )
