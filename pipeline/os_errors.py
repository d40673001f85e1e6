"""Errors of the operating system, as sentences."""

import errno
import os
from collections.abc import Iterator

# TensorFlow, Beam, Arrow and SQLite raise errors of their own, of which only the text says this.
_FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT), "database or disk is full")
# As TensorFlow says it: `path; Permission denied`.
_FORBIDDEN = (os.strerror(errno.EACCES), os.strerror(errno.EROFS))


def os_sentence(error: BaseException) -> str | None:
    """Describes an error of the operating system in a sentence.

    Args:
        error: What was raised.

    Returns:
        A sentence that names the file; None where the operating system is not to blame, so that
        the error is one of the program.
    """
    if is_disk_full(error):
        path = getattr(error, "filename", None)
        return (f"{path}: " if path else "") + "the disk is full; free some space and run it again"
    # What was raised while another error was handled is an error of the program.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.filename is not None and cause.strerror:
            return f"{os.fsdecode(cause.filename)}: {cause.strerror}"
        path, separator, reason = str(cause).rpartition("; ")
        if separator and reason in _FORBIDDEN:
            return f"{path}: {reason}"
        cause = cause.__cause__
    return None


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or one that it came from, says that a disk or a quota is full."""
    return any(
        getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        or any(text in str(cause) for text in _FULL)
        for cause in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
