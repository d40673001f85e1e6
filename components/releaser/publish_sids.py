"""Semantic IDs into the store that serving reads."""

import contextlib
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator

from semantic_id_ranking.components.releaser.published_spaces import published_spaces
from semantic_id_ranking.components.releaser.published_spaces import write_published
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.encoding.sid_batches import SidBatches
from semantic_id_ranking.serving.store import Checkpoint
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store import SidStore
from semantic_id_ranking.serving.store import StoreError
from semantic_id_ranking.serving.store.store_url import store_url

_TIMEOUT_SECONDS = 60.0


def require_store(store: str) -> None:
    """Refuses a store that does not answer, before hours of work for it.

    Args:
        store: Where it is, as `serving.store` of the configuration says it.

    Raises:
        InputError: The URL is wrong, or the store does not answer.
    """
    with _opened(store) as opened:
        opened.spaces()


def publish_sids(serving: str | None, semantic_ids: str, store: str) -> None:
    """Loads the table of a release, and keeps in mind that a release put its space there.

    Args:
        serving: Folder of the models' base folders, where that is kept; None: nowhere.
        semantic_ids: Folder of the table.
        store: Where the store is, as `serving.store` of the configuration says it.

    Raises:
        InputError: The table or the URL is wrong, or the store does not answer.
    """
    batches = SidBatches.open(semantic_ids)
    with _opened(store) as opened:
        if serving is not None:
            write_published(serving, published_spaces(serving) | {batches.space.fingerprint})
        load_sids(batches, opened)


def drop_spaces(store: str, spaces: Collection[str]) -> dict[str, int]:
    """Removes SID spaces from a store, those that it holds.

    Args:
        store: As of `require_store`.
        spaces: Fingerprints of the spaces.

    Returns:
        Fingerprint -> number of items, of those that were there.

    Raises:
        InputError: The URL is wrong, or the store does not answer.
    """
    with _opened(store) as opened:
        held = sorted(set(spaces) & opened.spaces().keys())
        items = {space: opened.count(space) for space in held}
        for space in held:
            opened.drop(space)
        return items


@contextlib.contextmanager
def _opened(store: str) -> Iterator[SidStore]:
    """The store; whatever it refuses is an InputError."""
    try:
        with open_store(store_url(store), _TIMEOUT_SECONDS) as opened:
            yield opened
    except (StoreError, ValueError) as error:
        raise error if isinstance(error, InputError) else InputError(str(error)) from error


def load_sids(
    batches: SidBatches, store: SidStore, tell: Callable[[int], None] = lambda rows: None
) -> int:
    """Loads a table into a store that is open.

    Where an earlier load of the same files was interrupted, it goes on behind the last transaction.

    Args:
        batches: The table.
        store: The store.
        tell: Called with the number of rows that are in the store, again and again.

    Returns:
        Rows that an earlier load had put there.

    Raises:
        InputError: The table is wrong.
        StoreError: The store does not answer, does not keep what it is given, or another table is
            being loaded into the same space since.
    """
    space = batches.space
    store.add_space(SidSpace(space.fingerprint, space.levels, space.codebook_size))
    done = start = _loaded(batches, store)
    tell(done)
    for item_ids, sids in batches.read(start, store.batch_items):
        begun = done > 0
        done += len(item_ids)
        checkpoint = Checkpoint(batches.source, done)
        store.put(space.fingerprint, item_ids, sids, checkpoint, begun)
        tell(done)
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
