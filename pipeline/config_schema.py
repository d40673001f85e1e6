"""JSON Schema of the configuration."""

import dataclasses
import inspect
import re
import typing
from typing import Any

import pydantic

from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.trainer.ranker.representations import DEFAULT
from semantic_id_ranking.trainer.ranker.representations import REGISTRY


def config_schema() -> dict[str, Any]:
    """The schema, with the docstrings' words for every field.

    Returns:
        JSON Schema, draft 2020-12, of a configuration file.
    """
    schema = pydantic.TypeAdapter(Config).json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    for kind in configuration_dataclasses():
        part = schema if kind is Config else schema["$defs"][kind.__name__]
        part["description"] = (inspect.getdoc(kind) or "").partition("\n")[0]
        # In the order of the fields; pydantic puts those with bounds first.
        part["properties"] = {
            name: {**part["properties"][name], "description": description}
            for name, description in field_descriptions(kind).items()
        }
    for kind in REGISTRY.values():
        # Only the default is known by its absence: a file fits one representation alone.
        if kind is not type(DEFAULT):
            schema["$defs"][kind.__name__]["required"] = ["name"]
    return schema


def field_descriptions(kind: type) -> dict[str, str]:
    """Descriptions of fields, from the `Attributes:` of a dataclass and of those that it extends.

    A None of Python's is YAML's null.

    Args:
        kind: The dataclass, whose docstrings are in Google's style.

    Returns:
        Field name to description, in one line.
    """
    found = {}
    for documented in reversed(kind.__mro__):
        _, _, section = (inspect.cleandoc(documented.__doc__ or "")).partition("\nAttributes:\n")
        # A description goes on in lines that are indented further.
        for name, text in re.findall(r"^    (\w+): (.*(?:\n {5,}.*)*)", section, re.MULTILINE):
            found[name] = re.sub(r"\bNone\b", "null", " ".join(text.split()))
    return {field.name: found[field.name] for field in dataclasses.fields(kind)}


def configuration_dataclasses(kind: Any = Config) -> list[type]:
    """A dataclass and all that its fields hold, each before those inside it.

    Args:
        kind: A dataclass, or the type of a field.
    """
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return [
            found for part in typing.get_args(kind) for found in configuration_dataclasses(part)
        ]
    hints = typing.get_type_hints(kind)
    inside = [
        found
        for field in dataclasses.fields(kind)
        for found in configuration_dataclasses(hints[field.name])
    ]
    return [kind, *inside]
