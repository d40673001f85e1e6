"""The pipeline of a refresh: all that is frozen with the SID space, made anew.

```
items ─▶ ItemGen ─▶ checks ─▶ Trainer.rqvae, from the earlier one ─▶ SemanticIdGen
                                                                         │
last days ─▶ ImpressionGen ─▶ checks ─▶ SidTokenizerTrainer,  FeatureJoiner ◀─ state before them
                                              │                   │
                                              │               Transform
                                              ▼                   ▼
     served ranker, baselines ─▶ RankerCarrier ─▶ Trainer.ranker, one of each baseline
                                                      │
     RankingEvaluator: new, carried, baselines        │      EarlierEvaluator: served
                                   └─▶ RefreshEvaluator ◀─────────┘
                                              │
                                           Releaser
```
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from tfx import v1 as tfx

from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.feature_joiner.component import FeatureJoiner
from semantic_id_ranking.components.ranker_carrier.component import RankerCarrier
from semantic_id_ranking.components.ranker_trainer.component import RankerTrainer
from semantic_id_ranking.components.ranking_evaluator.component import RankingEvaluator
from semantic_id_ranking.components.refresh_evaluator.component import RefreshEvaluator
from semantic_id_ranking.components.releaser.component import Releaser
from semantic_id_ranking.components.semantic_id_gen.component import SemanticIdGen
from semantic_id_ranking.components.sid_tokenizer_trainer.component import SidTokenizerTrainer
from semantic_id_ranking.inputs.fingerprint import Fingerprints
from semantic_id_ranking.pipeline import component_parameters as parameters
from semantic_id_ranking.pipeline.assemble import assemble
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import to_dict
from semantic_id_ranking.pipeline.dag import PREPROCESSING
from semantic_id_ranking.pipeline.days.day_dag import Earlier
from semantic_id_ranking.pipeline.days.ledger import DayRecord
from semantic_id_ranking.pipeline.days.ledger import trainer_of
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.ingestion import Ingestion
from semantic_id_ranking.pipeline.inputs import Inputs
from semantic_id_ranking.pipeline.space_source import RQVAE


def create_refresh_pipeline(
    inputs: Inputs,
    config: Config,
    destinations: Destinations,
    last: DayRecord,
    served: DayRecord,
    before: DayRecord | None,
) -> tfx.dsl.Pipeline:
    """Builds the pipeline of a refresh.

    Args:
        inputs: Today's items, and the impressions of the days that are replayed.
        config: What the refresh depends on beside them.
        destinations: Where it writes.
        last: The last accepted day.
        served: The one whose ranker is served.
        before: The one before the days that are replayed; None: they are all there are.

    Returns:
        The pipeline, for any TFX runner.
    """
    earlier = Earlier(os.path.dirname(destinations.serving), config.trained_baselines)
    ingestion = Ingestion.create(inputs, config, Fingerprints(destinations.fingerprints))
    items = ingestion.items.outputs["examples"]
    rqvae = tfx.components.Trainer(
        run_fn=RQVAE,
        examples=items,
        base_model=earlier(last, "rqvae"),
        train_args=tfx.proto.TrainArgs(splits=["train"]),
        eval_args=tfx.proto.EvalArgs(splits=["eval"]),
        custom_config={**parameters.rqvae(config), "code_version": code_version(RQVAE)},
    ).with_id("Trainer.rqvae")
    rqvae.add_upstream_node(ingestion.item_checks[-1])
    semantic_id_gen = SemanticIdGen(examples=items, model=rqvae.outputs["model"])
    semantic_ids = semantic_id_gen.outputs["semantic_ids"]
    tokenizer = SidTokenizerTrainer(
        semantic_ids=semantic_ids,
        examples=ingestion.impressions.outputs["examples"],
        rqvae=rqvae.outputs["model"],
        **parameters.tokenizer(config),
    )
    tokenizer.add_upstream_node(ingestion.impression_checks[-1])
    joiner = FeatureJoiner(
        impressions=ingestion.impressions.outputs["examples"],
        items=items,
        semantic_ids=semantic_ids,
        parameters=dataclasses.replace(
            parameters.join_parameters(config, inputs), evaluation_period=False, other_space=True
        ),
        earlier_state=earlier(before, "state") if before else None,
        span=last.number,
    )
    joiner.add_upstream_node(ingestion.impression_checks[-1])
    examples = joiner.outputs["examples"]
    transform = tfx.components.Transform(
        examples=examples,
        schema=joiner.outputs["schema"],
        preprocessing_fn=PREPROCESSING,
        splits_config=tfx.proto.SplitsConfig(analyze=["train"], transform=[]),
        materialize=False,
        custom_config={
            **parameters.transform(config),
            "code_version": code_version(PREPROCESSING),
        },
    )
    own_code = [config.ranker.model] if config.ranker.model else []

    def renew(
        name: str, of_ranker: Mapping[str, Any], previous: tfx.types.BaseChannel
    ) -> tuple[RankerCarrier, RankerTrainer]:
        carrier = RankerCarrier(
            examples=examples,
            transform_graph=transform.outputs["transform_graph"],
            tokenizer=tokenizer.outputs["model"],
            previous=previous,
            previous_tokenizer=earlier(last, "tokenizer"),
            custom_config=of_ranker,
            own_code=own_code,
        ).with_id(f"RankerCarrier.{name}")
        trainer = RankerTrainer(
            examples=examples,
            transform_graph=transform.outputs["transform_graph"],
            tokenizer=tokenizer.outputs["model"],
            custom_config=of_ranker,
            previous=carrier.outputs["ranker_state"],
            own_code=own_code,
        ).with_id(trainer_of(name))
        return carrier, trainer

    carried, ranker = renew("ranker", parameters.ranker(config), earlier(served, "ranker_state"))
    baselines = {
        name: renew(name, of_baseline, earlier.baseline_state(last, name))
        for name, of_baseline in parameters.baselines(config).items()
    }
    # A day's last part, as it was joined in the space before: what it replays is of other splits.
    earlier_evaluator = RankingEvaluator(
        examples=earlier(last, "examples"),
        semantic_ids=earlier(last, "semantic_ids"),
        candidate=earlier(served, "ranker"),
        parameters=dataclasses.replace(parameters.day_evaluation(config, ("eval",)), baselines=()),
    ).with_id("EarlierEvaluator")
    evaluator = RankingEvaluator(
        examples=examples,
        semantic_ids=semantic_ids,
        candidate=ranker.outputs["model"],
        baselines={name: trainer.outputs["model"] for name, (_, trainer) in baselines.items()},
        served=carried.outputs["model"],
        parameters=parameters.day_evaluation(config, ("eval",)),
    )
    gate = RefreshEvaluator(
        examples=items,
        earlier_rqvae=earlier(last, "rqvae"),
        rqvae=rqvae.outputs["model"],
        earlier_semantic_ids=earlier(last, "semantic_ids"),
        semantic_ids=semantic_ids,
        earlier_predictions=earlier_evaluator.outputs["predictions"],
        predictions=evaluator.outputs["predictions"],
        model=ranker.outputs["model"],
        parameters=parameters.day_gate(config),
        beam=config.rqvae.beam,
    )
    releaser = Releaser(
        ranker=ranker.outputs["model"],
        semantic_id=rqvae.outputs["model"],
        semantic_ids=semantic_ids,
        state=joiner.outputs["state"],
        model_blessing=gate.outputs["blessing"],
        serving=destinations.serving,
        config=to_dict(config),
    )
    own = [
        rqvae,
        semantic_id_gen,
        tokenizer,
        joiner,
        transform,
        carried,
        ranker,
        *(component for pair in baselines.values() for component in pair),
        earlier_evaluator,
        evaluator,
        gate,
        releaser,
    ]
    return assemble([*earlier.components, *ingestion.components, *own], config, destinations)
