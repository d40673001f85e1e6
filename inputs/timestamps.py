"""Points in time as microseconds since the epoch, UTC."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone

import numpy as np

_EPOCH = datetime.fromtimestamp(0, timezone.utc)


def to_microseconds(time: str | datetime) -> int:
    """Microseconds since the epoch of an ISO 8601 text or a datetime; without a zone it is UTC."""
    if isinstance(time, str):
        # fromisoformat knows the suffix Z only from Python 3.11 on.
        time = datetime.fromisoformat(time.replace("Z", "+00:00"))
    if time.tzinfo is None:
        time = time.replace(tzinfo=timezone.utc)
    return (time - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(microseconds: int) -> datetime:
    """The datetime, UTC, at a number of microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=int(microseconds))


def show(microseconds: int) -> str:
    """A time of any year as ISO 8601, for messages."""
    return str(np.datetime64(microseconds, "us"))


#: First and last creation time that is one.
CREATED = (to_microseconds("0001-01-01"), to_microseconds("9999-12-31T23:59:59.999999"))


def logged(now: datetime) -> tuple[int, int]:
    """First and last time of an event that is one; a day ahead is allowed, for clocks and zones."""
    return to_microseconds("1990-01-01"), to_microseconds(now + timedelta(days=1))
