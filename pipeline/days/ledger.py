"""`days.json`: the accepted days of an output folder, and the artifacts that each made."""

import datetime
import hashlib
import os
from collections.abc import Mapping
from typing import Any

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.json_file import write_json
from semantic_id_ranking.contracts.json_model import JsonModel

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
    "baseline",
    "baseline_state",
)


class DayRecord(JsonModel):
    """An accepted day, or the log that the first training was of.

    Attributes:
        number: The day: [number, number + 1) lengths since 1970, UTC; of a log, its last day.
        start: The first instant of the day, ISO 8601; of a log, that of its last day.
        digest: Of the content of its files of impressions.
        files: Those files.
        run_id: The run that made it, in ML Metadata.
        untrained: Splits of its examples that its ranker was not trained on.
        ranker_version: The version that its ranker was released as; None: it was not released.
        verdict: Drift of the day's items, "keep", "refresh" or "stop", and the reason.
        artifacts: Folder of each of `ARTIFACTS`, relative to the output folder.
    """

    number: int
    start: str
    digest: str
    files: list[str]
    run_id: str
    untrained: list[str] = []
    ranker_version: int | None = None
    verdict: dict[str, str] | None = None
    artifacts: dict[str, str]

    @property
    def name(self) -> str:
        """The day as people call it: its date, and its hour where it does not begin at midnight."""
        start = datetime.datetime.fromisoformat(self.start)
        return f"{start:%Y-%m-%d}" if start.time() == datetime.time() else f"{start:%Y-%m-%dT%H:%M}"


class Ledger(JsonModel):
    """The accepted days, oldest first; the first record is that of the log before them.

    Attributes:
        day_microseconds: Length of a day.
        days: The records.
    """

    day_microseconds: int
    days: list[DayRecord]

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

    @property
    def last(self) -> DayRecord:
        """The last accepted day."""
        return self.days[-1]

    def find(self, number: int) -> DayRecord | None:
        """The record of a day; None where it was not accepted."""
        return next((day for day in self.days[1:] if day.number == number), None)

    def before(self, number: int) -> "Ledger":
        """The ledger as it was before a day."""
        kept = [self.days[0], *(day for day in self.days[1:] if day.number < number)]
        return self.model_copy(update={"days": kept})

    def plus(self, record: DayRecord) -> "Ledger":
        """The ledger with one more day."""
        return self.model_copy(update={"days": [*self.days, record]})

    def served(self, ranker_version: int | None) -> DayRecord:
        """The record of the ranker that is served.

        Args:
            ranker_version: The version that is served; None, or one of no record, takes the log's.
        """
        released = [day for day in self.days if day.ranker_version is not None]
        return next(
            (day for day in reversed(released) if day.ranker_version == ranker_version),
            self.days[0],
        )

    def untrained_since(self, record: DayRecord) -> list[tuple[DayRecord, tuple[str, ...]]]:
        """The examples that the ranker of a record has not seen, oldest first, by their splits."""
        position = self.days.index(record)
        pending = [(record, tuple(record.untrained))] if record.untrained else []
        return [*pending, *((day, ("train", "eval")) for day in self.days[position + 1 :])]


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
