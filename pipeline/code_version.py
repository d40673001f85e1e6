"""A version of the code that TFX's cache can see.

TFX compares the inputs and parameters of a component with those of earlier runs, not its code: an
edited executor would be answered from the cache. So a digest of the code that does the work is one
of the parameters.
"""

import hashlib
import importlib.util
from pathlib import Path


def code_version(*names: str) -> str:
    """Digest of the source of modules and packages.

    Args:
        *names: Dotted names; a package counts with all that is below it.

    Returns:
        12 hexadecimal digits.

    Raises:
        ModuleNotFoundError: There is no such module.
    """
    digest = hashlib.sha256()
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"no module {name}")
        origin = Path(spec.origin)
        root = origin.parent
        files = sorted(root.rglob("*.py")) if origin.name == "__init__.py" else [origin]
        for file in files:
            digest.update(file.relative_to(root).as_posix().encode() + b"\0")
            digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
