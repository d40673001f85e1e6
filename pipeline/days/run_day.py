"""One day: joined, scored, trained on and released."""

import dataclasses
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import rich.console

from semantic_id_ranking.components.releaser.release import RANKER
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs.timestamps import from_microseconds
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.days.ledger import DayRecord
from semantic_id_ranking.pipeline.days.ledger import digest_of
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.output_folder import require_folder_name
from semantic_id_ranking.pipeline.output_folder import require_own_metadata
from semantic_id_ranking.pipeline.output_lock import output_lock
from semantic_id_ranking.pipeline.terminal import logged_to

if TYPE_CHECKING:
    from semantic_id_ranking.pipeline.inputs import Inputs


@dataclasses.dataclass(frozen=True)
class DayResult:
    """The result of a day.

    Attributes:
        record: Its record in the ledger.
        repeated: Whether the day had been done before, and nothing changed.
        headline: The metrics of the served ranker on the day, in a line.
    """

    record: DayRecord
    repeated: bool
    headline: str


def run_day(
    items: str | Sequence[str],
    impressions: str | Sequence[str],
    output: str,
    config: Config,
    console: rich.console.Console,
    redo: bool = False,
    skip_bad: int = 0,
) -> DayResult:
    """Adds a day to an output folder that `sid run` has begun.

    Args:
        items: The items as of the day.
        impressions: The impressions of the day.
        output: The output folder.
        config: That of the run, but for what may change from day to day.
        console: Where progress goes.
        redo: Whether a day that was done is done again, from the state before it; days after it
            are dropped from the ledger.
        skip_bad: Bad impressions that are put aside, at most.

    Raises:
        InputError: The files are not those of the next day, the items do not suit the SID space, or
            the input is not what it should be; what was served stays served.
    """
    require_folder_name(output)
    output = os.path.abspath(output)
    with output_lock(output, "sid day"):
        destinations = Destinations.under(output)
        require_own_metadata(destinations)
        ledger = Ledger.open(output)
        # Beam's file systems come with it, which take a second.
        from semantic_id_ranking.inputs.fingerprint import Fingerprints
        from semantic_id_ranking.pipeline.look_at_inputs import look_at_inputs

        inputs = look_at_inputs(items, impressions, config, skip_bad)
        digest = digest_of(Fingerprints(destinations.fingerprints).record(inputs.impressions))
        number = inputs.last_time // ledger.day_microseconds
        done = ledger.find(number)
        if done is not None and done.digest == digest and not redo:
            return DayResult(done, True, "")
        ledger = _require_next(ledger, inputs, number, done, redo)
        with logged_to(os.path.join(output, "logs", "day.log")):
            return _run(inputs, output, config, ledger, number, console)


def _require_next(
    ledger: Ledger, inputs: "Inputs", number: int, done: DayRecord | None, redo: bool
) -> Ledger:
    """Refuses impressions that are not those of the next day.

    Returns:
        The ledger of the days before it.
    """
    name = inputs.impressions.name
    if done is not None:
        if not redo:
            raise InputError(
                f"{name}: day {done.name} was done with other impressions; give it again with "
                "--redo to repeat it and what follows"
            )
        return ledger.before(number)
    expected = ledger.last.number + 1
    if number < expected:
        raise InputError(
            f"{name}: the last impression is of {_day(ledger, number)}, but days up to "
            f"{ledger.last.name} are done; give the impressions of {_day(ledger, expected)}"
        )
    if number > expected:
        raise InputError(
            f"{name}: the last impression is of {_day(ledger, number)}, but day "
            f"{_day(ledger, expected)} is missing; give its impressions first"
        )
    return ledger


def _day(ledger: Ledger, number: int) -> str:
    start = from_microseconds(number * ledger.day_microseconds)
    return ledger.last.model_copy(update={"start": start.isoformat()}).name


def _run(
    inputs: "Inputs",
    output: str,
    config: Config,
    ledger: Ledger,
    number: int,
    console: rich.console.Console,
) -> DayResult:
    # TFX and TensorFlow take ten seconds to import: bad input is refused before that.
    from semantic_id_ranking.pipeline.days.day_dag import create_day_pipeline
    from semantic_id_ranking.pipeline.days.day_metrics import add_day_metrics
    from semantic_id_ranking.pipeline.days.day_metrics import day_headline
    from semantic_id_ranking.pipeline.days.record import day_record
    from semantic_id_ranking.pipeline.execute import execute
    from semantic_id_ranking.pipeline.run import released_by

    destinations = Destinations.under(output)
    releases = read_releases(destinations.serving)
    served = ledger.served(releases[0].versions.get(RANKER) if releases else None)
    begin = time.monotonic()
    pipeline = create_day_pipeline(inputs, config, destinations, number, ledger, served)
    records, _ = execute(pipeline, destinations, output, console)
    released, _ = released_by(records)
    record = day_record(records, inputs, config, output, number, ledger.last, released)
    metrics = add_day_metrics(output, records, record)
    ledger.plus(record).write(output)
    records.mark_finished()
    headline = f"{day_headline(metrics, record)}; {time.monotonic() - begin:.0f} s"
    console.print(headline, highlight=False, soft_wrap=True)
    return DayResult(record, False, headline)
