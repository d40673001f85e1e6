"""Digests of a SavedModel's files, by which a changed byte is found."""

import hashlib
import os

from semantic_id_ranking.contracts.errors import DamagedModelError

#: Of the form that `sha256sum --check` reads, from within the folder of the model.
DIGESTS_FILE = os.path.join("assets.extra", "SHA256SUMS")
_BLOCK = 1 << 20


def write_file_digests(directory: str) -> None:
    """Writes `assets.extra/SHA256SUMS`: the last thing that an export does.

    Args:
        directory: The SavedModel.
    """
    os.makedirs(os.path.join(directory, os.path.dirname(DIGESTS_FILE)), exist_ok=True)
    with open(os.path.join(directory, DIGESTS_FILE), "wb") as file:
        file.write(_digests(directory))


def read_file_digests(directory: str) -> bytes | None:
    """The digests that an export wrote, which identify a model; None where it wrote none."""
    try:
        with open(os.path.join(directory, DIGESTS_FILE), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def check_file_digests(directory: str) -> None:
    """Compares every file with what was exported.

    Args:
        directory: The SavedModel.

    Raises:
        DamagedModelError: A file is changed, missing or new, or the model has no digests.
    """
    written = read_file_digests(directory)
    if written is None:
        raise DamagedModelError(
            f"{directory}: has no {DIGESTS_FILE}, which every exported model has; export it again"
        )
    found = _digests(directory)
    if found == written:
        return
    # A line is the digest of 64 digits, two blanks and the name.
    lines = set(written.splitlines()) ^ set(found.splitlines())
    name = min((line[66:].decode(errors="replace") for line in lines), default=DIGESTS_FILE)
    raise DamagedModelError(
        f"{directory}: {name} is not as it was exported (see {DIGESTS_FILE}); the model is damaged"
    )


def _digests(directory: str) -> bytes:
    lines = []
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, directory)
            if relative != DIGESTS_FILE:
                lines.append((relative, _sha256(path)))
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(lines)).encode()


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
