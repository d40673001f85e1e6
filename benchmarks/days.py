"""The daily mode against a full retraining every day: AUC, and the CPU seconds of both.

`make bench-days DATA=DIR` writes `benchmarks/out/days.json` after each step and prints it at the
end. The log is split by time into parts of about equal numbers of impressions, and part k becomes
day k. Of the last parts each is judged twice: by the ranker that `sid run` trained on the parts
before them and that went on training day by day, and by one that `sid run` trained on all parts
before it. Expect AUCs within .002, and a day for at most 12 % of the CPU seconds of its full
retraining, both less those of 1,000 impressions.
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Annotated
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import typer

from benchmarks import command
from benchmarks.day_parts import DayParts
from benchmarks.day_parts import start_of
from semantic_id_ranking.pipeline import exit_status
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.load_config import load_config
from semantic_id_ranking.pipeline.run_summary import RunSummary

_SLICES = ("all", "new")
#: Impressions of each class that a slice needs to be judged.
_LEAST = 50
_FIXED = 1_000
_SID = "import sys; from semantic_id_ranking.cli.main import main; sys.exit(main())"


def ratio(days: list[dict[str, Any]], fixed: dict[str, float]) -> dict[str, float]:
    """The daily arm's CPU seconds over those of full retraining, summed over the days.

    Args:
        days: Of each day `daily` and `full`, each with `cpu_seconds`.
        fixed: "daily" and "full" -> CPU seconds of 1,000 impressions; empty where not measured.

    Returns:
        `as_it_is`, and `less_fixed` where `fixed` is known.

    >>> day = {"daily": {"cpu_seconds": 30}, "full": {"cpu_seconds": 120}}
    >>> ratio([day], {"daily": 20, "full": 40})
    {'as_it_is': 0.25, 'less_fixed': 0.125}
    """
    sums = {arm: sum(day[arm]["cpu_seconds"] for day in days) for arm in ("daily", "full")}
    result = {"as_it_is": sums["daily"] / sums["full"]}
    if fixed:
        less = {arm: sums[arm] - len(days) * fixed[arm] for arm in sums}
        result["less_fixed"] = less["daily"] / less["full"]
    return result


def judged(row: dict[str, Any]) -> float | None:
    """The AUC of a slice; None where it has fewer than 50 impressions of a class."""
    enough = min(row["positives"] or 0, row["negatives"] or 0) >= _LEAST
    return row["auc"] if enough else None


class Comparison:
    """Both arms on one data set."""

    def __init__(self, parts: DayParts, options: list[str], task: str, folder: pathlib.Path):
        """Runs nothing yet.

        Args:
            parts: The log.
            options: `--config` and `--set` of every run.
            task: The binary task whose AUC counts.
            folder: Where runs go.
        """
        self._parts = parts
        self._options = options
        self._task = task
        self._folder = folder
        self._output = str(folder / "daily")

    def log(self, end: int) -> dict[str, float]:
        """Begins the daily arm with the parts before `end`."""
        items, log = self._inputs(0, end)
        return self._run(["sid", "run", *_inputs(items, log), "--output", self._output])

    def day(self, part: int) -> dict[str, Any]:
        """Adds a part to the daily arm: its AUC by slice before it is trained on, and the cost."""
        return self._day(*self._inputs(part, part + 1))

    def full(self, part: int) -> dict[str, Any]:
        """Trains on all parts before one, and evaluates on that."""
        items, log = self._inputs(0, part + 1)
        return self._full(part, items, log, [f"split.evaluation_start={start_of(part)}"])

    def fixed(self, part: int) -> dict[str, Any]:
        """Both arms with 1,000 impressions; `part` is the first that the daily arm has not had."""
        count = len(self._parts.counts)
        items = self._parts.write_items(str(self._folder / "fixed" / "items.parquet"), count + 1)
        log = str(self._folder / "fixed" / "log.parquet")
        log = self._parts.write_last(log, _FIXED, part)
        # So few are a tenth of a day before, which the guard would refuse.
        few = ["--set", "guard.impressions=1000000"]
        return {"daily": self._day(items, log, few), "full": self._full(-1, items, log, [])}

    def state(self) -> dict[str, float]:
        """Bytes of the daily arm's state, and seconds to read and write its users, a million."""
        artifacts = Ledger.open(self._output).last.artifacts
        folder = pathlib.Path(self._output, artifacts["state"])
        files = [path for path in folder.rglob("*") if path.is_file()]
        of_users = [path for path in files if path.name.startswith("users-")]
        users, begin = 0, time.process_time()
        with tempfile.TemporaryDirectory() as copy:
            for path in of_users:
                table = pq.ParquetFile(path).read()
                users += table.num_rows
                pq.write_table(table, pathlib.Path(copy, path.name))
        seconds = time.process_time() - begin
        size = sum(path.stat().st_size for path in of_users)
        return {
            "users": users,
            "bytes": sum(path.stat().st_size for path in files),
            "user_bytes_per_million_users": 1e6 * size / max(users, 1),
            "copy_cpu_seconds_per_million_users": 1e6 * seconds / max(users, 1),
        }

    def _inputs(self, begin: int, end: int) -> tuple[str, str]:
        folder = self._folder / f"parts-{begin}-{end}"
        return (
            self._parts.write_items(str(folder / "items.parquet"), end),
            self._parts.write_impressions(str(folder / "impressions.parquet"), begin, end),
        )

    def _day(self, items: str, log: str, more: Sequence[str] = ()) -> dict[str, Any]:
        cost = self._run(["day", items, log, self._output, *more])
        last = Ledger.open(self._output).last
        rows = pq.ParquetFile(os.path.join(self._output, "days.parquet")).read().to_pylist()
        mine = {
            row["slice"]: row
            for row in rows
            if (row["day"], row["task"], row["model"]) == (last.start, self._task, "served")
        }
        return {
            "auc": {name: judged(mine[name]) for name in _SLICES},
            "released": last.ranker_version is not None,
            "drift": (last.verdict or {}).get("verdict"),
            **cost,
        }

    def _full(self, part: int, items: str, log: str, overrides: list[str]) -> dict[str, Any]:
        output = str(self._folder / f"full-{part}")
        more = [argument for override in overrides for argument in ("--set", override)]
        cost = self._run(["sid", "run", *_inputs(items, log), "--output", output, *more])
        summary = RunSummary.read(os.path.join(output, "summary.json"))
        metrics = summary.models["ranker"].metrics[self._task]
        counts = summary.evaluation.slices[self._task]
        rows = {
            name: {
                "auc": metrics[name].auc,
                "positives": counts[name].positives,
                "negatives": counts[name].negatives,
            }
            for name in _SLICES
        }
        return {
            "auc": {name: judged(row) for name, row in rows.items()},
            "rqvae_wall_seconds": summary.seconds["Trainer.rqvae"],
            **cost,
        }

    def _run(self, arguments: list[str]) -> dict[str, float]:
        """Runs a command in a process of its own, and says what it took."""
        program = ["-m", "benchmarks.days"]
        if arguments[0] == "sid":
            program = ["-c", _SID]
            arguments = arguments[1:]
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        with open(self._folder / "log.txt", "a", encoding="utf-8") as log:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", *program, *arguments, *self._options],
                stdout=log,
                stderr=log,
            )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in (0, exit_status.NOT_BLESSED):
            raise RuntimeError(f"exit status {done.returncode}; see {self._folder}/log.txt")
        return {
            "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "wall_seconds": time.monotonic() - begin,
        }


