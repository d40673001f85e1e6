"""A folder of its own for the temporary files of a run."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def temporary_files_in(folder: str) -> Iterator[None]:
    """Makes this process and its children use a folder for temporary files.

    Beam and the trainers would leave theirs in the machine's `/tmp` when they are killed. The
    folder is emptied when the block begins, so that what killed runs left never adds up, and is
    removed when it ends.

    Args:
        folder: The folder; nobody else uses it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    before = os.environ.get("TMPDIR"), tempfile.tempdir
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    try:
        yield
    finally:
        variable, tempfile.tempdir = before
        if variable is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = variable
        shutil.rmtree(folder, ignore_errors=True)
