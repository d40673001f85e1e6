"""A `models.config` that the running server follows."""

import logging
import os
from collections.abc import Callable

from semantic_id_ranking.serving.server.model_config import ModelServerConfig
from semantic_id_ranking.serving.server.model_config import read_model_config
from semantic_id_ranking.serving.server.status import StatusError

_log = logging.getLogger(__name__)


class ModelConfigFile:
    """Takes up a changed file, as TensorFlow Serving's `--model_config_file_poll_wait_seconds`.

    Args:
        path: Text proto ModelServerConfig.
        config: What it held when the server started.
    """

    def __init__(self, path: str | os.PathLike, config: ModelServerConfig):
        self._path = path
        self._config = config

    def follow(self, reload: Callable[[ModelServerConfig], None]) -> None:
        """Reloads if the file has changed; one that is refused is logged and tried again.

        Args:
            reload: Takes the new configuration; raises StatusError where it refuses it.
        """
        try:
            config = read_model_config(self._path)
            if config != self._config:
                reload(config)
                self._config = config
        except (OSError, ValueError, StatusError) as error:
            _log.error("%s: the configuration stays as it is, %s", self._path, error)
