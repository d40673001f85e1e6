"""Names for versions, such as `stable` and `canary`."""

from collections.abc import Callable
from collections.abc import Mapping

from semantic_id_ranking.serving.server.model_config import ModelConfig
from semantic_id_ranking.serving.server.status import failed_precondition

Labels = Mapping[str, Mapping[str, int]]
"""Version by label, by name of the model."""


def assign_labels(
    models: Mapping[str, ModelConfig],
    before: Labels,
    is_available: Callable[[str, int], bool],
    allow_unavailable: bool,
) -> Labels:
    """Binds the labels of a configuration to versions.

    Args:
        models: The models of the configuration, by name.
        before: The labels so far.
        is_available: Tells of a model and a version whether it is served now, before the
            configuration takes effect.
        allow_unavailable: Lets a new label name a version that is not served yet, as TensorFlow
            Serving's `--allow_version_labels_for_unavailable_models`; a label that exists moves to
            a served version only.

    Raises:
        StatusError: A label names a version that it may not.
    """
    for name, model in models.items():
        for label, version in model.version_labels.items():
            stays = before.get(name, {}).get(label, version) == version
            if not is_available(name, version) and not (allow_unavailable and stays):
                raise failed_precondition(
                    f"Request to assign label to version {version} of model {name}, which is not "
                    "currently available for inference"
                )
    return {name: dict(model.version_labels) for name, model in models.items()}
