"""`sid publish`: a batch of Semantic IDs into the store that serving reads."""

import time
from typing import Any

import rich.console
import rich.progress

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.encoding.sid_batches import SidBatches
from semantic_id_ranking.serving.store import Checkpoint
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store import SidStore
from semantic_id_ranking.serving.store import StoreError


def publish(sids: str, store: str, timeout: float, console: rich.console.Console) -> dict[str, Any]:
    """Loads a table into a store.

    Where an earlier run of the same files was interrupted, it goes on behind the last transaction.

    Args:
        sids: Folder, file or pattern of files that SemanticIdGen or `sid encode` made.
        store: URL of the store.
        timeout: Seconds that one operation may take, retries included.
        console: Where to show what is done.

    Returns:
        The same, for `--json`: `store`, without a password; `fingerprint`; `items`;
        `loaded_before`, those of them that an earlier run had loaded; `seconds`.

    Raises:
        InputError: The table or the URL is wrong, or the store does not answer.
    """
    batches = SidBatches.open(sids)
    begin = time.monotonic()
    try:
        with (
            open_store(store, timeout) as opened,
            rich.progress.Progress(console=console, transient=True) as progress,
        ):
            start = load(batches, opened, progress)
            seconds = time.monotonic() - begin
            console.print(
                f"{batches.rows} items of SID space {batches.space.fingerprint} are in "
                f"{opened.name}, {start} of them from an earlier run; {seconds:.1f} s",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
            return {
                "store": opened.name,
                "fingerprint": batches.space.fingerprint,
                "items": batches.rows,
                "loaded_before": start,
                "seconds": round(seconds, 3),
            }
    except (StoreError, ValueError) as error:
        raise error if isinstance(error, InputError) else InputError(str(error)) from error


def load(
    batches: SidBatches, store: SidStore, progress: rich.progress.Progress | None = None
) -> int:
    """Loads a table into a store that is open.

    Args:
        batches: The table.
        store: The store.
        progress: Where to show how far it is.

    Returns:
        Rows that an earlier run had loaded.

    Raises:
        InputError: The table is wrong.
        StoreError: The store does not answer, does not keep what it is given, or another table is
            being loaded into the same space since.
    """
    space = batches.space
    store.add_space(SidSpace(space.fingerprint, space.levels, space.codebook_size))
    done = start = _loaded(batches, store)
    progress = progress or rich.progress.Progress(disable=True)
    task = progress.add_task(f"publishing to {store.name}", total=batches.rows, completed=start)
    for item_ids, sids in batches.read(start, store.batch_items):
        begun = done > 0
        done += len(item_ids)
        checkpoint = Checkpoint(batches.source, done)
        store.put(space.fingerprint, item_ids, sids, checkpoint, begun)
        progress.update(task, completed=done)
    held = store.count(space.fingerprint)
    if held < batches.rows:
        raise StoreError(
            f"{store.name}: holds {held} items of SID space {space.fingerprint} after "
            f"{batches.rows} were put; either item ids repeat in the table, or the store evicts "
            "keys (Redis: maxmemory-policy must be noeviction)"
        )
    return start


def _loaded(batches: SidBatches, store: SidStore) -> int:
    checkpoint = store.checkpoint(batches.space.fingerprint)
    if checkpoint is None or checkpoint.source != batches.source:
        return 0
    # A store that has lost items since is filled anew.
    held = store.count(batches.space.fingerprint)
    return checkpoint.rows if held >= checkpoint.rows else 0
