"""Data sets of Parquet files: files, columns and their types, bad rows."""

import contextlib

# CVE-2023-47248: before 14.0.1, pyarrow runs code that a Parquet file holds. Whatever reads one,
# Beam's workers too, imports this package first. Without the extra `pipeline` there is no pyarrow.
with contextlib.suppress(ModuleNotFoundError):
    import pyarrow_hotfix  # noqa: F401
