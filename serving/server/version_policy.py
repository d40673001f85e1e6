"""Which of the versions on disk are to be served."""

import os
from collections.abc import Iterable

from tensorflow_serving.config import file_system_storage_path_source_pb2

ServableVersionPolicy = (
    file_system_storage_path_source_pb2.FileSystemStoragePathSourceConfig.ServableVersionPolicy
)


def versions_on_disk(base_path: str) -> dict[int, str]:
    """Finds the versions under a base path.

    Args:
        base_path: Directory of version directories, whose names are whole numbers. Other names are
            passed over.

    Returns:
        The directory of each version.

    Raises:
        OSError: The base path cannot be listed.
    """
    with os.scandir(base_path) as entries:
        return {
            int(entry.name): entry.path
            for entry in entries
            if entry.name.isascii() and entry.name.isdecimal() and entry.is_dir()
        }


def aspired_versions(found: Iterable[int], policy: ServableVersionPolicy) -> list[int]:
    """Applies TensorFlow Serving's version policy.

    Args:
        found: Versions on disk.
        policy: `latest` (the default; num_versions 0 counts as 1), `all`, or `specific`.

    Returns:
        Versions to serve, newest first.
    """
    newest_first = sorted(found, reverse=True)
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return newest_first
    if choice == "specific":
        return [version for version in newest_first if version in policy.specific.versions]
    return newest_first[: max(policy.latest.num_versions, 1)]
