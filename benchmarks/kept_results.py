"""Results kept in a folder, so that interrupted work resumes."""

import os
import pickle
from typing import Any

import joblib


class KeptResults:
    """Pickled results, one file each, under a digest of all that they depend on but the code."""

    def __init__(self, directory: str, settings: Any):
        """Opens the folder, and makes it if need be.

        Args:
            directory: The folder.
            settings: What every result depends on; arrays count with their content. A result that
                was kept under other settings is not found.
        """
        os.makedirs(directory, exist_ok=True)
        self._directory = directory
        self._settings = joblib.hash(settings)

    def load(self, key: Any) -> Any | None:
        """A result, or None where there is none.

        Args:
            key: What the result depends on besides the settings.
        """
        try:
            with open(self._path(key), "rb") as file:
                return pickle.load(file)
        except FileNotFoundError:
            return None

    def save(self, key: Any, result: Any) -> None:
        """Keeps a result; its file appears whole or not at all."""
        path = self._path(key)
        with open(f"{path}.part", "wb") as file:
            pickle.dump(result, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, path)

    def _path(self, key: Any) -> str:
        return os.path.join(self._directory, f"{joblib.hash((self._settings, key))}.pickle")
