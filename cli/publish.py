"""`sid publish`: a batch of Semantic IDs into the store that serving reads."""

import time
from typing import Any

import rich.console
import rich.progress

from semantic_id_ranking.components.releaser.publish_sids import load_sids
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.encoding.sid_batches import SidBatches
from semantic_id_ranking.serving.store import open_store
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
            task = progress.add_task(f"publishing to {opened.name}", total=batches.rows)
            start = load_sids(batches, opened, lambda rows: progress.update(task, completed=rows))
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
