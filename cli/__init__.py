"""The command line `sid`."""

import contextlib

# CVE-2023-47248: before 14.0.1, pyarrow runs code that a Parquet file holds. Without the extra
# `pipeline` there is no pyarrow.
with contextlib.suppress(ModuleNotFoundError):
    import pyarrow_hotfix  # noqa: F401
