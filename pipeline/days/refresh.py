"""`sid refresh`: the SID space, and all that is frozen with it, made anew."""

import dataclasses
import json
import os
import time
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import rich.console

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


@dataclasses.dataclass(frozen=True)
class RefreshResult:
    """The result of a refresh.

    Attributes:
        record: Its record, which is in the ledger where it was released.
        report: What it keeps, buys and moves: the content of `refresh.json`.
    """

    record: DayRecord
    report: Mapping[str, Any]


def refresh(
    items: str | Sequence[str],
    output: str,
    config: Config,
    console: rich.console.Console,
    skip_bad: int = 0,
) -> RefreshResult:
    """Refreshes the SID space of an output folder, and what depends on it.

    Args:
        items: The items as of the last accepted day; those that are missing lose their IDs.
        output: The output folder.
        config: That of the days.
        console: Where progress goes.
        skip_bad: Bad impressions of the replayed days that are put aside, at most.

    Raises:
        InputError: The items or the files of the replayed days are not what they should be; what
            was served stays served, and days go on in its space.
    """
    require_folder_name(output)
    output = os.path.abspath(output)
    with output_lock(output, "sid refresh"):
        destinations = Destinations.under(output)
        require_own_metadata(destinations)
        rankers = released_rankers(destinations.serving)
        ledger = Ledger.open(output).followed(rankers)
        if ledger.pending:
            raise InputError(
                f"{output}: day {ledger.pending[0].name} has to be repeated first; run it with "
                "`sid day`"
            )
        with logged_to(os.path.join(output, "logs", "refresh.log")):
            return _run(items, output, config, ledger, ledger.served(rankers), console, skip_bad)


def _run(
    items: str | Sequence[str],
    output: str,
    config: Config,
    ledger: Ledger,
    served: DayRecord,
    console: rich.console.Console,
    skip_bad: int,
) -> RefreshResult:
    # Beam's file systems come with them, which take a second.
    from semantic_id_ranking.pipeline.days.recorded_files import require_same_files
    from semantic_id_ranking.pipeline.look_at_inputs import look_at_inputs

    begin = time.monotonic()
    # The last part of what is replayed is held back, not what begins at a date.
    split = dataclasses.replace(config.split, evaluation_start=None)
    config = dataclasses.replace(config, split=split)
    replayed, before = ledger.replayed(config.days.replay)
    for day in replayed:
        require_same_files(day, output, "a refresh replays")
    impressions = [path for day in replayed for path in day.impressions]
    inputs = look_at_inputs(items, impressions, config, skip_bad)
    # TFX and TensorFlow take ten seconds to import: bad input is refused before that.
    from semantic_id_ranking.pipeline.days.record import refresh_record
    from semantic_id_ranking.pipeline.days.refresh_dag import create_refresh_pipeline
    from semantic_id_ranking.pipeline.execute import execute
    from semantic_id_ranking.pipeline.run import released_by

    destinations = Destinations.under(output)
    pipeline = create_refresh_pipeline(inputs, config, destinations, ledger.last, served, before)
    records, _ = execute(pipeline, destinations, output, console)
    released, _ = released_by(records)
    record = refresh_record(records, inputs, config, output, ledger.last, released)
    folder = records.output("RefreshEvaluator", "report").uri
    with open(os.path.join(folder, "refresh.json"), encoding="utf-8") as file:
        report = json.load(file)
    if released is not None:
        ledger.plus(record).write(output)
        write_blessed(output, released)
    records.mark_finished()
    for line in _lines(report, record):
        console.print(line, highlight=False, soft_wrap=True)
    console.print(f"{time.monotonic() - begin:.0f} s", highlight=False)
    return RefreshResult(record, report)


def _lines(report: Mapping[str, Any], record: DayRecord) -> list[str]:
    """What it came to, for people."""
    items, error = report["items"], report["reconstruction"]
    kept = ", ".join(f"{share:.1%}" for share in items["kept"])
    lines = [
        f"of {items['both']} items, the first 1, 2, ... codes kept: {kept}; {items['new']} are "
        f"new, {items['gone']} gone",
        f"reconstruction error {error['before']:.4f} before, {error['after']:.4f} after",
    ]
    for task, of_task in report["moved"].items():
        carried, trained = of_task["carried"], of_task["trained"]
        lines.append(
            f"{task}: carried, predictions of {carried['share']:.1%} of {report['impressions']} "
            f"impressions move, by {carried['mean_change']:.4f} on average; trained, by "
            f"{trained['mean_change']:.4f}"
        )
    if record.ranker_version is None:
        lines.append(f"not released: {'; '.join(report['missed']) or 'released before'}")
    else:
        lines.append(f"released as version {record.ranker_version}")
    return lines
