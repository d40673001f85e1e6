"""Semantic IDs, counters and users into the store that serving reads."""

import contextlib
import hashlib
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator

from semantic_id_ranking.components.releaser.published_spaces import published_spaces
from semantic_id_ranking.components.releaser.published_spaces import write_published
from semantic_id_ranking.components.releaser.released_state import ReleasedState
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


def publish_sids(
    serving: str | None, semantic_ids: str, store: str, state: str | None = None
) -> None:
    """Loads the table of a release, and keeps in mind that a release put its space there.

    Args:
        serving: Folder of the models' base folders, where that is kept; None: nowhere.
        semantic_ids: Folder of the table.
        store: Where the store is, as `serving.store` of the configuration says it.
        state: Folder of the state whose counters and users go with it; None: none do.

    Raises:
        InputError: The table, the state or the URL is wrong, or the store does not answer.
    """
    batches = SidBatches.open(semantic_ids)
    released = ReleasedState.open(state, batches.space.fingerprint) if state else None
    with _opened(store) as opened:
        if serving is not None:
            write_published(serving, published_spaces(serving) | {batches.space.fingerprint})
        load_sids(batches, opened, state=released)


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
    batches: SidBatches,
    store: SidStore,
    tell: Callable[[int], None] = lambda rows: None,
    state: ReleasedState | None = None,
) -> int:
    """Loads a table into a store that is open, and the counters and users of a state.

    Where an earlier load of the same files was interrupted, it goes on behind the last transaction.
    An item's Semantic ID and counters are written in one transaction; users follow the items, of
    whose Semantic IDs their records are, and the moment of it all comes last.

    Args:
        batches: The table.
        store: The store.
        tell: Called with the number of rows that are in the store, again and again.
        state: The state; None: counters and users stay as they are.

    Returns:
        Rows that an earlier load had put there.

    Raises:
        InputError: The table is wrong.
        StoreError: The store does not answer, does not keep what it is given, or another table is
            being loaded into the same space since.
    """
    space = batches.space
    store.add_space(SidSpace(space.fingerprint, space.levels, space.codebook_size))
    source = batches.source
    if state is not None:
        source = hashlib.sha256(f"{source} {state.source}".encode()).hexdigest()[:16]
    done = start = _loaded(batches, source, store)
    tell(min(done, batches.rows))
    counters = state.item_counters() if state is not None and start < batches.rows else None
    for item_ids, sids in batches.read(start, store.batch_items):
        begun = done > 0
        done += len(item_ids)
        checkpoint = Checkpoint(source, done)
        values = None if counters is None else counters.of(item_ids)
        store.put(space.fingerprint, item_ids, sids, checkpoint, begun, values)
        tell(done)
    _require_kept(store, space.fingerprint, batches.rows)
    if state is not None:
        _load_users(batches, source, done, store, state)
    return min(start, batches.rows)


def _load_users(
    batches: SidBatches, source: str, done: int, store: SidStore, state: ReleasedState
) -> None:
    """Loads users behind the items, as whose rows they are counted on."""
    space = batches.space.fingerprint
    for users in state.users(done - batches.rows, lambda items: store.get(space, items)):
        done += len(users)
        store.put_users(space, users, Checkpoint(source, done), continues=True)
    held, wanted = store.count_users(space), done - batches.rows
    if held < wanted:
        raise StoreError(
            f"{store.name}: holds {held} users of SID space {space} after {wanted} were put; the "
            "store evicts keys (Redis: maxmemory-policy must be noeviction)"
        )
    if held > wanted:
        # A day that was done again may have fewer users.
        store.keep_users(space, state.user_ids())
    store.put_moment(space, state.moment)


def _require_kept(store: SidStore, fingerprint: str, rows: int) -> None:
    held = store.count(fingerprint)
    if held < rows:
        raise StoreError(
            f"{store.name}: holds {held} items of SID space {fingerprint} after "
            f"{rows} were put; either item ids repeat in the table, or the store evicts "
            "keys (Redis: maxmemory-policy must be noeviction)"
        )


def _loaded(batches: SidBatches, source: str, store: SidStore) -> int:
    space = batches.space.fingerprint
    checkpoint = store.checkpoint(space)
    if checkpoint is None or checkpoint.source != source:
        return 0
    # A store that has lost items since is filled anew.
    if store.count(space) < min(checkpoint.rows, batches.rows):
        return 0
    if store.count_users(space) < checkpoint.rows - batches.rows:
        return batches.rows
    return checkpoint.rows
