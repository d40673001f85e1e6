"""The pipeline's components and their order.

```
items ─▶ ItemGen ─▶ statistics, schema, gate ─▶ Trainer.rqvae ─▶ SemanticIdGen ─▶ SidAnalyzer
                                                                      │
impressions ─▶ ImpressionGen ─▶ statistics, schema, gate ─▶┐          ├─▶ SidTokenizerTrainer
                                                           ▼          ▼          │
                                                          FeatureJoiner          │
                                                                │                │
                                          Transform ─▶ Trainer.ranker, one of each baseline
                                                                │
                                                         RankingEvaluator
                                                                │
                                                             Releaser
```
"""

from collections.abc import Mapping
from typing import Any

from tfx import v1 as tfx

from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.feature_joiner.component import FeatureJoiner
from semantic_id_ranking.components.ranker_trainer.component import RankerTrainer
from semantic_id_ranking.components.ranking_evaluator.component import RankingEvaluator
from semantic_id_ranking.components.releaser.component import Releaser
from semantic_id_ranking.components.semantic_id_gen.component import SemanticIdGen
from semantic_id_ranking.components.sid_analyzer.component import SidAnalyzer
from semantic_id_ranking.components.sid_tokenizer_trainer.component import SidTokenizerTrainer
from semantic_id_ranking.inputs.fingerprint import Fingerprints
from semantic_id_ranking.pipeline import component_parameters as parameters
from semantic_id_ranking.pipeline.assemble import assemble
from semantic_id_ranking.pipeline.check_ranker import check_ranker
from semantic_id_ranking.pipeline.config import Config
from semantic_id_ranking.pipeline.config import to_dict
from semantic_id_ranking.pipeline.days.ledger import SpaceRecord
from semantic_id_ranking.pipeline.days.ledger import trainer_of
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.ingestion import Ingestion
from semantic_id_ranking.pipeline.inputs import Inputs
from semantic_id_ranking.pipeline.space_source import SpaceSource

#: Function that TFX calls by its name.
PREPROCESSING = "semantic_id_ranking.trainer.ranker.preprocessing.preprocessing_fn"


def create_pipeline(
    inputs: Inputs,
    config: Config,
    destinations: Destinations,
    space: SpaceRecord | None = None,
) -> tfx.dsl.Pipeline:
    """Builds the pipeline.

    Args:
        inputs: The input files, looked at and found readable.
        config: What the run depends on beside them.
        destinations: Where it writes.
        space: The SID space that is kept; None trains one.

    Returns:
        The pipeline, for any TFX runner.

    Raises:
        InputError: `ranker.model` names no function that makes a network.
    """
    check_ranker(config)
    ingestion = Ingestion.create(inputs, config, Fingerprints(destinations.fingerprints))
    item_gen, impression_gen = ingestion.items, ingestion.impressions
    item_checks, impression_checks = ingestion.item_checks, ingestion.impression_checks
    source = SpaceSource.create(item_gen, config, destinations, space)
    source.components[-1].add_upstream_node(item_checks[-1])
    semantic_id_gen = SemanticIdGen(
        examples=item_gen.outputs["examples"], model=source.rqvae, earlier=source.semantic_ids
    )
    semantic_id_gen.add_upstream_node(source.components[-1])
    sid_analyzer = SidAnalyzer(
        examples=item_gen.outputs["examples"],
        model=source.rqvae,
        semantic_ids=semantic_id_gen.outputs["semantic_ids"],
    )
    tokenizer = SidTokenizerTrainer(
        semantic_ids=semantic_id_gen.outputs["semantic_ids"],
        examples=impression_gen.outputs["examples"],
        rqvae=source.rqvae,
        **parameters.tokenizer(config),
    )
    tokenizer.add_upstream_node(impression_checks[-1])
    joiner = FeatureJoiner(
        impressions=impression_gen.outputs["examples"],
        items=item_gen.outputs["examples"],
        semantic_ids=semantic_id_gen.outputs["semantic_ids"],
        parameters=parameters.join_parameters(config, inputs),
    )
    joiner.add_upstream_node(impression_checks[-1])
    transform = tfx.components.Transform(
        examples=joiner.outputs["examples"],
        schema=joiner.outputs["schema"],
        preprocessing_fn=PREPROCESSING,
        splits_config=tfx.proto.SplitsConfig(analyze=["train"], transform=[]),
        materialize=False,
        custom_config={
            **parameters.transform(config),
            "code_version": code_version(PREPROCESSING),
        },
    )

    def train(name: str, of_ranker: Mapping[str, Any]) -> RankerTrainer:
        trainer: RankerTrainer = RankerTrainer(
            examples=joiner.outputs["examples"],
            transform_graph=transform.outputs["transform_graph"],
            tokenizer=tokenizer.outputs["model"],
            custom_config=of_ranker,
            own_code=[config.ranker.model] if config.ranker.model else [],
        ).with_id(trainer_of(name))
        return trainer

    ranker = train("ranker", parameters.ranker(config))
    baselines = {name: train(name, of) for name, of in parameters.baselines(config).items()}
    evaluator = RankingEvaluator(
        examples=joiner.outputs["examples"],
        semantic_ids=semantic_id_gen.outputs["semantic_ids"],
        candidate=ranker.outputs["model"],
        baselines={name: trainer.outputs["model"] for name, trainer in baselines.items()},
        parameters=parameters.evaluation(config),
    )
    releaser = Releaser(
        ranker=ranker.outputs["model"],
        semantic_id=source.rqvae,
        semantic_ids=semantic_id_gen.outputs["semantic_ids"],
        state=joiner.outputs["state"],
        model_blessing=evaluator.outputs["blessing"],
        serving=destinations.serving,
        config=to_dict(config),
    )
    components = [
        *ingestion.components,
        *source.components,
        semantic_id_gen,
        sid_analyzer,
        tokenizer,
        joiner,
        transform,
        ranker,
        *baselines.values(),
        evaluator,
        releaser,
    ]
    return assemble(components, config, destinations)
