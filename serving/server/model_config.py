"""Models of a server: the text proto `models.config` and its rules."""

import os
from collections.abc import Mapping
from typing import TypeAlias

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from semantic_id_ranking.serving.server.status import invalid_argument
from semantic_id_ranking.serving.server.version_policy import ServableVersionPolicy

ModelConfig: TypeAlias = model_server_config_pb2.ModelConfig
ModelServerConfig: TypeAlias = model_server_config_pb2.ModelServerConfig

PLATFORM = "tensorflow"


def config_of(
    base_paths: Mapping[str, str | os.PathLike],
    policy: ServableVersionPolicy | Mapping[str, ServableVersionPolicy] | None = None,
) -> ModelServerConfig:
    """Makes the configuration of some models.

    Args:
        base_paths: Base path of each model by its name.
        policy: Which versions to serve, for every model or by its name; by default the latest one.
    """
    config = ModelServerConfig()
    # An empty list is a configuration too.
    config.model_config_list.SetInParent()
    for name, path in base_paths.items():
        config.model_config_list.config.add(
            name=name,
            base_path=os.path.abspath(path),
            model_platform=PLATFORM,
            model_version_policy=policy.get(name) if isinstance(policy, Mapping) else policy,
        )
    return config


def read_model_config(path: str | os.PathLike) -> ModelServerConfig:
    """Reads a `models.config`.

    Args:
        path: Text proto `tensorflow.serving.ModelServerConfig`.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no such text proto, or lists no models.
    """
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        config = text_format.Parse(text, ModelServerConfig())
    except text_format.ParseError as error:
        raise ValueError(
            f"{os.fspath(path)}: Error parsing text-format tensorflow.serving.ModelServerConfig: "
            f"{error}"
        ) from error
    if config.WhichOneof("config") != "model_config_list":
        raise ValueError(f"{os.fspath(path)}: needs a model_config_list, which it does not hold")
    return config


def check_models(models: Mapping[str, ModelConfig], before: Mapping[str, ModelConfig]) -> None:
    """Checks what TensorFlow Serving's `server_core.cc` checks of each model.

    Args:
        models: The models of a new configuration, by name.
        before: Those of the configuration before it.

    Raises:
        StatusError: A base path is relative, or a platform is missing, unknown or changed.
    """
    for name, model in models.items():
        if not os.path.isabs(model.base_path):
            raise invalid_argument(
                f"Expected model {name} to have an absolute path or URI; got "
                f"base_path()={model.base_path}"
            )
        platform = _platform(model)
        if name in before and platform != _platform(before[name]):
            raise invalid_argument(
                f"Illegal to change a model's platform. For model {name} platform was "
                f"{_platform(before[name])} and new platform requested is {platform}"
            )
        if platform != PLATFORM:
            raise invalid_argument(f"Model {name} requests unsupported platform {platform}")


def by_name(config: ModelServerConfig) -> dict[str, ModelConfig]:
    """The models of a configuration.

    Raises:
        StatusError: A name is listed twice.
    """
    models: dict[str, ModelConfig] = {}
    for model in config.model_config_list.config:
        if model.name in models:
            raise invalid_argument(
                f"Illegal to list model {model.name} multiple times in config list"
            )
        models[model.name] = model
    return models


def _platform(model: ModelConfig) -> str:
    if model.model_type and model.model_platform:
        raise invalid_argument(
            "Illegal setting both ModelServerConfig::model_type (deprecated) and "
            "ModelServerConfig::model_platform."
        )
    if model.model_type:
        return model_server_config_pb2.ModelType.Name(model.model_type).lower()
    if not model.model_platform:
        raise invalid_argument(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            "ModelServerConfig::model_platform."
        )
    return model.model_platform
