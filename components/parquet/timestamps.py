"""Points in time: Arrow timestamps of any unit to microseconds since the epoch, UTC."""

from datetime import datetime
from datetime import timedelta
from datetime import timezone

import numpy as np
import pyarrow as pa

from semantic_id_ranking.components.parquet.place import Place

_UNITS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EARLIEST_SECONDS = 631_152_000  # 1990-01-01
_CLOCK_TOLERANCE_SECONDS = 86_400


def timestamps(column: pa.Array, place: Place, now: datetime) -> pa.Array:
    """Timestamps; a time before 1990 or in the future betrays a wrong unit.

    Args:
        column: Arrow timestamps of any unit, with a time zone, or without and then UTC.
        place: Where the column comes from.
        now: The present, with a time zone. A day beyond it is allowed, for clocks and time zones.

    Returns:
        int64 microseconds since the epoch; a null stays null.

    Raises:
        InputError: Another type, or a time before 1990-01-01 or after tomorrow.
    """
    kind = column.type
    if pa.types.is_null(kind):  # What a column without any value is written as.
        return pa.nulls(len(column), pa.int64())
    if not pa.types.is_timestamp(kind):
        raise place.type_error(
            kind,
            "an Arrow timestamp; convert integers and strings before they are written, in pandas "
            "with pd.to_datetime(column, unit='s', utc=True) and the unit they are in",
        )
    scale = _UNITS_PER_SECOND[kind.unit]
    raw = column.cast(pa.int64())
    values = raw.fill_null(_EARLIEST_SECONDS * scale).to_numpy()
    latest = int(now.timestamp()) + _CLOCK_TOLERANCE_SECONDS
    wrong = (values < _EARLIEST_SECONDS * scale) | (values > latest * scale)
    if wrong.any():
        index = int(wrong.argmax())
        time = np.datetime64(values[index].item(), kind.unit)
        raise place.error(
            index,
            str(time),
            "a time from 1990 to today, so the values are likely in another unit than "
            f"the column's, {kind.unit}",
        )
    return pa.array(
        values // (scale // 10**6) if scale >= 10**6 else values * (10**6 // scale),
        mask=column.is_null().to_numpy(zero_copy_only=False),
    )


def require(times: pa.Array, place: Place) -> pa.Array:
    """Refuses nulls.

    Args:
        times: What `timestamps` returned.
        place: Where they come from.

    Raises:
        InputError: There is a null.
    """
    if times.null_count:
        index = int(times.is_null().to_numpy(zero_copy_only=False).argmax())
        raise place.error(index, "null", "a timestamp")
    return times


def to_microseconds(time: str | datetime) -> int:
    """Microseconds since the epoch of an ISO 8601 text or a datetime; without a zone it is UTC."""
    if isinstance(time, str):
        # fromisoformat knows the suffix Z only from Python 3.11 on.
        time = datetime.fromisoformat(time.replace("Z", "+00:00"))
    if time.tzinfo is None:
        time = time.replace(tzinfo=timezone.utc)
    return (time - datetime.fromtimestamp(0, timezone.utc)) // timedelta(microseconds=1)


def from_microseconds(microseconds: int) -> datetime:
    """The datetime, UTC, at a number of microseconds since the epoch."""
    return datetime.fromtimestamp(0, timezone.utc) + timedelta(microseconds=int(microseconds))
