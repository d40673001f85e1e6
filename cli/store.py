"""`sid store`: the SID spaces of a store of Semantic IDs."""

import os
import urllib.parse
from typing import Any

import rich.console
import rich.table

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.terminal import cell
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store import SidStore
from semantic_id_ranking.serving.store import StoreError


def store(
    url: str, drop: str | None, timeout: float, console: rich.console.Console
) -> dict[str, Any]:
    """Lists the spaces, or removes one of them.

    Args:
        url: The store.
        drop: Fingerprint of the space that is removed with all its Semantic IDs; None: none is.
        timeout: Seconds that one operation may take, retries included.
        console: Where to show them.

    Returns:
        For `--json`: `store`, without a password, and `spaces`, each with `fingerprint`, `levels`,
        `codebook_size` and `items`; or, of a removal, `dropped`, one such space.

    Raises:
        InputError: The URL is wrong, the store does not answer, or it holds no such space.
    """
    try:
        with open_store(url, timeout) as opened:
            _require_file(url, opened)
            if drop is None:
                spaces = _spaces(opened)
                console.print(_table(spaces))
                return {"store": opened.name, "spaces": spaces}
            return {"store": opened.name, "dropped": _drop(opened, drop, console)}
    except InputError:
        raise
    except (StoreError, ValueError) as error:
        raise InputError(str(error)) from error


def _require_file(url: str, opened: SidStore) -> None:
    """Refuses a SQLite file that is not there; to open a store makes none."""
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and not os.path.exists(urllib.parse.unquote(path)):
        raise InputError(f"{opened.name}: there is no such file; sid publish makes it")


def _spaces(opened: SidStore) -> list[dict[str, Any]]:
    return [
        {
            "fingerprint": fingerprint,
            "levels": space.levels,
            "codebook_size": space.codebook_size,
            "items": opened.count(fingerprint),
        }
        for fingerprint, space in sorted(opened.spaces().items())
    ]


def _table(spaces: list[dict[str, Any]]) -> rich.table.Table:
    table = rich.table.Table("SID space", "levels", "codes", "items")
    for space in spaces:
        fingerprint, *sizes = space.values()
        table.add_row(cell(fingerprint), *map(str, sizes))
    return table


def _drop(opened: SidStore, fingerprint: str, console: rich.console.Console) -> dict[str, Any]:
    spaces = {space["fingerprint"]: space for space in _spaces(opened)}
    if fingerprint not in spaces:
        held = ", ".join(sorted(spaces)) or "none"
        raise InputError(f"{opened.name}: holds no SID space {fingerprint}; it holds {held}")
    dropped = spaces[fingerprint]
    opened.drop(fingerprint)
    console.print(
        f"SID space {fingerprint} with its {dropped['items']} items is no longer in {opened.name}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    return dropped
