"""`sid store`: the SID spaces of a store of Semantic IDs."""

import os
import urllib.parse

import rich.console
import rich.table

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.terminal import cell
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store import SidStore
from semantic_id_ranking.serving.store import StoreError


def store(url: str, drop: str | None, timeout: float, console: rich.console.Console) -> None:
    """Lists the spaces, or removes one of them.

    Args:
        url: The store.
        drop: Fingerprint of the space that is removed with all its Semantic IDs; None: none is.
        timeout: Seconds that one operation may take, retries included.
        console: Where to show them.

    Raises:
        InputError: The URL is wrong, the store does not answer, or it holds no such space.
    """
    try:
        with open_store(url, timeout) as opened:
            _require_file(url, opened)
            if drop is None:
                console.print(_spaces(opened))
            else:
                _drop(opened, drop, console)
    except InputError:
        raise
    except (StoreError, ValueError) as error:
        raise InputError(str(error)) from error


def _require_file(url: str, opened: SidStore) -> None:
    """Refuses a SQLite file that is not there; to open a store makes none."""
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and not os.path.exists(urllib.parse.unquote(path)):
        raise InputError(f"{opened.name}: there is no such file; sid publish makes it")


def _spaces(opened: SidStore) -> rich.table.Table:
    table = rich.table.Table("SID space", "levels", "codes", "items")
    for fingerprint, space in sorted(opened.spaces().items()):
        sizes = (space.levels, space.codebook_size, opened.count(fingerprint))
        table.add_row(cell(fingerprint), *map(str, sizes))
    return table


def _drop(opened: SidStore, fingerprint: str, console: rich.console.Console) -> None:
    spaces = opened.spaces()
    if fingerprint not in spaces:
        held = ", ".join(sorted(spaces)) or "none"
        raise InputError(f"{opened.name}: holds no SID space {fingerprint}; it holds {held}")
    items = opened.count(fingerprint)
    opened.drop(fingerprint)
    console.print(
        f"SID space {fingerprint} with its {items} items is no longer in {opened.name}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
