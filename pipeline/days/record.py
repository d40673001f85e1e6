"""Records of the ledger, made of what ML Metadata knows of a run."""

import json
import os
from collections.abc import Mapping

from semantic_id_ranking.components.releaser.release import RANKER
from semantic_id_ranking.components.releaser.release import relative_to
from semantic_id_ranking.components.releaser.release import Release
from semantic_id_ranking.inputs.fingerprint import Fingerprints
from semantic_id_ranking.inputs.timestamps import from_microseconds
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.days.ledger import baseline_artifacts
from semantic_id_ranking.pipeline.days.ledger import DayRecord
from semantic_id_ranking.pipeline.days.ledger import digest_of
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.days.ledger import SpaceRecord
from semantic_id_ranking.pipeline.days.ledger import trainer_of
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.inputs import Inputs
from semantic_id_ranking.pipeline.run_records import RunRecords

#: Artifact -> the component and the output that make it, of the log's run and of a day's.
_MADE_BY = {
    "semantic_ids": ("SemanticIdGen", "semantic_ids"),
    "state": ("FeatureJoiner", "state"),
    "examples": ("FeatureJoiner", "examples"),
    "ranker": ("Trainer.ranker", "model"),
    "ranker_state": ("Trainer.ranker", "ranker_state"),
    "statistics": ("StatisticsGen.impressions", "statistics"),
}
_OF_THE_LOG = {
    "tokenizer": ("SidTokenizerTrainer", "model"),
    "transform_graph": ("Transform", "transform_graph"),
}
_OF_A_DAY = {"transform_graph": ("VocabularyGrower", "grown_graph")}


def log_record(
    records: RunRecords,
    inputs: Inputs,
    config: Config,
    output: str,
    released: Release,
    space: SpaceRecord,
) -> Ledger:
    """The ledger that begins with the run of a log: days follow the last day of it.

    Args:
        records: What was recorded of the run.
        inputs: The log.
        config: How long a day is, and the baselines.
        output: The output folder.
        released: What was released.
        space: Where its SID space comes from.
    """
    length = config.days.microseconds
    record = _record(records, inputs, output, inputs.last_time // length, length, released)
    made = {**_MADE_BY, **_of_baselines(config), **_OF_THE_LOG}
    artifacts = {} if space.model is None else {"rqvae": space.model}
    if space.model is None:
        made["rqvae"] = ("Trainer.rqvae", "model")
    return Ledger(
        day_microseconds=length,
        space=space,
        # Its ranker is trained on the training period alone.
        days=[
            record.model_copy(
                update={
                    "untrained": ["eval"],
                    "artifacts": {**artifacts, **_artifacts(records, made, output)},
                    "impressions": [file.path for file in inputs.impressions.files],
                }
            )
        ],
    )


def day_record(
    records: RunRecords,
    inputs: Inputs,
    config: Config,
    output: str,
    number: int,
    last: DayRecord,
    released: Release | None,
    sources: Mapping[str, list[str]],
) -> DayRecord:
    """The record of a day.

    Args:
        records: What was recorded of its run.
        inputs: Its impressions.
        config: How long it is, and the baselines.
        output: The output folder.
        number: The day.
        last: The record before it, whose space and tokenizer stay.
        released: What was released; None where nothing was.
        sources: `items` and `impressions`, as they were named.
    """
    record = _record(records, inputs, output, number, config.days.microseconds, released)
    kept = {name: last.artifacts[name] for name in ("rqvae", "tokenizer")}
    made = _artifacts(records, {**_MADE_BY, **_of_baselines(config), **_OF_A_DAY}, output)
    with open(
        os.path.join(records.output("DriftCheck", "report").uri, "drift.json"), encoding="utf-8"
    ) as file:
        drift = json.load(file)
    verdict = {name: drift[name] for name in ("verdict", "reason")}
    return record.model_copy(update={"artifacts": {**kept, **made}, "verdict": verdict, **sources})


def refresh_record(
    records: RunRecords,
    inputs: Inputs,
    config: Config,
    output: str,
    last: DayRecord,
    released: Release | None,
) -> DayRecord:
    """The record of a refresh, after which days go on in another space.

    Args:
        records: What was recorded of its run.
        inputs: The impressions that were replayed.
        config: How long a day is, and the baselines.
        output: The output folder.
        last: The last day.
        released: What was released; None where nothing was.
    """
    record = _record(records, inputs, output, last.number, config.days.microseconds, released)
    rqvae = {"rqvae": ("Trainer.rqvae", "model")}
    made_by = {**_MADE_BY, **_of_baselines(config), **_OF_THE_LOG, **rqvae}
    made = _artifacts(records, made_by, output)
    # Its ranker is trained on the training period of the replayed days alone.
    return record.model_copy(
        update={
            "refresh": True,
            "untrained": ["eval"],
            # The next day is compared with the last one, not with what is replayed.
            "artifacts": {**made, "statistics": last.artifacts["statistics"]},
        }
    )


def _record(
    records: RunRecords,
    inputs: Inputs,
    output: str,
    number: int,
    length: int,
    released: Release | None,
) -> DayRecord:
    fingerprints = Fingerprints(Destinations.under(output).fingerprints)
    log = fingerprints.record(inputs.impressions)
    return DayRecord(
        number=number,
        start=from_microseconds(number * length).isoformat(),
        digest=digest_of(log),
        run_id=records.run_id,
        ranker_version=released.versions[RANKER] if released else None,
        artifacts={},
    )


def _of_baselines(config: Config) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for name in config.trained_baselines:
        model, state = baseline_artifacts(name)
        trainer = trainer_of(name)
        found |= {model: (trainer, "model"), state: (trainer, "ranker_state")}
    return found


def _artifacts(
    records: RunRecords, made_by: dict[str, tuple[str, str]], output: str
) -> dict[str, str]:
    return {
        name: relative_to(output, records.output(*source).uri) for name, source in made_by.items()
    }
