"""Base class of what a run writes as a JSON file."""

from typing import Any
from typing import TypeVar

import pydantic
from pydantic import ConfigDict

from semantic_id_ranking.contracts.errors import InputError

Model = TypeVar("Model", bound="JsonModel")


class JsonModel(pydantic.BaseModel):
    """The content of a JSON file, with a type for each of its keys.

    A key that is left out stays so: it is not in the JSON. A key that is not known, such as a later
    version's, is kept.

    >>> class Point(JsonModel):
    ...     x: int
    ...     y: int = 0
    >>> Point(x=1).to_json(), Point(x=1).y
    ({'x': 1}, 0)
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")

    @classmethod
    def read(cls: type[Model], path: str) -> Model:
        """Reads a file.

        Args:
            path: A JSON file.

        Raises:
            FileNotFoundError: There is none.
            InputError: It is no JSON, or a key is missing or of another type.
        """
        with open(path, "rb") as file:
            content = file.read()
        try:
            return cls.model_validate_json(content)
        except pydantic.ValidationError as error:
            raise InputError(f"{path}: is damaged ({_detail(error)})") from None

    def to_json(self) -> dict[str, Any]:
        """The content of the file, of JSON's types."""
        return self.model_dump(exclude_unset=True)


def _detail(error: pydantic.ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    message = first["msg"][0].lower() + first["msg"][1:]
    if first["type"] == "json_invalid":
        return message
    field = ".".join(map(str, first["loc"])) or "the content"
    if first["type"] == "missing":
        return f"{field}: is missing"
    return f"{field}: {first['input']!r} is not allowed; {message}"
