"""Names and contents of a model's version folders."""

import os

from semantic_id_ranking.contracts.errors import InputError


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
    """The SavedModel at a path, or the latest version below it.

    Args:
        path: A SavedModel, or a model's base folder.

    Raises:
        InputError: There is none.
    """
    versions = version_folders(path) if os.path.isdir(path) else {}
    candidate = versions[max(versions)] if versions else path
    if not os.path.isfile(os.path.join(candidate, "saved_model.pb")):
        raise InputError(f"{path}: holds no SavedModel; name one, or its base folder")
    return candidate
