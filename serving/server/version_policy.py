"""Choice of the versions on disk that are served."""

from collections.abc import Iterable
from typing import TypeAlias

from tensorflow_serving.config import file_system_storage_path_source_pb2

ServableVersionPolicy: TypeAlias = (
    file_system_storage_path_source_pb2.FileSystemStoragePathSourceConfig.ServableVersionPolicy
)


def latest_versions(count: int) -> ServableVersionPolicy:
    """The policy to serve the newest versions.

    Args:
        count: How many.
    """
    policy = ServableVersionPolicy()
    policy.latest.num_versions = count
    return policy


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
