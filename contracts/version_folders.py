"""Names and contents of a model's version folders."""

import json
import os

from semantic_id_ranking.contracts.errors import InputError

#: File beside the base folders that names the versions of the release that is served.
RELEASE = "release.json"


def version_folders(base_path: str | os.PathLike[str]) -> dict[int, str]:
    """Lists the versions of a model: the folders whose name is a whole number.

    TensorFlow Serving passes over all other names, and so does everything here.

    Args:
        base_path: The model's base folder.

    Returns:
        Version -> its folder, oldest first.

    Raises:
        OSError: The base folder cannot be listed.

    Reference:
        tensorflow_serving/sources/storage_path/file_system_storage_path_source.cc.
    """
    with os.scandir(os.fspath(base_path)) as entries:
        found = {
            int(entry.name): entry.path
            for entry in entries
            if entry.name.isascii() and entry.name.isdecimal() and entry.is_dir()
        }
    return dict(sorted(found.items()))


def latest_saved_model(path: str) -> str:
    """The SavedModel at a path, or the version below it that is released, or else the latest one.

    After a rollback the latest version of an encoder may be of a SID space that is not served.

    Args:
        path: A SavedModel, or a model's base folder.

    Raises:
        InputError: There is none.
    """
    versions = version_folders(path) if os.path.isdir(path) else {}
    released = _released(path)
    newest = released if released in versions else max(versions, default=0)
    candidate = versions.get(newest, path)
    if not os.path.isfile(os.path.join(candidate, "saved_model.pb")):
        raise InputError(f"{path}: holds no SavedModel; name one, or its base folder")
    return candidate


def _released(base_path: str) -> int:
    """The version that `release.json` beside a base folder names; -1 where it names none."""
    folder, name = os.path.split(os.path.abspath(base_path))
    try:
        with open(os.path.join(folder, RELEASE), encoding="utf-8") as file:
            found = json.load(file)["versions"][name]
    except (OSError, ValueError, LookupError, TypeError):
        return -1
    return found if isinstance(found, int) else -1
