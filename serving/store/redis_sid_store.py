"""Semantic IDs in Redis."""

import functools
import json
import time
from collections.abc import Callable
from collections.abc import Collection
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
from semantic_id_ranking.serving.store.sid_store import COUNTER
from semantic_id_ranking.serving.store.sid_store import MOMENT
from semantic_id_ranking.serving.store.sid_store import SID
from semantic_id_ranking.serving.store.sid_store import SidStore
from semantic_id_ranking.serving.store.sid_store import USER

_SPACES = "sid:spaces"
_CHECKPOINTS = "sid:checkpoints"
_HASHES = {SID: "sid:items", COUNTER: "sid:counters", USER: "sid:users", MOMENT: "sid:moments"}
# Of the timeout: how long one attempt may take, so that the last one ends in time.
_ATTEMPT = 0.25
# Of a batch that is being written; each transaction takes some milliseconds, a read less than one.
_READS = 4
# To redis-py, these are connection errors.
_REFUSALS = (AuthenticationError, AuthorizationError)
_BACKOFF = ExponentialWithJitterBackoff(base=0.05, cap=1.0)

Answer = TypeVar("Answer")


class RedisSidStore(SidStore):
    """A few hashes a space: the codes of every item, its counters, and the records of users.

    They are `sid:items:{fingerprint}`, `sid:counters:{fingerprint}` and `sid:users:{fingerprint}`;
    `sid:moments:{fingerprint}` says of which moment the last two are. One pipeline reads all of a
    request, between two looks at the checkpoint, which every transaction of a release moves on.

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

    def keep_users(self, fingerprint: str, kept: Collection[str]) -> None:
        """Removes the records of all users of a space but these, some at a time."""
        users = _hash(USER, fingerprint)

        def scan(cursor: int) -> tuple[int, list[bytes]]:
            after, found = self._redis.hscan(users, cursor, count=self.batch_items)
            held = cast("dict[bytes, bytes]", found)
            return after, [user for user in held if user.decode() not in kept]

        cursor = 0
        while True:
            cursor, others = self._ask(functools.partial(scan, cursor))
            if others:
                self._ask(functools.partial(self._redis.hdel, users, *others))
            if not cursor:
                return

    def drop(self, fingerprint: str) -> None:
        """Removes a space with all that it holds; nothing happens where there is none."""
        transaction = self._redis.pipeline()
        transaction.hdel(_SPACES, fingerprint)
        transaction.hdel(_CHECKPOINTS, fingerprint)
        transaction.unlink(*(_hash(kind, fingerprint) for kind in _HASHES))
        self._ask(transaction.execute)

    def close(self) -> None:
        """Closes the connections."""
        self._redis.close()

    def _add_space(self, space: SidSpace) -> None:
        sizes = {"levels": space.levels, "codebook_size": space.codebook_size}
        self._ask(lambda: self._redis.hsetnx(_SPACES, space.fingerprint, json.dumps(sizes)))

    def _write(
        self,
        fingerprint: str,
        values: Mapping[str, Mapping[str, bytes]],
        checkpoint: Checkpoint | None = None,
        continues: bool = False,
    ) -> None:
        def write(transaction: redis.client.Pipeline) -> None:
            # Read under the watch: the transaction fails, and is made anew, if it changes.
            if continues and checkpoint is not None:
                held = transaction.hget(_CHECKPOINTS, fingerprint)
                before = Checkpoint(**json.loads(held)) if held else None
                self._require_same_batch(fingerprint, before, checkpoint)
            transaction.multi()
            for kind, by_key in values.items():
                if by_key:
                    pairs = [part for pair in by_key.items() for part in pair]
                    transaction.hset(_hash(kind, fingerprint), items=pairs)
            if checkpoint:
                state = {"source": checkpoint.source, "rows": checkpoint.rows}
                transaction.hset(_CHECKPOINTS, fingerprint, json.dumps(state))

        watched = [_CHECKPOINTS] if continues else []
        self._ask(lambda: self._redis.transaction(write, *watched))

    def _read(
        self, fingerprint: str, keys: Sequence[tuple[str, Sequence[str]]]
    ) -> tuple[SidSpace | None, Sequence[Sequence[bytes | None]]]:
        def read() -> list[Any]:
            for _ in range(_READS):
                # No MULTI: a Redis whose memory is full refuses it, whatever is read.
                pipeline = self._redis.pipeline(transaction=False)
                pipeline.hget(_CHECKPOINTS, fingerprint)
                pipeline.hget(_SPACES, fingerprint)
                for kind, wanted in keys:
                    if wanted:
                        pipeline.hmget(_hash(kind, fingerprint), list(wanted))
                pipeline.hget(_CHECKPOINTS, fingerprint)
                before, *answers, after = pipeline.execute()
                if before == after:
                    return answers
            raise redis.ConnectionError("a batch was written between what is read, again and again")

        sizes, *answers = self._ask(read)
        space = SidSpace(fingerprint, **json.loads(sizes)) if sizes else None
        found = iter(answers)
        return space, [next(found) if wanted else [] for _, wanted in keys]

    def _count(self, fingerprint: str, kind: str) -> int:
        return self._ask(lambda: self._redis.hlen(_hash(kind, fingerprint)))

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


def _hash(kind: str, fingerprint: str) -> str:
    return f"{_HASHES[kind]}:{fingerprint}"
