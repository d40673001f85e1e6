"""One run on this machine: LocalDagRunner, SQLite metadata, the summary."""

import json
import logging
import os
import time
from collections.abc import Sequence
from typing import Any

import rich.console

from semantic_id_ranking.components.errors import InputError
from semantic_id_ranking.pipeline import config as config_lib
from semantic_id_ranking.pipeline.inputs import Inputs
from semantic_id_ranking.pipeline.release import add_release
from semantic_id_ranking.pipeline.release import newest_versions
from semantic_id_ranking.pipeline.terminal import logged_to

SUMMARY = "summary.json"


def run(
    items: str | Sequence[str],
    impressions: str | Sequence[str],
    output: str,
    config: config_lib.Config,
    console: rich.console.Console,
    skip_bad: int = 0,
) -> dict[str, Any]:
    """Runs the whole pipeline and reports.

    Args:
        items: Items: Parquet files, folders or patterns.
        impressions: Impressions, as the items.
        output: Folder of everything that the run makes: `artifacts/`, `metadata.sqlite`,
            `serving/`, `logs/`, `summary.json`. A second run into it reuses what did not change.
        config: What the run depends on beside the files.
        console: Where progress and the summary go.
        skip_bad: Bad impressions that are put aside, at most.

    Returns:
        The content of `summary.json`.

    Raises:
        InputError: The input is not what it should be; nothing was pushed.
    """
    output = os.path.abspath(output)
    begin = time.monotonic()
    inputs = Inputs.look(items, impressions, config, skip_bad)
    for note in inputs.notes:
        console.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
    os.makedirs(output, exist_ok=True)
    log = os.path.join(output, "logs", "run.log")
    console.print(f"loading TFX; the log is {log}", highlight=False, soft_wrap=True)
    with logged_to(log):
        summary, cached = _run(inputs, output, config, console)
    # Imports TensorFlow, which has to wait for the log.
    from semantic_id_ranking.pipeline.summary import tables

    for table in tables(summary):
        console.print(table)
    console.print(
        f"{len(summary['seconds']) - len(cached)} components ran, {len(cached)} came from the "
        f"cache, {time.monotonic() - begin:.0f} s in all; see {os.path.join(output, SUMMARY)}",
        highlight=False,
        soft_wrap=True,
    )
    console.print(_outcome(summary, output), highlight=False, soft_wrap=True)
    return summary


def _outcome(summary: dict[str, Any], output: str) -> str:
    """What became of the models, in one line."""
    if not summary["blessed"]:
        return "not blessed: the ranker misses a threshold, so nothing was pushed"
    if newest_versions(summary["pushed"]) is None:
        return "blessed, but pushed by an earlier run; what was pushed or rolled back since stays"
    return f"blessed and pushed to {os.path.join(output, 'serving')}"


def _run(
    inputs: Inputs, output: str, config: config_lib.Config, console: rich.console.Console
) -> tuple[dict[str, Any], list[str]]:
    """Runs the pipeline and writes its files; returns the summary and the cached components."""
    # TFX and TensorFlow take ten seconds to import: bad input is refused before that.
    import tensorflow_text  # noqa: F401  registers SentencePiece's ops for the Evaluator
    from tfx import v1 as tfx

    from semantic_id_ranking.pipeline.dag import create_pipeline
    from semantic_id_ranking.pipeline.destinations import Destinations
    from semantic_id_ranking.pipeline.input_report import input_report
    from semantic_id_ranking.pipeline.input_report import sentences
    from semantic_id_ranking.pipeline.progress import Progress
    from semantic_id_ranking.pipeline.run_records import RunRecords
    from semantic_id_ranking.pipeline.summary import make_summary

    destinations = Destinations.under(output)
    pipeline = create_pipeline(inputs, config, destinations)
    progress = Progress(
        [component.id for component in pipeline.components],
        lambda line: console.print(line, highlight=False, markup=False),
    )
    logger = logging.getLogger("absl")
    logger.addHandler(progress)
    try:
        tfx.orchestration.LocalDagRunner().run(pipeline)
    except InputError:
        raise
    except Exception as error:
        if cause := _input_error_behind(error):
            raise cause from None
        console.print(f"{progress.running} failed", highlight=False)
        raise
    finally:
        logger.removeHandler(progress)
    records = RunRecords(destinations.metadata)
    summary = make_summary(records, config, progress.seconds)
    summary["inputs"] = input_report(records, output)
    for sentence in sentences(summary["inputs"]):
        console.print(f"note: {sentence}", highlight=False, markup=False, soft_wrap=True)
    _write_json(os.path.join(output, SUMMARY), summary)
    versions = newest_versions(summary["pushed"])
    if versions is not None:
        release = _release(records, inputs, config, summary)
        add_release(destinations.serving, {"versions": versions, **release})
    return summary, records.cached()


def _release(
    records: Any, inputs: Inputs, config: config_lib.Config, summary: dict[str, Any]
) -> dict[str, Any]:
    """What belongs to the pushed models: the clients of the model server read it."""
    return {
        "fingerprint": summary["sid"]["fingerprint"],
        "models": {name: os.path.dirname(path) for name, path in summary["pushed"].items()},
        "semantic_ids": records.output("SemanticIdGen", "semantic_ids").uri,
        "histories": records.output("FeatureJoiner", "histories").uri,
        "items": inputs.items.name,
        "config": config_lib.to_dict(config),
    }


def _input_error_behind(error: BaseException) -> InputError | None:
    """The InputError that an error was raised from, if there is one."""
    while error is not None:
        if isinstance(error, InputError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _write_json(path: str, content: dict[str, Any]) -> None:
    """Writes a file that appears whole."""
    with open(f"{path}.tmp", "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
    os.replace(f"{path}.tmp", path)
