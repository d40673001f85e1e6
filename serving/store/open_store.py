"""Stores by URL."""

import re
import urllib.parse

from semantic_id_ranking.serving.store.sid_store import SidStore

_PATH = re.compile(r"[A-Za-z0-9_./-]*")


def open_store(url: str, timeout: float = 5.0) -> SidStore:
    """Opens a store; it is first asked at its first use.

    Args:
        url: `sqlite:///path`, relative to the working directory (`sqlite:////path` from the root),
            or `redis://[user:password@]host[:port][/database]`, and `rediss://` for TLS.
        timeout: Seconds for an operation, retries included.

    Raises:
        ValueError: The URL is of another form; the message holds no password.
        ModuleNotFoundError: Redis needs the extra `redis`.
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme == "sqlite" and rest.startswith("/") and rest != "/":
        from semantic_id_ranking.serving.store.sqlite_sid_store import SqliteSidStore

        return SqliteSidStore(urllib.parse.unquote(rest[1:]), timeout)
    if separator and scheme in ("redis", "rediss") and rest:
        # redis-py is slow to import, and a SQLite file needs none of it.
        try:
            from semantic_id_ranking.serving.store.redis_sid_store import RedisSidStore
        except ModuleNotFoundError as error:
            if error.name != "redis":
                raise
            raise ModuleNotFoundError(
                "a store in Redis needs redis-py, which the extra redis brings: "
                "pip install 'semantic-id-ranking[redis]'",
                name=error.name,
            ) from None
        return RedisSidStore(url, timeout)
    # Any part of a malformed URL may be one of a password: only what looks like a path is quoted.
    named = repr(url) if _PATH.fullmatch(url) else "the URL of the store"
    raise ValueError(
        f"{named} names no store; write sqlite:///path, redis://host:port/database or "
        "rediss://host:port/database"
    )
