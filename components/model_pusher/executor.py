"""Executor of ModelPusher."""

import os
from typing import Any

from tfx import types
from tfx.components.pusher import executor as pusher_executor
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as specs
from tfx.utils import io_utils
from tfx.utils import json_utils
from tfx.utils import path_utils
from tfx.utils import proto_utils

from semantic_id_ranking.components.model_pusher.require_releasable import require_releasable
from semantic_id_ranking.components.model_pusher.version_folder import VersionFolder
from semantic_id_ranking.contracts.file_digests import check_file_digests

#: Input: the model that is released beside the one that is pushed.
COMPANION = "companion"
#: Property of `pushed_model`: 1 if the model was a version already.
PUSHED_BEFORE = "pushed_before"


class Executor(pusher_executor.Executor):
    """TFX's Pusher, whose versions are checked, appear whole and are kept by count.

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
            input_dict: `model`, `companion` and, if it is to be looked at, `model_blessing`.
            output_dict: `pushed_model`: a copy of the model, and properties that say where it was
                pushed to.
            exec_properties: `push_destination`, and `keep_versions` within `custom_config`.

        Raises:
            InputError: A model is damaged or does not answer, or the two do not belong together;
                nothing was pushed.
        """
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(exec_properties[specs.PUSH_DESTINATION_KEY], destination)
        base = destination.filesystem.base_directory
        if not self.CheckBlessing(input_dict):
            super().Do(input_dict, output_dict, exec_properties)
            return
        model = self.GetModelPath(input_dict)
        companion = artifact_utils.get_single_instance(input_dict[COMPANION])
        require_releasable(
            {"model": model, COMPANION: path_utils.serving_model_path(companion.uri)}
        )
        if "://" in base:
            super().Do(input_dict, output_dict, exec_properties)
            return
        folder = VersionFolder(base)
        pushed_model = artifact_utils.get_single_instance(output_dict[specs.PUSHED_MODEL_KEY])
        version = folder.find(model)
        if version is None:
            version = folder.find_aside(model)
        if version is not None:
            io_utils.copy_dir(model, pushed_model.uri)
            pushed_model.set_int_custom_property(PUSHED_BEFORE, 1)
        else:
            with folder.staging() as staging:
                destination.filesystem.base_directory = staging
                staged = {specs.PUSH_DESTINATION_KEY: proto_utils.proto_to_json(destination)}
                super().Do(input_dict, output_dict, exec_properties | staged)
                (name,) = os.listdir(staging)
                check_file_digests(os.path.join(staging, name))
                version = folder.add(os.path.join(staging, name), int(name))
            custom = json_utils.loads(exec_properties[specs.CUSTOM_CONFIG_KEY])
            folder.keep(custom["keep_versions"], version)
        # As TFX's own does, of the version that there is.
        pushed_model.set_int_custom_property("pushed", 1)
        pushed_model.set_string_custom_property("pushed_destination", folder.version_path(version))
        pushed_model.set_string_custom_property("pushed_version", str(version))
