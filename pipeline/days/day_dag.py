"""The pipeline of one day.

```
items ─▶ ItemGen ─▶ checks ─▶ DriftCheck ─▶ SemanticIdGen ◀─ frozen RQ-VAE, earlier Semantic IDs
                                                 │
impressions ─▶ ImpressionGen ─▶ checks ─▶ DayGuard ─▶ FeatureJoiner ◀─ earlier state
                                                 │
               DayEvaluator: the served ranker and the baselines on the whole day
                                                 │
     VocabularyGrower ─▶ Trainer.candidate, from the served ranker, on what it has not seen
                                                 │
               RankingEvaluator: candidate against served, on the last tenth
                                                 │
     Trainer.ranker, on the last tenth too ─▶ Releaser        the baselines, on all of the day
```
"""

import dataclasses
import json
import os
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from tfx import v1 as tfx
from tfx.dsl.io import fileio
from tfx.types import artifact
from tfx.types import channel_utils
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import RankerState
from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.artifacts import State
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.day_guard.check import check_day
from semantic_id_ranking.components.day_guard.component import DayGuard
from semantic_id_ranking.components.drift_check.component import DriftCheck
from semantic_id_ranking.components.feature_joiner.component import FeatureJoiner
from semantic_id_ranking.components.ranker_trainer.component import RankerTrainer
from semantic_id_ranking.components.ranking_evaluator.component import RankingEvaluator
from semantic_id_ranking.components.releaser.component import Releaser
from semantic_id_ranking.components.semantic_id_gen.component import SemanticIdGen
from semantic_id_ranking.components.vocabulary_grower.component import VocabularyGrower
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.inputs.fingerprint import Fingerprints
from semantic_id_ranking.pipeline import component_parameters as parameters
from semantic_id_ranking.pipeline.assemble import assemble
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import to_dict
from semantic_id_ranking.pipeline.days.ledger import baseline_artifacts
from semantic_id_ranking.pipeline.days.ledger import DayRecord
from semantic_id_ranking.pipeline.days.ledger import LEDGER
from semantic_id_ranking.pipeline.days.ledger import Ledger
from semantic_id_ranking.pipeline.days.ledger import trainer_of
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.ingestion import Ingestion
from semantic_id_ranking.pipeline.inputs import Inputs

#: Splits of a day: its last tenth by time is `eval`.
_WHOLE_DAY = ("train", "eval")

_TYPES: Mapping[str, type[artifact.Artifact]] = {
    "rqvae": standard_artifacts.Model,
    "semantic_ids": SemanticIds,
    "tokenizer": standard_artifacts.Model,
    "transform_graph": standard_artifacts.TransformGraph,
    "state": State,
    "examples": standard_artifacts.Examples,
    "ranker": standard_artifacts.Model,
    "ranker_state": RankerState,
    "statistics": standard_artifacts.ExampleStatistics,
}


class Earlier:
    """Importers of earlier artifacts, each made once.

    A record's artifact never changes, so its day and run tell it from all others, and a repeated
    run of a day is answered from the cache.

    Args:
        output: The output folder.
        baselines: Names of the baselines that are trained.
    """

    def __init__(self, output: str, baselines: Iterable[str]):
        self._output = output
        self._types = dict(_TYPES)
        for name in baselines:
            model, state = baseline_artifacts(name)
            self._types |= {model: standard_artifacts.Model, state: RankerState}
        self._importers: dict[str, tfx.dsl.Importer] = {}

    def __call__(self, record: DayRecord, name: str) -> tfx.types.BaseChannel:
        """The channel of one of `ARTIFACTS` or `baseline_artifacts` of a record."""
        node = f"Earlier.{name}.{record.number}"
        if name not in record.artifacts:
            raise InputError(
                f"{os.path.join(self._output, LEDGER)}: {record.name} has no {name}, so no day can "
                "follow it; begin another output folder with `sid run`"
            )
        if node not in self._importers:
            uri = os.path.join(self._output, record.artifacts[name])
            if not fileio.exists(uri):
                raise InputError(
                    f"{uri}: is gone, so no day can follow {record.name}; `sid gc` keeps what the "
                    "last days need"
                )
            properties: dict[str, Any] = {}
            if name in ("examples", "statistics"):
                properties = {"split_names": '["train", "eval"]', "span": record.number}
            self._importers[node] = tfx.dsl.Importer(
                source_uri=uri,
                artifact_type=self._types[name],
                properties=properties,
                custom_properties={"day": record.number, "run": record.run_id},
            ).with_id(node)
        return self._importers[node].outputs["result"]

    def baseline(self, record: DayRecord, name: str) -> tfx.types.BaseChannel:
        """The model of a baseline."""
        return self(record, baseline_artifacts(name)[0])

    def baseline_state(self, record: DayRecord, name: str) -> tfx.types.BaseChannel:
        """The state of a baseline's training."""
        return self(record, baseline_artifacts(name)[1])

    @property
    def components(self) -> list[tfx.dsl.Importer]:
        """All importers."""
        return list(self._importers.values())


