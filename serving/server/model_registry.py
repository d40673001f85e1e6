"""The models of a server, by name."""

import threading
from collections.abc import Iterator
from collections.abc import Mapping
from typing import TypeAlias

from tensorflow_serving.apis import classification_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import regression_pb2

from semantic_id_ranking.serving.server.model_config import by_name
from semantic_id_ranking.serving.server.model_config import check_models
from semantic_id_ranking.serving.server.model_config import ModelConfig
from semantic_id_ranking.serving.server.model_config import ModelServerConfig
from semantic_id_ranking.serving.server.servable import Servable
from semantic_id_ranking.serving.server.served_model import ServedModel
from semantic_id_ranking.serving.server.status import invalid_argument
from semantic_id_ranking.serving.server.status import not_found
from semantic_id_ranking.serving.server.status import unknown
from semantic_id_ranking.serving.server.version_labels import assign_labels
from semantic_id_ranking.serving.server.version_labels import Labels

ModelRequest: TypeAlias = (
    predict_pb2.PredictRequest
    | classification_pb2.ClassificationRequest
    | regression_pb2.RegressionRequest
    | get_model_metadata_pb2.GetModelMetadataRequest
    | get_model_status_pb2.GetModelStatusRequest
)
"""A request for one version of one model."""


class ModelRegistry:
    """Serves what a configuration lists, and finds what a ModelSpec names.

    Readers take no lock: they see the models and labels before a reload or those after it.

    Args:
        allow_unavailable_labels: Whether a new label may name a version that is not served yet.
        strict_shapes: Whether signatures refuse shapes other than they declare.
    """

    def __init__(self, allow_unavailable_labels: bool = False, strict_shapes: bool = False):
        self._strict_shapes = strict_shapes
        self._allow_unavailable_labels = allow_unavailable_labels
        self._configs: Mapping[str, ModelConfig] = {}
        # A model that a reload left out stays here for its status.
        self._models: Mapping[str, ServedModel] = {}
        self._labels: Labels = {}
        self._reload_lock = threading.Lock()

    def __contains__(self, name: object) -> bool:
        return name in self._configs

    def __iter__(self) -> Iterator[ServedModel]:
        """The models of the configuration."""
        models, configs = self._models, self._configs
        return iter([model for name, model in models.items() if name in configs])

    def configure(self, config: ModelServerConfig) -> set[str]:
        """Makes a configuration the complete set: models left out are unloaded.

        Returns when every version that can be loaded is. A configuration that is refused changes
        nothing.

        Args:
            config: A list of models.

        Returns:
            Names of the models that are new.

        Raises:
            StatusError: The configuration is refused.
        """
        with self._reload_lock:
            configs, before = by_name(config), self._configs
            check_models(configs, before)
            self._labels = assign_labels(
                configs, self._labels, self._is_available, self._allow_unavailable_labels
            )
            models = dict(self._models)
            for name in configs.keys() - models.keys():
                models[name] = ServedModel(name, self._strict_shapes)
            self._models, self._configs = models, configs
            # What is new comes before what is left out goes.
            for name in sorted(models, key=lambda name: name not in configs):
                models[name].configure(configs.get(name))
            return configs.keys() - before.keys()

    def reload(self, config: ModelServerConfig) -> None:
        """Changes the configuration of a server that runs.

        Args:
            config: A list of models.

        Raises:
            StatusError: The configuration is refused, or a new model has no version that loads; it
                stays configured then, and is served as soon as it has one.
        """
        unavailable = [
            model
            for name in sorted(self.configure(config))
            if (model := self._models[name]).servable() is None
        ]
        if unavailable:
            reasons = ", ".join(f"{{{_reason(model)}}}" for model in unavailable)
            raise unknown(f"{len(unavailable)} model(s) did not become available: {{{reasons}}}")

    def refresh(self) -> None:
        """Serves what has come on disk, and lets go of what has gone."""
        # A client that finds a new ranker has to find that its encoder is coming.
        for model, paths in [(model, model.look()) for model in self]:
            model.refresh(paths)

    def statuses(self, name: str) -> list[get_model_status_pb2.ModelVersionStatus]:
        """The state of every version that a model was ever to serve, newest first."""
        model = self._models.get(name)
        return model.statuses() if model else []

    def requested(self, request: ModelRequest) -> Servable:
        """Finds the loaded version that a request asks for in its `model_spec`.

        Raises:
            StatusError: It has none, or what it asks for is not there.
        """
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        return self.servable(request.model_spec)

    def servable(self, spec: model_pb2.ModelSpec) -> Servable:
        """Finds the loaded version that a request asks for.

        Args:
            spec: Name of the model and a version or its label; none means the newest.

        Raises:
            StatusError: The name is empty, or there is no such model, version or label.
        """
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        choice = spec.WhichOneof("version_choice")
        version = spec.version.value if choice == "version" else None
        if choice == "version_label":
            version = self._labels.get(spec.name, {}).get(spec.version_label)
            if version is None:
                raise invalid_argument(f"Unrecognized servable version label: {spec.version_label}")
        model = self._models.get(spec.name)
        servable = model.servable(version) if model else None
        if servable is None:
            asked = (
                f"Latest({spec.name})" if version is None else f"Specific({spec.name}, {version})"
            )
            raise not_found(f"Servable not found for request: {asked}")
        return servable

    def _is_available(self, name: str, version: int) -> bool:
        return name in self._models and self._models[name].servable(version) is not None


def _reason(model: ServedModel) -> str:
    failures = [
        f"{{name: {model.name} version: {status.version}}} due to error: "
        f"{status.status.error_message}"
        for status in model.statuses()
        if status.status.error_code
    ]
    return ", ".join(failures) or f"{{name: {model.name}}} has no version under {model.base_path}"
