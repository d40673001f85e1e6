"""Items and impressions of a log and three days after it, and a run of the log and a day."""

import datetime
import io
import os
import pathlib

import pandas as pd
import pyarrow.parquet as pq
import rich.console

from semantic_id_ranking.pipeline import run as run_lib
from semantic_id_ranking.pipeline.days.day_config import day_config
from semantic_id_ranking.pipeline.days.ledger import DayRecord
from semantic_id_ranking.pipeline.days.run_day import DayResult
from semantic_id_ranking.pipeline.days.run_day import run_day
from semantic_id_ranking.pipeline.load_config import load_config
from tests import synthetic
from tests.conftest import SMALL

CONSOLE = rich.console.Console(file=io.StringIO(), width=160)
#: The log is of the days before, the last three are added.
FIRST = synthetic.DAYS - 3


def start_of(day: int) -> datetime.datetime:
    return synthetic.START + datetime.timedelta(days=day)


def name_of(day: int) -> str:
    return f"{start_of(day):%Y-%m-%d}"


class World:
    """The files of a log and of three days, and a run of the log with the first of them."""

    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        self.catalogue = synthetic.items()
        self.log = synthetic.impressions(self.catalogue)
        for day in range(FIRST, synthetic.DAYS):
            known = self.catalogue[self.catalogue["created_at"] < start_of(day + 1)]
            synthetic.write(known, self.items(day))
            synthetic.write(self.of(day), self.impressions(day))
        self.output = str(folder / "output")
        known = self.catalogue[self.catalogue["created_at"] < start_of(FIRST)]
        config = folder / "config.yaml"
        config.write_text(SMALL)
        run_lib.run(
            synthetic.write(known, folder / "items.parquet"),
            self.log_before(FIRST),
            self.output,
            load_config(str(config)),
            CONSOLE,
        )
        self.first = self.day(FIRST, self.output)

    def of(self, day: int) -> pd.DataFrame:
        times = self.log["timestamp"]
        return self.log[(times >= start_of(day)) & (times < start_of(day + 1))]

    def end_of(self, day: int) -> datetime.datetime:
        return start_of(day + 1)

    def log_before(self, day: int) -> str:
        """A log that ends where a day begins."""
        frame = self.log[self.log["timestamp"] < start_of(day)]
        return synthetic.write(frame, self._folder / f"log-{name_of(day)}.parquet")

    def items(self, day: int) -> str:
        return str(self._folder / f"items-{name_of(day)}.parquet")

    def impressions(self, day: int) -> str:
        return str(self._folder / f"impressions-{name_of(day)}.parquet")

    def changed(self, day: int) -> str:
        """Fewer impressions of a day."""
        path = self._folder / f"changed-{name_of(day)}.parquet"
        return synthetic.write(self.of(day).iloc[:-5], path)

    def day(
        self, day: int, output: str, impressions: str | None = None, redo: bool = False
    ) -> DayResult:
        given = impressions or self.impressions(day)
        config = day_config(output, None, ())
        return run_day(self.items(day), given, output, config, CONSOLE, redo)


def sids(output: str, record: DayRecord) -> dict[str, tuple[int, ...]]:
    table = pq.read_table(os.path.join(output, record.artifacts["semantic_ids"]))
    return dict(
        zip(table["item_id"].to_pylist(), map(tuple, table["sid"].to_pylist()), strict=True)
    )


def impressions_counted(output: str, record: DayRecord) -> int:
    path = os.path.join(output, record.artifacts["state"], "items.parquet")
    return sum(pq.read_table(path)["impressions"].to_pylist())
