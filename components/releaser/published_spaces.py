"""The SID spaces that releases put into the store, which may hold those of others, too."""

import os
from collections.abc import Collection

from semantic_id_ranking.components.releaser.version_folder import VersionFolder
from semantic_id_ranking.contracts.json_file import write_json
from semantic_id_ranking.contracts.json_model import JsonModel

_FILE = ".published.json"


class _Published(JsonModel):
    spaces: list[str]


def published_spaces(serving: str) -> set[str]:
    """Fingerprints of the spaces that releases from a folder put into the store.

    Args:
        serving: Folder of the models' base folders.

    Raises:
        InputError: The file that names them is damaged.
    """
    try:
        return set(_Published.read(os.path.join(serving, _FILE)).spaces)
    except FileNotFoundError:
        return set()


def write_published(serving: str, spaces: Collection[str]) -> None:
    """Keeps them, in a file that appears whole."""
    os.makedirs(serving, exist_ok=True)
    write_json(os.path.join(serving, _FILE), _Published(spaces=sorted(spaces)).to_json())


def needed_spaces(serving: str) -> set[str]:
    """Fingerprints of the spaces of all versions there, those that were rolled back among them."""
    if not os.path.isdir(serving):
        return set()
    folders = [entry.path for entry in os.scandir(serving) if entry.is_dir()]
    return {space for folder in folders for space in VersionFolder(folder).spaces()}
