"""`days.json`: the accepted days of an output folder, and the artifacts that each made."""

import datetime
import hashlib
import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.json_file import write_json
from semantic_id_ranking.contracts.json_model import JsonModel
from semantic_id_ranking.inputs.timestamps import from_microseconds

LEDGER = "days.json"

#: Artifacts of a day that a later one reads, by the name under which a record has them.
ARTIFACTS = (
    "rqvae",
    "semantic_ids",
    "tokenizer",
    "transform_graph",
    "state",
    "examples",
    "ranker",
    "ranker_state",
    "statistics",
)


def trainer_of(name: str) -> str:
    """The component that trains the ranker, of name "ranker", or a baseline."""
    return f"Trainer.{name}"


def baseline_artifacts(name: str) -> tuple[str, str]:
    """Names of a trained baseline's model and state in a record, beside `ARTIFACTS`."""
    return f"baseline_{name}", f"baseline_{name}_state"


class DayRecord(JsonModel):
    """An accepted day, or the log that the first training was of.

    Attributes:
        number: The day: [number, number + 1) lengths since 1970, UTC; of a log, its last day.
        start: The first instant of the day, ISO 8601; of a log, that of its last day.
        digest: Of the content of its files of impressions.
        items: The files, folders or patterns of its items; of a log, none.
        impressions: The same of its impressions.
        run_id: The run that made it, in ML Metadata.
        untrained: Splits of its examples that its ranker was not trained on.
        ranker_version: The version that its ranker was released as; None: it was not released.
        verdict: Drift of the day's items, "keep", "refresh" or "stop", and the reason.
        refresh: Whether it is no day, but a refresh of the SID space after the day of its number.
        artifacts: Folder of each of `ARTIFACTS` and `baseline_artifacts`, relative to the output
            folder.
    """

    number: int
    start: str
    digest: str
    items: list[str] = []
    impressions: list[str] = []
    run_id: str
    untrained: list[str] = []
    ranker_version: int | None = None
    verdict: dict[str, str] | None = None
    refresh: bool = False
    artifacts: dict[str, str]

    @property
    def name(self) -> str:
        """The day as people call it: its date, and its hour where it does not begin at midnight."""
        start = datetime.datetime.fromisoformat(self.start)
        return f"{start:%Y-%m-%d}" if start.time() == datetime.time() else f"{start:%Y-%m-%dT%H:%M}"


class SpaceRecord(JsonModel):
    """Where the SID space of a log's run comes from.

    Attributes:
        items_digest: Of the content of the run's items.
        rqvae: The configuration that the RQ-VAE was trained with.
        model: Folder of the RQ-VAE that was kept, relative to the output folder; None: the run
            trained it.
        semantic_ids: Folder of the Semantic IDs that were kept.
    """

    items_digest: str
    rqvae: dict[str, Any]
    model: str | None = None
    semantic_ids: str | None = None


