"""The modes of folders that TensorFlow makes."""

import os

# TensorFlow makes folders with 0755, so that a umask of 002 does not let the group write.
_TENSORFLOW = 0o755
_EVERY = 0o777


def write_bits_as_umask(root: str) -> None:
    """Gives the folders that TensorFlow made the mode that the process's umask says.

    Other folders stay as they are: theirs follows the umask, or somebody chose it.

    Args:
        root: A folder, looked at with all below it; it need not exist.
    """
    umask = os.umask(0)
    os.umask(umask)
    made, wanted = _TENSORFLOW & ~umask, _EVERY & ~umask
    if made == wanted:
        return
    for folder, _, _ in os.walk(root):
        status = os.stat(folder)
        if status.st_mode & _EVERY == made and status.st_uid == os.geteuid():
            os.chmod(folder, status.st_mode | wanted)