def create_day_pipeline(
    inputs: Inputs,
    config: Config,
    destinations: Destinations,
    day: int,
    ledger: Ledger,
    served: DayRecord,
) -> tfx.dsl.Pipeline:
    """Builds the pipeline of one day.

    Args:
        inputs: The day's impressions, and the items as of it.
        config: What the day depends on beside them.
        destinations: Where it writes.
        day: The number of the day.
        ledger: The days before it.
        served: The one whose ranker is served.

    Returns:
        The pipeline, for any TFX runner.
    """
    earlier = Earlier(os.path.dirname(destinations.serving), config.trained_baselines)
    last = ledger.last
    ingestion = Ingestion.create(
        inputs, config, Fingerprints(destinations.fingerprints), guarded=True
    )
    items = ingestion.items.outputs["examples"]
    drift = DriftCheck(
        examples=items,
        model=earlier(last, "rqvae"),
        earlier=earlier(last, "semantic_ids"),
        tokenizer=earlier(last, "tokenizer"),
        refuse_stop=True,
    )
    drift.add_upstream_node(ingestion.item_checks[-1])
    semantic_id_gen = SemanticIdGen(
        examples=items, model=earlier(last, "rqvae"), earlier=earlier(last, "semantic_ids")
    )
    semantic_id_gen.add_upstream_node(drift)
    semantic_ids = semantic_id_gen.outputs["semantic_ids"]
    joiner = FeatureJoiner(
        impressions=ingestion.impressions.outputs["examples"],
        items=items,
        semantic_ids=semantic_ids,
        parameters=dataclasses.replace(
            parameters.join_parameters(config, inputs), evaluation_period=False
        ),
        earlier_state=earlier(last, "state"),
        span=day,
    )
    # After a refresh, too, the day is compared with the last one.
    of_log = last.artifacts["statistics"] == ledger.days[0].artifacts["statistics"]
    guard = DayGuard(
        statistics=ingestion.impression_checks[0].outputs["statistics"],
        earlier_statistics=earlier(last, "statistics"),
        earlier_semantic_ids=earlier(last, "semantic_ids"),
        parameters=json.dumps(
            parameters.day_guard(config, inputs, last.name, of_log), sort_keys=True
        ),
        code_version=code_version(check_day),
    )
    guard.add_upstream_node(ingestion.impression_checks[-1])
    joiner.add_upstream_node(guard)
    examples = joiner.outputs["examples"]
    served_baselines = {name: earlier.baseline(last, name) for name in config.trained_baselines}
    day_evaluator = RankingEvaluator(
        examples=examples,
        semantic_ids=semantic_ids,
        candidate=earlier(served, "ranker"),
        baselines=served_baselines,
        parameters=parameters.day_evaluation(config, _WHOLE_DAY),
    ).with_id("DayEvaluator")
    grower = VocabularyGrower(
        examples=examples,
        transform_graph=earlier(last, "transform_graph"),
        categorical=config.context.categorical,
    )

    def train(
        name: str,
        of_ranker: Mapping[str, Any],
        previous: tfx.types.BaseChannel,
        today: tuple[str, ...],
        before: list[tuple[DayRecord, tuple[str, ...]]],
    ) -> RankerTrainer:
        channels = [earlier(record, "examples") for record, _ in before]
        return RankerTrainer(
            examples=channel_utils.union([*channels, examples]) if channels else examples,
            transform_graph=grower.outputs["grown_graph"],
            tokenizer=earlier(last, "tokenizer"),
            custom_config=of_ranker,
            previous=previous,
            splits={day: today, **{record.number: splits for record, splits in before}},
            own_code=[config.ranker.model] if config.ranker.model else [],
        ).with_id(trainer_of(name))

    candidate = train(
        "candidate",
        parameters.ranker(config),
        earlier(served, "ranker_state"),
        ("train",),
        ledger.untrained_since(served),
    )
    gate = RankingEvaluator(
        examples=examples,
        semantic_ids=semantic_ids,
        candidate=candidate.outputs["model"],
        baselines=served_baselines,
        served=earlier(served, "ranker"),
        parameters=parameters.day_gate(config),
    )
    ranker = train(
        "ranker",
        parameters.ranker(config),
        candidate.outputs["ranker_state"],
        ("eval",),
        [],
    )
    baselines = [
        train(
            name,
            of_baseline,
            earlier.baseline_state(last, name),
            _WHOLE_DAY,
            [(last, tuple(last.untrained))] if last.untrained else [],
        )
        for name, of_baseline in parameters.baselines(config).items()
    ]
    releaser = Releaser(
        ranker=ranker.outputs["model"],
        semantic_id=earlier(last, "rqvae"),
        semantic_ids=semantic_ids,
        state=joiner.outputs["state"],
        model_blessing=gate.outputs["blessing"],
        serving=destinations.serving,
        config=to_dict(config),
        # The day is accepted all the same.
        renews_store=True,
    )
    own = [
        drift,
        semantic_id_gen,
        guard,
        joiner,
        day_evaluator,
        grower,
        candidate,
        gate,
        ranker,
        *baselines,
        releaser,
    ]
    return assemble([*earlier.components, *ingestion.components, *own], config, destinations)
