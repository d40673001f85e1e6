"""One run on this machine: LocalDagRunner, SQLite metadata, the summary."""

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import rich.console

from semantic_id_ranking.components.releaser.release import ENCODER
from semantic_id_ranking.components.releaser.release import RANKER
from semantic_id_ranking.components.releaser.release import read_releases
from semantic_id_ranking.components.releaser.release import Release
from semantic_id_ranking.contracts.json_file import write_json
from semantic_id_ranking.contracts.version_folders import RELEASE
from semantic_id_ranking.pipeline import config as config_lib
from semantic_id_ranking.pipeline.blessed import write_blessed
from semantic_id_ranking.pipeline.days.taken_space import with_taken_rqvae
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.output_folder import require_folder_name
from semantic_id_ranking.pipeline.output_folder import require_own_metadata
from semantic_id_ranking.pipeline.output_lock import output_lock
from semantic_id_ranking.pipeline.run_summary import RunSummary
from semantic_id_ranking.pipeline.terminal import logged_to
from semantic_id_ranking.pipeline.terminal import printable

if TYPE_CHECKING:
    from semantic_id_ranking.pipeline.inputs import Inputs
    from semantic_id_ranking.pipeline.run_records import RunRecords

SUMMARY = "summary.json"


def run(
    items: str | Sequence[str],
    impressions: str | Sequence[str],
    output: str,
    config: config_lib.Config,
    console: rich.console.Console,
    skip_bad: int = 0,
    new_space: bool = False,
) -> RunSummary:
    """Runs the whole pipeline and reports.

    Args:
        items: Items: Parquet files, folders or patterns.
        impressions: Impressions, as the items.
        output: Folder of everything that the run makes: `artifacts/`, `metadata.sqlite`,
            `serving/`, `logs/`, `summary.json`, and meanwhile `tmp/`. A second run into it reuses
            what did not change.
        config: What the run depends on beside the files.
        console: Where progress and the summary go.
        skip_bad: Bad impressions that are put aside, at most.
        new_space: Whether an RQ-VAE is trained, or taken from `rqvae.model`, though the output has
            a released SID space, which else is kept: only new and changed items are encoded.

    Returns:
        What it came to: the content of `summary.json`.

    Raises:
        InputError: The input is not what it should be, or another process works on the output;
            nothing was pushed.
    """
    require_folder_name(output)
    output = os.path.abspath(output)
    begin = time.monotonic()
    os.makedirs(output, exist_ok=True)
    config = with_taken_rqvae(config, output)
    with output_lock(output, "sid run"):
        require_own_metadata(Destinations.under(output))
        if config.serving.store is not None:
            from semantic_id_ranking.components.releaser.publish_sids import require_store

            require_store(config.serving.store)
        # Beam's file systems come with it, which take a second.
        from semantic_id_ranking.pipeline.look_at_inputs import look_at_inputs

        inputs = look_at_inputs(items, impressions, config, skip_bad)
        for note in inputs.notes:
            _note(note, console)
        log = os.path.join(output, "logs", "run.log")
        console.print(f"loading TFX; the log is {log}", highlight=False, soft_wrap=True)
        with logged_to(log):
            summary, cached, outcome = _run(inputs, output, config, console, new_space)
    # Imports TensorFlow, which has to wait for the log.
    from semantic_id_ranking.pipeline.summary import tables

    console.print(summary.evaluation.headline, highlight=False, soft_wrap=True)
    for table in tables(summary):
        console.print(table)
    console.print(
        f"{len(summary.seconds) - len(cached)} components ran, {len(cached)} came from the "
        f"cache, {time.monotonic() - begin:.0f} s in all; see {os.path.join(output, SUMMARY)}",
        highlight=False,
        soft_wrap=True,
    )
    console.print(outcome, highlight=False, soft_wrap=True)
    return summary


def _outcome(summary: RunSummary, output: str, released: Release | None, idle: bool) -> str:
    """What became of the models, in one line.

    Args:
        summary: Of the run.
        output: Its output folder.
        released: What was released; None where nothing was.
        idle: Whether an earlier run had done it.
    """
    serving = os.path.join(output, "serving")
    if not summary.blessed:
        return f"not blessed, so nothing was pushed: {'; '.join(summary.missed)}"
    if released is None:
        return "blessed, but nothing was pushed"
    if [release.versions for release in read_releases(serving)][:1] != [released.versions]:
        return "blessed, but pushed by an earlier run; what was pushed or rolled back since stays"
    if idle:
        return f"blessed; an earlier run pushed these models to {serving}, where they are served"
    return f"blessed and pushed to {serving}"


def released_by(records: "RunRecords") -> tuple[Release | None, bool]:
    """What a run released, and whether no model of it was new."""
    artifact = records.output("Releaser", "release")
    try:
        released = Release.read(os.path.join(artifact.uri, RELEASE))
    except FileNotFoundError:
        return None, True
    return released, "Releaser" in records.cached() or artifact.properties.get("pushed") == 0


def _pushed(released: Release | None, serving: str) -> dict[str, str | None]:
    """The version folder of each model, None where nothing was released."""
    versions = released.versions if released else {}
    return {
        name: os.path.join(serving, name, str(versions[name])) if name in versions else None
        for name in (RANKER, ENCODER)
    }


def _run(
    inputs: "Inputs",
    output: str,
    config: config_lib.Config,
    console: rich.console.Console,
    new_space: bool,
) -> tuple[RunSummary, list[str], str]:
    """Runs the pipeline and writes its files.

    Returns:
        The summary, the cached components, and what became of the models, in one line.
    """
    # TFX and TensorFlow take ten seconds to import: bad input is refused before that.
    from semantic_id_ranking.inputs.fingerprint import Fingerprints
    from semantic_id_ranking.pipeline.dag import create_pipeline
    from semantic_id_ranking.pipeline.days.kept_space import space_of_run
    from semantic_id_ranking.pipeline.days.ledger import begin_ledger
    from semantic_id_ranking.pipeline.days.ledger import digest_of
    from semantic_id_ranking.pipeline.days.record import log_record
    from semantic_id_ranking.pipeline.execute import execute
    from semantic_id_ranking.pipeline.input_report import input_report
    from semantic_id_ranking.pipeline.input_report import sentences
    from semantic_id_ranking.pipeline.run_origin import run_origin
    from semantic_id_ranking.pipeline.summary import make_summary

    destinations = Destinations.under(output)
    items = Fingerprints(destinations.fingerprints).record(inputs.items)
    space = space_of_run(output, digest_of(items), config, new_space)
    if space.model is not None:
        model = os.path.join(output, space.model)
        console.print(f"keeping the SID space of {model}", highlight=False, soft_wrap=True)
    pipeline = create_pipeline(inputs, config, destinations, space)
    records, seconds = execute(pipeline, destinations, output, console)
    released, idle = released_by(records)
    summary = make_summary(
        records,
        seconds,
        input_report(records, output),
        run_origin(config, inputs, destinations),
        _pushed(released, destinations.serving),
    )
    for sentence in sentences(summary.inputs):
        _note(sentence, console)
    write_json(os.path.join(output, SUMMARY), summary.to_json())
    if released is not None:
        write_blessed(output, released)
        begin_ledger(output, log_record(records, inputs, config, output, released, space))
    records.mark_finished()
    return summary, records.cached(), _outcome(summary, output, released, idle)


def _note(sentence: str, console: rich.console.Console) -> None:
    console.print(
        f"note: {printable(sentence)}", highlight=False, markup=False, emoji=False, soft_wrap=True
    )
