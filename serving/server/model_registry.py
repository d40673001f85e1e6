"""The models of a server, by name."""

from collections.abc import Iterator
from collections.abc import Mapping

from tensorflow_serving.apis import model_pb2

from serving.server.servable import Servable
from serving.server.served_model import ServedModel
from serving.server.status import invalid_argument
from serving.server.status import not_found


class ModelRegistry:
    """Finds what a ModelSpec names.

    Args:
        models: The models, by name.
    """

    def __init__(self, models: Mapping[str, ServedModel]):
        self._models = dict(models)

    def __iter__(self) -> Iterator[ServedModel]:
        return iter(self._models.values())

    def model(self, name: str) -> ServedModel | None:
        """Looks a model up by its name."""
        return self._models.get(name)

    def servable(self, spec: model_pb2.ModelSpec) -> Servable:
        """Finds the loaded version that a request asks for.

        Args:
            spec: Name of the model and a version; none means the newest.

        Raises:
            StatusError: The name is empty, or there is no such model, version or label.
        """
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        choice = spec.WhichOneof("version_choice")
        if choice == "version_label":
            raise invalid_argument(f"Unrecognized servable version label: {spec.version_label}")
        version = spec.version.value if choice == "version" else None
        model = self._models.get(spec.name)
        servable = model.servable(version) if model else None
        if servable is None:
            asked = (
                f"Latest({spec.name})" if version is None else f"Specific({spec.name}, {version})"
            )
            raise not_found(f"Servable not found for request: {asked}")
        return servable
