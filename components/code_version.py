"""A version of the code that TFX's cache can see.

TFX compares the inputs and parameters of a component with those of earlier runs, not its code: an
edited executor would be answered from the cache. So a digest of the code that does the work is one
of the parameters.
"""

import ast
import functools
import hashlib
import importlib.util
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from pathlib import Path

_OURS = __name__.partition(".")[0]


def code_version(*work: str | type | Callable) -> str:
    """Digest of the source of all first-party code that some work may run.

    >>> code_version("semantic_id_ranking.contracts.errors.InputError")  # doctest: +SKIP
    '0a37fb1c0d24'

    Args:
        *work: Executor classes and functions, or the dotted names of them or of modules.

    Returns:
        12 hexadecimal digits.

    Raises:
        ModuleNotFoundError: There is no such module.
    """
    names = [w if isinstance(w, str) else f"{w.__module__}.{w.__qualname__}" for w in work]
    digest = hashlib.sha256()
    for module, path in sorted(imported_modules(*names).items()):
        digest.update(module.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def imported_modules(*names: str) -> dict[str, Path]:
    """The first-party modules that some names are made of: theirs, and all that those import.

    First-party are this package and those that the names are in. An `import` counts wherever it
    stands, within functions too.

    Args:
        *names: Dotted names of modules, or of what is in them.

    Returns:
        Dotted name of each module -> its file.

    Raises:
        ModuleNotFoundError: There is no such module.
    """
    first_party = {_OURS, *(name.partition(".")[0] for name in names)}
    found: dict[str, Path] = {}
    waiting = []
    for name in names:
        module = _module_of(name)
        if module is None:
            raise ModuleNotFoundError(f"no module {name}")
        waiting.append(module)
    while waiting:
        module = waiting.pop()
        path = _file(module)
        if module in found or path is None:
            continue
        found[module] = path
        parent = module.rpartition(".")[0]
        # Importing a module runs the packages that it lies in.
        waiting += [parent] if parent else []
        waiting += direct_imports(module, first_party)
    return found


def direct_imports(module: str, packages: Collection[str] = (_OURS,)) -> set[str]:
    """The modules of some packages that a module names in its imports.

    Args:
        module: Dotted name.
        packages: Names of top-level packages.

    Raises:
        ModuleNotFoundError: There is no such module.
    """
    path = _file(module)
    if path is None:
        raise ModuleNotFoundError(f"no module {module}")
    names = (name for name in _imports(module, path) if name.partition(".")[0] in packages)
    return {imported for name in names if (imported := _module_of(name)) is not None}


def _module_of(name: str) -> str | None:
    """The longest beginning of a dotted name that is a module."""
    while name:
        if _file(name):
            return name
        name = name.rpartition(".")[0]
    return None


@functools.cache
def _file(module: str) -> Path | None:
    """The source of a module, found without importing it."""
    top, *below = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None:
        return None
    if not below:
        # A folder without an __init__.py has none.
        return Path(spec.origin) if spec.origin else None
    for folder in spec.submodule_search_locations or ():
        path = Path(folder).joinpath(*below)
        for candidate in (path / "__init__.py", path.with_suffix(".py")):
            if candidate.is_file():
                return candidate
    return None


def _imports(module: str, path: Path) -> Iterator[str]:
    """The dotted names that a module imports, but for those that type checkers alone see."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in _running_nodes(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.rsplit(".", node.level - 1)[0]
                base = f"{above}.{base}" if base else above
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _running_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those within `if TYPE_CHECKING:`."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        yield from _running_nodes(node)
