"""The reference page of the configuration."""

import json
from typing import Any

from semantic_id_ranking.pipeline.config_schema import config_schema

_HEAD = """# The configuration

Every field of the YAML file that `sid run --config FILE` reads; `--set group.field=value` overrides
one. What a file leaves out has its default. `sid config show` prints all that is in force,
`sid config schema` a JSON Schema: with `# yaml-language-server: $schema=sid.schema.json` as a
file's first line, editors complete it.

`sid config reference` prints this page from the docstrings of the configuration.
"""
_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
}


def config_reference() -> str:
    """Markdown: a table a group, of every field's type, default, bounds and description."""
    schema = config_schema()
    definitions = schema.pop("$defs")
    text = [_HEAD]
    for name, field in schema["properties"].items():
        text.append(f"\n## `{name}`\n\n{field['description']}\n")
        if not _references(field):
            default = json.dumps(field["default"])
            text.append(f"\n{_type(field)}; default `{default}`.\n")
        groups = [definitions[reference] for reference in _references(field)]
        for group in groups:
            about = group["description"]
            about = "" if about == field["description"] else f"{about}\n\n"
            title = f"### `name: {group['properties']['name']['const']}`\n\n" if groups[1:] else ""
            text.append(f"\n{title}{about}{_table(group)}")
    return "".join(text)


def _table(group: dict[str, Any]) -> str:
    lines = ["| field | type | default | bounds | |", "|---|---|---|---|---|"]
    for name, field in group["properties"].items():
        default = f"`{json.dumps(field['default'])}`" if "default" in field else "required"
        cells = [f"`{name}`", _type(field), default, _bounds(field), field["description"]]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _type(field: dict[str, Any]) -> str:
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_type(option) for option in field["anyOf"])
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    return field.get("format", field.get("type", ""))


def _bounds(field: dict[str, Any]) -> str:
    found = [word.format(field[key]) for key, word in _BOUNDS.items() if key in field]
    return ", ".join(found + [_bounds(option) for option in field.get("anyOf", [])]).strip(", ")


def _references(field: Any) -> list[str]:
    """Names of the definitions that a field refers to, in their order."""
    if isinstance(field, list):
        return [name for part in field for name in _references(part)]
    if not isinstance(field, dict):
        return []
    if "$ref" in field:
        return [field["$ref"].rpartition("/")[2]]
    keys = ("anyOf", "oneOf", "allOf", "items")
    return [name for key in keys for name in _references(field.get(key))]
