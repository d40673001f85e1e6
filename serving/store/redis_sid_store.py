"""Semantic IDs in Redis."""

import json
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import cast
from typing import TypeVar

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.exceptions import AuthorizationError
from redis.retry import Retry

from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.store.checkpoint import Checkpoint
from semantic_id_ranking.serving.store.errors import StoreError
from semantic_id_ranking.serving.store.redis_url import malformed_url
from semantic_id_ranking.serving.store.redis_url import redacted_url
from semantic_id_ranking.serving.store.sid_store import SidStore

_SPACES = "sid:spaces"
_CHECKPOINTS = "sid:checkpoints"
_ITEMS = "sid:items"
_COUNTERS = "sid:counters"
_USERS = "sid:users"
# Of the timeout: how long one attempt may take, so that the last one ends in time.
_ATTEMPT = 0.25
# To redis-py, these are connection errors.
_REFUSALS = (AuthenticationError, AuthorizationError)
_BACKOFF = ExponentialWithJitterBackoff(base=0.05, cap=1.0)

Answer = TypeVar("Answer")


class RedisSidStore(SidStore):
    """Two hashes a space: the codes of every item, and its counters.

    They are `sid:items:{fingerprint}` and `sid:counters:{fingerprint}`; `sid:users:{fingerprint}`
    is kept for the records of users, so that one pipeline reads all of a request.

    A hash takes 88 bytes an item (names of 12 letters, 8 levels), a key for each item 137; hashes
    of some dozen items take 37, but the 550 look-ups of one request then take five times as long.
    `sid:spaces` and `sid:checkpoints` hold JSON by fingerprint.

    An operation that finds no connection is tried again, after waits that double from about 0.05 s
    up to 1 s: every operation may be done twice. A request that Redis refuses is not made again.

    Args:
        url: As `open_store` takes it.
        timeout: Seconds for an operation, retries included.
    """

    # Redis does one thing at a time: readers wait some milliseconds for so many.
    batch_items = 5_000

    def __init__(self, url: str, timeout: float = 5.0):
        super().__init__(redacted_url(url))
        self._timeout = timeout
        try:
            self._redis = redis.Redis.from_url(
                url,
                socket_timeout=_ATTEMPT * timeout,
                socket_connect_timeout=_ATTEMPT * timeout,
                socket_keepalive=True,
                retry=Retry(NoBackoff(), 0),
            )
            pool = self._redis.connection_pool
            # An option that is not known shows itself here; nothing is connected.
            pool.connection_class(**pool.connection_kwargs)
        except (ValueError, TypeError, redis.RedisError):
            # The message may quote the URL, and so may the error behind this one.
            raise malformed_url() from None
        self._password = pool.connection_kwargs.get("password")

    def spaces(self) -> Mapping[str, SidSpace]:
        """The SID spaces that the store holds, by fingerprint."""
        found = cast("dict[bytes, bytes]", self._ask(lambda: self._redis.hgetall(_SPACES)))
        return {
            fingerprint.decode(): SidSpace(fingerprint.decode(), **json.loads(sizes))
            for fingerprint, sizes in found.items()
        }

    def checkpoint(self, fingerprint: str) -> Checkpoint | None:
        """The last checkpoint of a space; None where there is none."""
        found = self._ask(lambda: self._redis.hget(_CHECKPOINTS, fingerprint))
        return Checkpoint(**json.loads(found)) if found else None

    def count(self, fingerprint: str) -> int:
        """Number of items that have a Semantic ID of a space."""
        return self._ask(lambda: self._redis.hlen(f"{_ITEMS}:{fingerprint}"))

    def drop(self, fingerprint: str) -> None:
        """Removes a space with all that it holds; nothing happens where there is none."""
        transaction = self._redis.pipeline()
        transaction.hdel(_SPACES, fingerprint)
        transaction.hdel(_CHECKPOINTS, fingerprint)
        transaction.unlink(*(f"{kind}:{fingerprint}" for kind in (_ITEMS, _COUNTERS, _USERS)))
        self._ask(transaction.execute)

    def close(self) -> None:
        """Closes the connections."""
        self._redis.close()

    def _add_space(self, space: SidSpace) -> None:
        sizes = {"levels": space.levels, "codebook_size": space.codebook_size}
        self._ask(lambda: self._redis.hsetnx(_SPACES, space.fingerprint, json.dumps(sizes)))

    def _put(
        self,
        fingerprint: str,
        item_ids: Sequence[str],
        values: Sequence[bytes],
        checkpoint: Checkpoint | None,
        continues: bool,
    ) -> None:
        pairs: list[str | bytes] = [b""] * (2 * len(item_ids))
        pairs[::2], pairs[1::2] = item_ids, values

        def write(transaction: redis.client.Pipeline) -> None:
            # Read under the watch: the transaction fails, and is made anew, if it changes.
            if continues and checkpoint is not None:
                held = transaction.hget(_CHECKPOINTS, fingerprint)
                before = Checkpoint(**json.loads(held)) if held else None
                self._require_same_batch(fingerprint, before, checkpoint)
            transaction.multi()
            if pairs:
                transaction.hset(f"{_ITEMS}:{fingerprint}", items=pairs)
            if checkpoint:
                state = {"source": checkpoint.source, "rows": checkpoint.rows}
                transaction.hset(_CHECKPOINTS, fingerprint, json.dumps(state))

        watched = [_CHECKPOINTS] if continues else []
        self._ask(lambda: self._redis.transaction(write, *watched))

    def _get(
        self, fingerprint: str, item_ids: Sequence[str]
    ) -> tuple[SidSpace | None, Sequence[bytes | None]]:
        space, sids = self._read(fingerprint, item_ids, _ITEMS)
        return space, sids

    def _get_items(
        self, fingerprint: str, item_ids: Sequence[str]
    ) -> tuple[SidSpace | None, Sequence[bytes | None], Sequence[bytes | None]]:
        space, sids, counters = self._read(fingerprint, item_ids, _ITEMS, _COUNTERS)
        return space, sids, counters

    def _put_counters(
        self, fingerprint: str, item_ids: Sequence[str], values: Sequence[bytes]
    ) -> None:
        pairs = [part for pair in zip(item_ids, values, strict=True) for part in pair]
        if pairs:
            self._ask(lambda: self._redis.hset(f"{_COUNTERS}:{fingerprint}", items=pairs))

    def _read(self, fingerprint: str, item_ids: Sequence[str], *kinds: str) -> list[Any]:
        """The space, and the values of the items in each of several hashes, in one round trip."""

        def read() -> list[Any]:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hget(_SPACES, fingerprint)
            for kind in kinds if item_ids else ():
                pipeline.hmget(f"{kind}:{fingerprint}", list(item_ids))
            return pipeline.execute()

        sizes, *values = self._ask(read)
        space = SidSpace(fingerprint, **json.loads(sizes)) if sizes else None
        return [space, *(values or [[] for _ in kinds])]

    def _ask(self, attempt: Callable[[], Answer]) -> Answer:
        """Tries until the time is up.

        Neither redis-py's `Retry` nor tenacity is shorter: one knows no deadline for all attempts,
        the other would be one more requirement of every client, and the messages stay.
        """
        last_start = time.monotonic() + (1 - _ATTEMPT) * self._timeout
        failures = 0
        while True:
            try:
                return attempt()
            except (redis.ConnectionError, redis.TimeoutError) as error:
                if isinstance(error, _REFUSALS):
                    raise self._refused(error) from None
                failures += 1
                wait = _BACKOFF.compute(failures)
                if time.monotonic() + wait > last_start:
                    raise StoreError(
                        f"{self.name}: Redis did not answer within {self._timeout:g} s "
                        f"({failures} attempts; the last one: {self._text(error)})"
                    ) from None
                time.sleep(wait)
            except redis.RedisError as error:
                raise self._refused(error) from None

    def _refused(self, error: redis.RedisError) -> StoreError:
        return StoreError(f"{self.name}: Redis refuses: {self._text(error)}")

    def _text(self, error: redis.RedisError) -> str:
        """The redacted message of an error, in which a server may repeat the password."""
        return str(error).replace(self._password, "…") if self._password else str(error)
