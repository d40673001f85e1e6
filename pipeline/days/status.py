"""`sid status`: what an output folder serves, its last days, and what the next one will do."""

import datetime
import os
import pathlib
from typing import Any

import pyarrow.parquet as pq
import rich.console
import rich.table

from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.components.releaser.release import released_rankers
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.version_folders import RELEASE
from semantic_id_ranking.pipeline.days.day_metrics import DAYS
from semantic_id_ranking.pipeline.days.ledger import DayRecord
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.destinations import Destinations

#: Days whose metrics are told.
_RECENT = 7


def status(output: str) -> dict[str, Any]:
    """Tells what is served, and what the next day does.

    Args:
        output: An output folder.

    Returns:
        `served`: `versions`, `since` (ISO 8601), `space` (fingerprint), `day`, the last one whose
        impressions its ranker was trained on; `days`, of the last seven `day`, `auc` and `new_auc`
        (by model, `served` and each baseline; None where a slice has one class alone), `verdict`,
        `released`, `refresh` (whether it is one of the SID space after that day); `state`: `users`,
        and `bytes` on disk; `pending`, days that are to be repeated; `next`: `day`, `begins_with`
        (the day whose ranker trains on) and `trains_on` (days, beside itself).

    Raises:
        InputError: Nothing is released there, or a file is damaged.
    """
    serving = Destinations.under(os.path.abspath(output)).serving
    releases = read_releases(serving)
    if not releases:
        raise InputError(f"{output}: nothing is released there; sid status needs a run's output")
    rankers = released_rankers(serving)
    ledger = Ledger.open(output).followed(rankers)
    served = ledger.served(rankers)
    since = os.path.getmtime(os.path.join(serving, RELEASE))
    return {
        "served": {
            "versions": releases[0].versions,
            "since": datetime.datetime.fromtimestamp(since, datetime.timezone.utc).isoformat(),
            "space": releases[0].fingerprint,
            "day": served.name,
        },
        "days": _recent(output, ledger),
        "state": _state(output, ledger),
        "pending": [day.name for day in ledger.pending],
        "next": {
            "day": ledger.name_of(ledger.last.number + 1),
            "begins_with": served.name,
            "trains_on": [day.name for day, _ in ledger.untrained_since(served)],
        },
    }


def print_status(content: dict[str, Any], console: rich.console.Console) -> None:
    """Prints what `status` returned."""
    served, following = content["served"], content["next"]
    versions = ", ".join(f"{name} {number}" for name, number in served["versions"].items())
    lines = [
        f"served: {versions}, trained through {served['day']}, released {served['since']}",
        f"SID space: {served['space']}",
        f"state: {content['state']['users']:,} users, {content['state']['bytes']:,} bytes",
    ]
    if content["pending"]:
        lines.append(f"to be repeated first: {', '.join(content['pending'])}")
    beside = f" on {', '.join(following['trains_on'])} and" if following["trains_on"] else " on"
    lines.append(
        f"next day: {following['day']}; the ranker of {following['begins_with']} trains{beside} "
        "that day"
    )
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if not content["days"]:
        return
    table = rich.table.Table()
    models = list(dict.fromkeys(model for day in content["days"] for model in day["auc"]))
    titles = [f"{title} {model}" for title in ("AUC", "new:") for model in models]
    for name in ("day", *titles, "drift", "released"):
        table.add_column(name)
    for day in content["days"]:
        values = (day[key].get(model) for key in ("auc", "new_auc") for model in models)
        table.add_row(
            f"refresh after {day['day']}" if day["refresh"] else day["day"],
            *("-" if value is None else f"{value:.4f}" for value in values),
            day["verdict"]["verdict"] if day["verdict"] else "-",
            str(day["released"] or "no"),
        )
    console.print(table)
    last = next((day for day in reversed(content["days"]) if day["verdict"]), None)
    if last is None:
        return
    reason = f"drift on {last['day']}: {last['verdict']['verdict']}, {last['verdict']['reason']}"
    console.print(reason, highlight=False, markup=False, soft_wrap=True)


def _state(output: str, ledger: Ledger) -> dict[str, int]:
    folder = pathlib.Path(output, ledger.last.artifacts["state"])
    users = folder.glob("users-*")
    return {
        "users": sum(pq.ParquetFile(path).metadata.num_rows for path in users),
        "bytes": sum(path.stat().st_size for path in folder.iterdir()),
    }


def _recent(output: str, ledger: Ledger) -> list[dict[str, Any]]:
    path = os.path.join(output, DAYS)
    if len(ledger.days) == 1 or not os.path.exists(path):
        return []
    rows = pq.ParquetFile(path).read().to_pylist()
    task = rows[0]["task"]
    auc: dict[tuple[str, str], dict[str, float | None]] = {}
    for row in rows:
        if row["task"] == task:
            auc.setdefault((row["day"], row["slice"]), {})[row["model"]] = row["auc"]

    def of(day: DayRecord) -> dict[str, Any]:
        found = {} if day.refresh else auc
        return {
            "day": day.name,
            "auc": found.get((day.start, "all"), {}),
            "new_auc": found.get((day.start, "new"), {}),
            "verdict": day.verdict,
            "released": day.ranker_version,
            "refresh": day.refresh,
        }

    return [of(day) for day in ledger.days[1:][-_RECENT:]]
