"""The order in which days are done, repeated and refused; the pipeline itself is not run."""

import io
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rich.console

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.days import run_day as run_day_lib
from semantic_id_ranking.pipeline.days.ledger import DayRecord
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.days.recorded_files import impressions_digest
from semantic_id_ranking.trainer.ranker.config import TaskConfig
from tests.pipeline.days.test_ledger import DAY
from tests.pipeline.days.test_ledger import record
from tests.pipeline.days.test_ledger import SPACE

LOG = 19783
CONFIG = Config(tasks=(TaskConfig(name="click", label="click"),))


class Days:
    """An output folder with a log and two days, the second of which is to be repeated."""

    def __init__(self, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
        self._folder = folder
        self.output = str(folder / "output")
        self.done: list[tuple[int, str]] = []
        pathlib.Path(self.output).mkdir()
        items = {"item_id": ["a"], "title": ["A"], "embedding": [[1.0, 2.0]]}
        pq.write_table(pa.table(items), folder / "items.parquet")
        monkeypatch.setattr(run_day_lib._Days, "_run", self._run)
        self.first, self.second = self.file(LOG + 1, "first"), self.file(LOG + 2, "second")
        ledger = Ledger(day_microseconds=DAY, space=SPACE, days=[record(LOG, 1)])
        ledger.write(self.output)
        for path in (self.first, self.second):
            self.day(path)
        ledger = Ledger.open(self.output)
        ledger.before(LOG + 1).plus(ledger.days[1]).write(self.output)
        self.done.clear()

    def _run(self, inputs, ledger, number, sources) -> DayRecord:
        self.done.append((number, pathlib.Path(sources["impressions"][0]).name))
        digest = impressions_digest(inputs.impressions, self.output)
        return record(number, number).model_copy(update={"digest": digest, **sources})

    def file(self, day: int, name: str, clicks: int = 0) -> str:
        path = self._folder / f"{name}.parquet"
        rows = {
            "user_id": ["u", "v"],
            "item_id": ["a", "a"],
            "timestamp": pa.array([day * DAY, day * DAY + 1], pa.timestamp("us", "UTC")),
            "click": [clicks, 1],
        }
        pq.write_table(pa.table(rows), path)
        return str(path)

    def day(self, impressions: str, redo: bool = False) -> None:
        console = rich.console.Console(file=io.StringIO())
        items = str(self._folder / "items.parquet")
        run_day_lib.run_day(items, impressions, self.output, CONFIG, console, redo)


@pytest.fixture
def days(tmp_path, monkeypatch) -> Days:
    return Days(tmp_path, monkeypatch)


def test_what_is_to_be_repeated_comes_first(days):
    days.day(days.file(LOG + 3, "third"))
    assert days.done == [(LOG + 2, "second.parquet"), (LOG + 3, "third.parquet")]
    assert Ledger.open(days.output).pending == []


def test_the_same_files_as_those_of_the_day_to_be_repeated_repeat_it(days):
    days.day(days.second)
    assert days.done == [(LOG + 2, "second.parquet")]


def test_a_day_to_be_repeated_can_be_given_with_other_files(days):
    pathlib.Path(days.second).unlink()
    other = days.file(LOG + 2, "other", clicks=1)
    with pytest.raises(InputError, match=r"second\.parquet: no such file.* give others with `sid"):
        days.day(other)
    assert days.done == []
    days.day(other, redo=True)
    assert days.done == [(LOG + 2, "other.parquet")]
    ledger = Ledger.open(days.output)
    assert [day.number for day in ledger.days] == [LOG, LOG + 1, LOG + 2]
    assert ledger.pending == []


def test_another_content_of_the_day_to_be_repeated_is_refused_without_redo(days):
    days.file(LOG + 2, "second", clicks=1)
    with pytest.raises(InputError, match="is not what day 2024-03-03 was done with, which has to"):
        days.day(days.second)
    days.day(days.second, redo=True)
    assert days.done == [(LOG + 2, "second.parquet")]


def test_a_day_before_the_one_to_be_repeated_is_done_again_first(days):
    changed = days.file(LOG + 1, "changed", clicks=1)
    days.day(changed, redo=True)
    assert days.done[-2:] == [(LOG + 1, "changed.parquet"), (LOG + 2, "second.parquet")]
    assert Ledger.open(days.output).pending == []