def _inputs(items: str, log: str) -> list[str]:
    return ["--items", items, "--impressions", log]


def _summarize(report: dict[str, Any]) -> None:
    days = [day for day in report["days"] if "full" in day]
    fixed = {arm: of_arm["cpu_seconds"] for arm, of_arm in report.get("fixed", {}).items()}
    if not days:
        return
    report["cpu_ratio"] = ratio(days, fixed)
    report["auc_difference"] = {}
    for name in _SLICES:
        both = [[day[arm]["auc"][name] for arm in ("daily", "full")] for day in days]
        differences = [daily - full for daily, full in both if None not in (daily, full)]
        if differences:
            report["auc_difference"][name] = {
                "mean": float(np.mean(differences)),
                "days": len(differences),
            }


def main(
    items: Annotated[str, typer.Option(help="Parquet file of the items.")],
    impressions: Annotated[str, typer.Option(help="Parquet file of the impressions.")],
    config: Annotated[str | None, typer.Option(help="YAML file of the configuration.")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="As of sid run.")] = None,
    parts: Annotated[int, typer.Option(help="Parts of the log.", min=2)] = 14,
    last: Annotated[int, typer.Option(help="Parts that are judged, the last ones.", min=1)] = 7,
    output: Annotated[str, typer.Option(help="JSON file.")] = "benchmarks/out/days.json",
    work: Annotated[
        str | None, typer.Option(help="Folder of the runs, new; without it they are removed.")
    ] = None,
) -> None:
    """Compares a ranker that goes on training with one that is trained anew every day."""
    settings = [*(overrides or ()), "days.length=1"]
    loaded = load_config(config, settings)
    task = next(task.name for task in loaded.tasks if task.type == "binary")
    options = [argument for setting in settings for argument in ("--set", setting)]
    if config is not None:
        options = ["--config", os.path.abspath(config), *options]
    divided = DayParts(items, impressions, loaded, parts)
    report: dict[str, Any] = {"impressions": divided.counts.tolist(), "task": task}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(work or temporary).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        comparison = Comparison(divided, options, task, folder)
        report["log"] = comparison.log(parts - last)
        report["days"] = []
        for part in range(parts - last, parts):
            day: dict[str, Any] = {"part": part + 1, "daily": comparison.day(part)}
            report["days"].append(day)
            day["full"] = comparison.full(part)
            _summarize(report)
            command.write_json(output, report)
        report["state"] = comparison.state()
        report["fixed"] = comparison.fixed(parts)
        _summarize(report)
        command.write_json(output, report)
    print(json.dumps(report, indent=1))


def one_day(
    items: str,
    impressions: str,
    output: str,
    config: str | None = None,
    overrides: Annotated[list[str] | None, typer.Option("--set")] = None,
) -> None:
    """Runs a day in this process."""
    import rich.console

    from semantic_id_ranking.pipeline.days.run_day import run_day

    run_day(
        items, impressions, output, load_config(config, overrides or ()), rich.console.Console()
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["day"]:
        del sys.argv[1]
        command.run(one_day)
    else:
        command.run(main)
