"""One day: joined, scored, trained on and released."""

import dataclasses
import os
import time
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING

import rich.console

from semantic_id_ranking.components.releaser.release import ENCODER
from semantic_id_ranking.components.releaser.release import RANKER
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.components.releaser.release import released_rankers
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.blessed import write_blessed
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.days.ledger import DayRecord
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.output_folder import require_folder_name
from semantic_id_ranking.pipeline.output_folder import require_own_metadata
from semantic_id_ranking.pipeline.output_lock import output_lock
from semantic_id_ranking.pipeline.terminal import logged_to

if TYPE_CHECKING:
    from semantic_id_ranking.pipeline.inputs import Inputs

_REPEATED = "has to be repeated since what was before it changes"


@dataclasses.dataclass(frozen=True)
class DayResult:
    """The result of a day.

    Attributes:
        record: Its record in the ledger.
        repeated: Whether the day had been done before, and nothing changed.
    """

    record: DayRecord
    repeated: bool


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
        redo: Whether a day that was done with other impressions is done again, from the state
            before it; the days after it are then repeated with the files that they were done with.
            Where that ends halfway, the next day begins with those that are left. A day that is to
            be repeated is done with these files instead.
        skip_bad: Bad impressions that are put aside, at most.

    Returns:
        The day's result.

    Raises:
        InputError: The files are not those of the next day, the items do not suit the SID space, or
            the input is not what it should be; what was served stays served.
    """
    require_folder_name(output)
    output = os.path.abspath(output)
    with output_lock(output, "sid day"):
        destinations = Destinations.under(output)
        require_own_metadata(destinations)
        with logged_to(os.path.join(output, "logs", "day.log")):
            days = _Days(output, config, console, skip_bad)
            result = days.add(_paths(items), _paths(impressions), redo)
            days.repeat_pending()
            return result


def _paths(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _absolute(paths: list[str]) -> list[str]:
    return [path if "://" in path else os.path.abspath(path) for path in paths]


class _Days:
    """Adds days to an output folder that is locked.

    Args:
        output: Its absolute path.
        config: What the days depend on beside their files.
        console: Where progress goes.
        skip_bad: Bad impressions of a day that are put aside, at most.
    """

    def __init__(self, output: str, config: Config, console: rich.console.Console, skip_bad: int):
        self._output = output
        # The last part of every day is held back, not what begins at a date.
        split = dataclasses.replace(config.split, evaluation_start=None)
        self._config = dataclasses.replace(config, split=split)
        self._console = console
        self._skip_bad = skip_bad
        self._serving = Destinations.under(output).serving
        self._ledger = Ledger.open(output).followed(released_rankers(self._serving))

    def add(self, items: list[str], impressions: list[str], redo: bool) -> DayResult:
        """Adds one day, after those that are to be repeated and are before it."""
        inputs = self._look_at(items, impressions)
        number = inputs.last_time // self._ledger.day_microseconds
        self.repeat_pending(number if redo else None)
        return self._add(inputs, items, impressions, redo)

    def repeat_pending(self, until: int | None = None) -> None:
        """Repeats the days after one that was done again, or after a refresh that was undone.

        Args:
            until: The first day that is not repeated: it is given with other files.
        """
        # Its modules take a second to import.
        from semantic_id_ranking.pipeline.days.recorded_files import require_same_files

        while self._ledger.pending and self._ledger.pending[0].number != until:
            day = self._ledger.pending[0]
            require_same_files(day, self._output, _REPEATED)
            self._console.print(f"{day.name}: is repeated, since what was before it changed")
            inputs = self._look_at(day.items, day.impressions)
            self._add(inputs, day.items, day.impressions, redo=False)

    def _look_at(self, items: list[str], impressions: list[str]) -> "Inputs":
        # Beam's file systems come with it, which take a second.
        from semantic_id_ranking.pipeline.look_at_inputs import look_at_inputs

        return look_at_inputs(items, impressions, self._config, self._skip_bad)

    def _add(
        self, inputs: "Inputs", items: list[str], impressions: list[str], redo: bool
    ) -> DayResult:
        from semantic_id_ranking.pipeline.days.recorded_files import impressions_digest
        from semantic_id_ranking.pipeline.days.recorded_files import require_same_files

        digest = impressions_digest(inputs.impressions, self._output)
        number = inputs.last_time // self._ledger.day_microseconds
        done = self._ledger.find(number)
        if done is not None and done.digest == digest:
            return DayResult(done, True)
        self._require_next(inputs, number, done, redo)
        if done is None:
            self._require_known_space()
        ledger = self._ledger if done is None else self._ledger.before(number)
        if done is not None:
            for day in ledger.pending:
                require_same_files(day, self._output, _REPEATED)
        sources = {
            "items": _absolute(items),
            "impressions": _absolute(impressions),
        }
        record = self._run(inputs, ledger, number, sources)
        self._ledger = ledger.plus(record)
        self._ledger.write(self._output)
        return DayResult(record, False)

    def _require_known_space(self) -> None:
        """Refuses to go on from a release into another space that was not written down."""
        releases = read_releases(self._serving)
        models = releases[0].models if releases else {}
        last = self._ledger.last
        known = {day.artifacts["ranker"] for day in self._ledger.days}
        written_down = any(models.get(RANKER, "").startswith(f"{path}{os.sep}") for path in known)
        same = models.get(ENCODER, "").startswith(last.artifacts["rqvae"] + os.sep)
        if models and not written_down and not same:
            raise InputError(
                f"{self._output}: what is served is of another SID space than day {last.name}, and "
                "was released by a command that was then interrupted (`sid refresh`, or `sid day "
                "--redo`); run that again first"
            )

    def _require_next(
        self, inputs: "Inputs", number: int, done: DayRecord | None, redo: bool
    ) -> None:
        """Refuses impressions that are not those of the next day."""
        ledger, name = self._ledger, inputs.impressions.name
        if done is not None:
            if not redo:
                raise InputError(
                    f"{name}: day {done.name} was done with other impressions; give it again with "
                    "--redo to repeat it and what follows"
                )
            return
        expected = ledger.last.number + 1
        given, wanted = ledger.name_of(number), ledger.name_of(expected)
        if number < expected:
            raise InputError(
                f"{name}: the last impression is of {given}, but days up to {ledger.last.name} are "
                f"done; give the impressions of {wanted}"
            )
        if number > expected:
            raise InputError(
                f"{name}: the last impression is of {given}, but day {wanted} is missing; give "
                "its impressions first"
            )

    def _run(
        self, inputs: "Inputs", ledger: Ledger, number: int, sources: Mapping[str, list[str]]
    ) -> DayRecord:
        # TFX and TensorFlow take ten seconds to import: bad input is refused before that.
        from semantic_id_ranking.pipeline.days.day_dag import create_day_pipeline
        from semantic_id_ranking.pipeline.days.day_metrics import add_day_metrics
        from semantic_id_ranking.pipeline.days.day_metrics import day_headline
        from semantic_id_ranking.pipeline.days.record import day_record
        from semantic_id_ranking.pipeline.execute import execute
        from semantic_id_ranking.pipeline.run import released_by

        output, config = self._output, self._config
        destinations = Destinations.under(output)
        served = ledger.served(released_rankers(self._serving))
        begin = time.monotonic()
        pipeline = create_day_pipeline(inputs, config, destinations, number, ledger, served)
        records, _ = execute(pipeline, destinations, output, self._console)
        released, _ = released_by(records)
        record = day_record(records, inputs, config, output, number, ledger.last, released, sources)
        metrics = add_day_metrics(output, records, record)
        if released is not None:
            write_blessed(output, released)
        records.mark_finished()
        self._console.print(
            f"{day_headline(metrics, record)}; {time.monotonic() - begin:.0f} s",
            highlight=False,
            soft_wrap=True,
        )
        return record
