"""A refresh that is killed again and again, the days after it, and what a rollback makes of it."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from semantic_id_ranking.cli.push import rollback
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.pipeline.days.day_config import day_config
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.days.run_day import run_day
from semantic_id_ranking.pipeline.days.status import status
from semantic_id_ranking.serving.store.open_store import open_store
from tests.days_world import CONSOLE
from tests.days_world import FIRST
from tests.days_world import impressions_counted
from tests.days_world import name_of
from tests.days_world import sids
from tests.pipeline.killed_refresh import STEPS

pytestmark = pytest.mark.slow


class Refreshed:
    """The output after the first day and a refresh that was killed after each step."""

    def __init__(self, world, folder: pathlib.Path):
        self.output = str(folder / "output")
        self.store = f"sqlite:///{folder / 'sids.sqlite'}"
        shutil.copytree(world.output, self.output)
        self.items = world.items(FIRST)
        self.before = Ledger.open(self.output)
        self.release_before = self.release()
        program = [sys.executable, "-m", "tests.pipeline.killed_refresh"]
        arguments = [self.items, self.output, self.store]
        done = subprocess.run([*program, *arguments], capture_output=True, text=True)
        self.killed_after = done.stdout.splitlines()
        self.log = done.stderr

    def config(self):
        return day_config(self.output, None, (f"serving.store={self.store}",))

    def release(self):
        return read_releases(os.path.join(self.output, "serving"))[0]


@pytest.fixture(scope="module")
def refreshed(world, tmp_path_factory) -> Refreshed:
    return Refreshed(world, tmp_path_factory.mktemp("refresh"))


def test_a_refresh_killed_after_each_step_ends_as_one(world, refreshed):
    assert refreshed.killed_after == list(STEPS), refreshed.log[-2000:]
    output = refreshed.output
    assert Ledger.open(output) == refreshed.before
    released = refreshed.release()
    assert released.fingerprint != refreshed.release_before.fingerprint
    # Nothing goes on before it is written down.
    with pytest.raises(InputError, match="released by a command that was then interrupted"):
        run_day(
            world.items(FIRST + 1),
            world.impressions(FIRST + 1),
            output,
            refreshed.config(),
            CONSOLE,
        )

    sid = os.path.join(os.path.dirname(sys.executable), "sid")
    options = ["--set", f"serving.store={refreshed.store}", "--json"]
    command = [sid, "refresh", "--items", refreshed.items, "--output", output, *options]
    done = subprocess.run(command, capture_output=True, check=True)
    ledger = Ledger.open(output)
    said = json.loads(done.stdout)
    assert said == {"record": ledger.last.to_json(), "report": refresh_report(output)}
    assert [day.refresh for day in ledger.days] == [False, False, True]
    assert refreshed.release() == released
    for name in ("ranker", "semantic_id"):
        served = [v for v in os.listdir(os.path.join(output, "serving", name)) if v.isdecimal()]
        assert len(served) == (3 if name == "ranker" else 2)
    with open_store(refreshed.store) as store:
        assert released.fingerprint in store.spaces()


def test_its_report_counts_what_stays(refreshed):
    ledger = Ledger.open(refreshed.output)
    before, after = (sids(refreshed.output, day) for day in ledger.days[1:3])
    assert set(before) == set(after)
    result = refresh_report(refreshed.output)
    for length, share in enumerate(result["items"]["kept"], 1):
        same = [before[item][:length] == after[item][:length] for item in before]
        assert share == pytest.approx(sum(same) / len(same))
    assert result["items"]["kept"][0] > 0.8


def refresh_report(output: str) -> dict:
    (path,) = pathlib.Path(output).glob("artifacts/RefreshEvaluator/report/*/refresh.json")
    return json.loads(path.read_text())


def test_days_go_on_in_the_new_space_and_back_in_the_old(world, refreshed):
    output, config, day = refreshed.output, refreshed.config(), FIRST + 1
    files = (world.items(day), world.impressions(day))
    result = run_day(*files, output, config, CONSOLE)
    _, first, refresh_, second = Ledger.open(output).days
    assert second == result.record
    before, after = sids(output, refresh_), sids(output, second)
    assert {item: after[item] for item in before} == before
    assert len(after) > len(before)
    total = (world.log["timestamp"] < world.end_of(day)).sum()
    assert impressions_counted(output, second) == total
    assert refreshed.release().versions["ranker"] == second.ranker_version

    for _ in range(2):
        rollback(os.path.join(output, "serving"), None, CONSOLE)
    said = status(output)
    assert said["pending"] == [name_of(day)]
    assert said["next"] == {
        "day": name_of(day),
        "begins_with": name_of(FIRST),
        "trains_on": [],
    }
    again = run_day(*files, output, config, CONSOLE)
    assert again.repeated  # It was pending.
    days = Ledger.open(output).days
    assert [day.refresh for day in days] == [False] * 3
    assert days[2].artifacts["rqvae"] == first.artifacts["rqvae"]
    known = sids(output, first)
    assert {item: sids(output, days[2])[item] for item in known} == known
    assert refreshed.release().fingerprint == refreshed.release_before.fingerprint
    assert impressions_counted(output, days[2]) == total
    rows = pq.read_table(os.path.join(output, "days.parquet")).to_pandas()
    assert sorted(rows["day"].unique()) == [day.start for day in days[1:]]