class Ledger(JsonModel):
    """The accepted days, oldest first; the first record is that of the log before them.

    Attributes:
        day_microseconds: Length of a day.
        space: Where the SID space comes from.
        days: The records.
        pending: Days that follow one that was done again, and have to be repeated for that; they
            come before any other.
    """

    day_microseconds: int
    space: SpaceRecord
    days: list[DayRecord]
    pending: list[DayRecord] = []

    @classmethod
    def open(cls, output: str) -> "Ledger":
        """Reads the ledger of an output folder.

        Raises:
            InputError: There is none, or it is damaged.
        """
        try:
            return cls.read(os.path.join(output, LEDGER))
        except FileNotFoundError:
            raise InputError(
                f"{output}: no day can follow; run the log before it with `sid run` first"
            ) from None

    def write(self, output: str) -> None:
        """Writes the ledger, in a file that appears whole."""
        write_json(os.path.join(output, LEDGER), self.to_json())

    def name_of(self, number: int) -> str:
        """A day as people call it."""
        start = from_microseconds(number * self.day_microseconds)
        return self.last.model_copy(update={"start": start.isoformat()}).name

    @property
    def last(self) -> DayRecord:
        """The last accepted day."""
        return self.days[-1]

    def find(self, number: int) -> DayRecord | None:
        """The record of a day; None where it was not accepted."""
        days = (day for day in self.days[1:] if not day.refresh)
        return next((day for day in days if day.number == number), None)

    def replayed(self, count: int) -> tuple[list[DayRecord], DayRecord | None]:
        """The days that a refresh replays.

        Args:
            count: How many of the last days, at least; 1 or more.

        Returns:
            They, oldest first, and the one before them, None where there is none. Of a log that the
            first of them is in, all days are.
        """
        days = [day for day in self.days if not day.refresh]
        return days[-count:], (days[-count - 1] if len(days) > count else None)

    def before(self, number: int) -> "Ledger":
        """The ledger as it was before a day; the days after that one are pending.

        A refresh after the day is gone: the days are repeated in the SID space before it.
        """
        days = [self.days[0], *(day for day in self.days[1:] if day.number < number)]
        later = [day for day in self.days[1:] if day.number > number and not day.refresh]
        return self.model_copy(update={"days": days, "pending": later})

    def followed(self, rankers: Sequence[str]) -> "Ledger":
        """The ledger that the next day follows, in the SID space of the served ranker.

        Where a rollback went back beyond a refresh, that is gone, and the days after it pend.

        Args:
            rankers: As for `served`.
        """
        begin = self.days.index(self.served(rankers)) + 1
        for number, day in enumerate(self.days[begin:], begin):
            if day.refresh:
                later = [day for day in self.days[number:] if not day.refresh]
                return self.model_copy(
                    update={"days": self.days[:number], "pending": [*later, *self.pending]}
                )
        return self

    def plus(self, record: DayRecord) -> "Ledger":
        """The ledger with one more day, which is pending no more."""
        pending = [day for day in self.pending if day.number != record.number]
        return self.model_copy(update={"days": [*self.days, record], "pending": pending})

    def served(self, rankers: Sequence[str]) -> DayRecord:
        """The record of the ranker that is served.

        Args:
            rankers: Folders of the released rankers' SavedModels, relative to the output folder,
                the served one first. One of no record is passed over: it is of a day that ended
                before it was written down, or that is done again.
        """
        released = [day for day in self.days if day.ranker_version is not None] or self.days
        for ranker in rankers:
            for day in released:
                if ranker.startswith(day.artifacts["ranker"] + os.sep):
                    return day
        return released[-1]

    def untrained_since(self, record: DayRecord) -> list[tuple[DayRecord, tuple[str, ...]]]:
        """The examples that the ranker of a record has not seen, oldest first, by their splits."""
        position = self.days.index(record)
        pending = [(record, tuple(record.untrained))] if record.untrained else []
        return [*pending, *((day, ("train", "eval")) for day in self.days[position + 1 :])]


def needed_artifacts(output: str, rankers: Sequence[str], replay: int) -> set[str]:
    """Folders, relative to the output folder, that the next day or refresh reads.

    Args:
        output: The folder.
        rankers: As for `Ledger.served`; after a rollback the next day follows one of the others.
        replay: Days that a refresh replays.
    """
    try:
        ledger = Ledger.read(os.path.join(output, LEDGER))
    except FileNotFoundError:
        return set()
    needed = set()
    for first in range(max(len(rankers), 1)):
        followed = ledger.followed(rankers[first:])
        served = followed.served(rankers[first:])
        needed |= {*served.artifacts.values(), *followed.last.artifacts.values()}
        needed |= {day.artifacts["examples"] for day, _ in followed.untrained_since(served)}
        _, before = followed.replayed(replay)
        if before is not None:
            needed.add(before.artifacts["state"])
    return needed


def begin_ledger(output: str, ledger: Ledger) -> None:
    """Begins the ledger of an output folder with a log; the days after the same log stay.

    Args:
        output: The folder.
        ledger: Of the log alone.
    """
    try:
        begun = Ledger.read(os.path.join(output, LEDGER))
    except FileNotFoundError:
        begun = None
    if begun is None or begun.days[0].artifacts != ledger.days[0].artifacts:
        ledger.write(output)


def digest_of(recorded: Mapping[str, Any]) -> str:
    """The digest of a data set's files, whatever their paths are.

    Args:
        recorded: As `Fingerprints.record` gives it.
    """
    digests = sorted(file["blake2"] for file in recorded["files"])
    return hashlib.blake2b("".join(digests).encode(), digest_size=16).hexdigest()
