"""The work of ModelPusher."""

import os
from typing import Any

from tfx import types
from tfx.components.pusher import executor as pusher_executor
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as specs
from tfx.utils import json_utils
from tfx.utils import proto_utils

from semantic_id_ranking.components.model_pusher.version_folder import VersionFolder


class Executor(pusher_executor.Executor):
    """TFX's Pusher, whose versions appear whole and are kept by count.

    TFX copies into a folder beside the versions, which is then renamed. An object store
    (`gs://…`) has no such rename: there TFX's own order stays, which copies `saved_model.pb` last,
    and older versions are left to the store's own rules.
    """

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes the model, if it is blessed.

        Args:
            input_dict: `model` and, if it is to be looked at, `model_blessing`.
            output_dict: `pushed_model`: a copy of the model, and properties that say where it was
                pushed to.
            exec_properties: `push_destination`, and `keep_versions` within `custom_config`.
        """
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(exec_properties[specs.PUSH_DESTINATION_KEY], destination)
        base = destination.filesystem.base_directory
        if "://" in base or not self.CheckBlessing(input_dict):
            super().Do(input_dict, output_dict, exec_properties)
            return
        folder = VersionFolder(base)
        with folder.staging() as staging:
            destination.filesystem.base_directory = staging
            staged = {specs.PUSH_DESTINATION_KEY: proto_utils.proto_to_json(destination)}
            super().Do(input_dict, output_dict, exec_properties | staged)
            (version,) = os.listdir(staging)
            pushed = folder.add(os.path.join(staging, version), int(version))
        self._MarkPushed(
            artifact_utils.get_single_instance(output_dict[specs.PUSHED_MODEL_KEY]),
            pushed_destination=folder.version_path(pushed),
            pushed_version=str(pushed),
        )
        custom = json_utils.loads(exec_properties[specs.CUSTOM_CONFIG_KEY])
        folder.keep(custom["keep_versions"], pushed)
