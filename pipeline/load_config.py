"""Reading of the configuration: a YAML file and overrides."""

import os
import re
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import cast

import pydantic
import yaml

from semantic_id_ranking.contracts.config_sentence import config_sentence
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.output_folder import refuse_pipe


class ConfigError(InputError):
    """The configuration names an unknown field or holds a value out of range."""


def load_config(
    path: str | os.PathLike[str] | None = None,
    overrides: Sequence[str] = (),
    default: Mapping[str, Any] | None = None,
) -> Config:
    """Reads a configuration.

    Args:
        path: A YAML file; None starts from `default`.
        overrides: `key=value` with a dotted key, such as `ranker.epochs=3`; the value is YAML and
            replaces what the file says there. They are applied in their order.
        default: Fields, as a file would have them; None: every field has its default.

    Returns:
        The validated configuration.

    Raises:
        ConfigError: The file is missing or is no YAML mapping, a key is unknown or a value out of
            range.
    """
    # Takes longer to import than all else here, and not every command reads a configuration.
    from omegaconf import OmegaConf

    tree = OmegaConf.create(_read(os.fspath(path)) if path else dict(default or {}))
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator or not key:
            raise ConfigError(f"--set {override}: write it as key=value, such as ranker.epochs=3")
        try:
            OmegaConf.update(tree, key, _parse(text), merge=False, force_add=True)
        except ValueError as error:
            raise ConfigError(
                f"--set {override}: the value {text!r} is not valid YAML ({error})"
            ) from None
        except (TypeError, LookupError):
            raise ConfigError(f"--set {override}: there is no such field") from None
    try:
        return pydantic.TypeAdapter(Config).validate_python(OmegaConf.to_container(tree))
    except pydantic.ValidationError as error:
        sentence = config_sentence(error, Config)
        raise ConfigError(f"{path or 'the configuration'}: {sentence}") from None


def _read(path: str) -> dict[str, Any]:
    refuse_pipe(path)
    try:
        with open(path, encoding="utf-8") as file:
            tree = _parse(file.read())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise ConfigError(f"{path}: is not valid YAML ({error})") from None
    if not isinstance(tree, dict | None):
        raise ConfigError(f"{path}: holds a {type(tree).__name__}; a mapping of fields is needed")
    return tree or {}


def _parse(text: str) -> Any:
    """The value of a YAML text, each key once.

    Dates stay text, so that their field refuses one that no calendar has.

    Raises:
        ValueError: The text is no such YAML; the message is in one line.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        container = OmegaConf.to_container(OmegaConf.from_dotlist([f"value={text}"]))
        # Of a dot list it is a mapping, which its type does not tell.
        return cast(dict[str, Any], container)["value"]
    except yaml.MarkedYAMLError as error:
        problem = re.sub("found duplicate key (.*)", r"the key '\1' appears twice", error.problem)
        mark = error.problem_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ValueError(f"{problem}{where}") from None
    except (yaml.YAMLError, OmegaConfBaseException, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())) from None
    except (AttributeError, ValueError):
        # PyYAML's own: `!!timestamp soon`, `!!int many`.
        raise ValueError("a value is not of the type that its tag !! says") from None
