"""`sid backfill`: several days in their order."""

import datetime
from collections.abc import Sequence

import rich.console

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs.timestamps import from_microseconds
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.days.run_day import DayResult
from semantic_id_ranking.pipeline.days.run_day import run_day

#: Stands in a path for the name of a day.
DAY = "{day}"
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def backfill(
    items: Sequence[str],
    impressions: Sequence[str],
    output: str,
    config: Config,
    console: rich.console.Console,
    first: str,
    last: str,
    skip_bad: int = 0,
) -> list[DayResult]:
    """Runs the days of an interval in their order; those that were done stay.

    Args:
        items: The items: files, folders or patterns, where `{day}` stands for the day.
        impressions: The impressions, one of them with `{day}`.
        output: The output folder.
        config: As for `run_day`.
        console: Where progress goes.
        first: The first day, such as 2024-01-31, or 2024-01-31T06:00 for one that does not begin at
            midnight.
        last: The last day.
        skip_bad: As for `run_day`.

    Raises:
        InputError: A day is missing, which is found before any is run; or as `run_day`.
    """
    # Beam's file systems come with it, which take a second.
    from semantic_id_ranking.inputs.data_set import DataSet

    if not any(DAY in path for path in impressions):
        raise InputError(
            f"--impressions {' '.join(impressions)}: does not name the day; write {DAY} where its "
            "date is"
        )
    names = day_names(Ledger.open(output), first, last)
    for name in names:
        try:
            DataSet.open(_of_day(impressions, name))
        except InputError as error:
            raise InputError(f"day {name} is missing: {error}") from None
    return [
        run_day(
            _of_day(items, n), _of_day(impressions, n), output, config, console, False, skip_bad
        )
        for n in names
    ]


def day_names(ledger: Ledger, first: str, last: str) -> list[str]:
    """The names of all days from one to another.

    Args:
        ledger: Knows the length of a day.
        first: Name of the first one.
        last: Name of the last one.

    Raises:
        InputError: One is not the name of a day, or the last one is before the first.
    """
    begin, end = _number(ledger, "--from", first), _number(ledger, "--to", last)
    if end < begin:
        raise InputError(
            f"--to {last}: is before --from {first}; give the last day of the interval"
        )
    return [ledger.name_of(number) for number in range(begin, end + 1)]


def _number(ledger: Ledger, option: str, text: str) -> int:
    try:
        start = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        raise InputError(f"{option} {text}: is not a day; write it as 2024-01-31") from None
    microseconds = (start - _EPOCH) // datetime.timedelta(microseconds=1)
    number, rest = divmod(microseconds, ledger.day_microseconds)
    if rest:
        begins = from_microseconds(number * ledger.day_microseconds)
        raise InputError(
            f"{option} {text}: no day begins there; the one around it begins at "
            f"{begins:%Y-%m-%dT%H:%M}"
        )
    return number


def _of_day(paths: Sequence[str], name: str) -> list[str]:
    return [path.replace(DAY, name) for path in paths]
