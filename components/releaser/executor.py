"""Executor of Releaser."""

import os
from typing import Any

from tfx import types
from tfx.components.util import model_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import json_utils
from tfx.utils import path_utils

from semantic_id_ranking.components.releaser.object_store import release_into_object_store
from semantic_id_ranking.components.releaser.release import ENCODER
from semantic_id_ranking.components.releaser.release import RANKER
from semantic_id_ranking.components.releaser.release import relative_to
from semantic_id_ranking.components.releaser.release import Release
from semantic_id_ranking.components.releaser.release_models import earlier_release
from semantic_id_ranking.components.releaser.release_models import Outcome
from semantic_id_ranking.components.releaser.release_models import release_models
from semantic_id_ranking.components.releaser.release_models import renew_store
from semantic_id_ranking.contracts.json_file import write_json
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.contracts.version_folders import RELEASE


class Executor(base_executor.BaseExecutor):
    """Releases what is blessed, and says in `release` what that was."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        Args:
            input_dict: `ranker`, `semantic_id`, `semantic_ids`, `state`, `model_blessing`.
            output_dict: `release`.
            exec_properties: `serving`, `config`, as JSON, and `renews_store`.

        Raises:
            InputError: A model is damaged or does not answer, what is released is of two SID
                spaces, or the store does not answer; what was served stays served.
        """
        blessing = artifact_utils.get_single_instance(input_dict["model_blessing"])
        blessed = model_utils.is_model_blessed(blessing)
        if not blessed and not exec_properties["renews_store"]:
            return
        serving = exec_properties["serving"]
        output = os.path.dirname(serving)

        def uri(key: str) -> str:
            return artifact_utils.get_single_uri(input_dict[key])

        models = {name: path_utils.serving_model_path(uri(name)) for name in (ENCODER, RANKER)}
        release = Release(
            fingerprint=SidSpace.load(os.path.join(models[ENCODER], "assets.extra")).fingerprint,
            models={name: relative_to(output, path) for name, path in models.items()},
            semantic_ids=relative_to(output, uri("semantic_ids")),
            state=relative_to(output, uri("state")),
            config=json_utils.loads(exec_properties["config"]),
        )
        if not blessed:
            renew_store(serving, release)
            return
        outcome = _release(serving, release)
        artifact = artifact_utils.get_single_instance(output_dict["release"])
        os.makedirs(artifact.uri, exist_ok=True)
        described = release.with_versions(dict(sorted(outcome.versions.items())))
        write_json(os.path.join(artifact.uri, RELEASE), described.to_json())
        artifact.set_int_custom_property("pushed", len(outcome.pushed))


def _release(serving: str, release: Release) -> Outcome:
    if "://" in serving:
        return release_into_object_store(serving, release)
    # What was rolled back, or followed by another release, comes again by `sid push` alone.
    earlier = earlier_release(serving, release)
    if earlier is not None:
        return Outcome(earlier, frozenset())
    return release_models(serving, release)
