"""YAML as a configuration needs it: plain values, and each key once."""

from collections.abc import Hashable
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, without what it drops in silence and what makes it fail."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuses a key that comes twice: PyYAML keeps the last one."""
        seen = set()
        for key_node, _ in node.value:
            # `<<` merges another mapping, whose keys may come again.
            if key_node.tag == f"{_TAG}merge" or not isinstance(key_node, yaml.ScalarNode):
                continue
            key = self.construct_object(key_node)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} appears twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_value_or_text(self, node: yaml.ScalarNode) -> Any:
        """A date that no calendar has, 2024-02-30, stays text: its field then refuses it."""
        try:
            return yaml.SafeLoader.yaml_constructors[node.tag](self, node)
        except (ValueError, AttributeError):
            return node.value


for _kind in ("timestamp", "int", "float"):
    _Loader.add_constructor(f"{_TAG}{_kind}", _Loader.construct_value_or_text)


def parse_yaml(text: str) -> Any:
    """Parses a text.

    Args:
        text: YAML of one document.

    Returns:
        Its value.

    Raises:
        ValueError: The text is no YAML, or a key appears twice; the message is in one line.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ValueError(f"{error.problem}{place}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())) from None
