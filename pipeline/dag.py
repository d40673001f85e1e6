"""The pipeline: what runs after what.

```
items ─▶ ItemGen ─▶ statistics, schema, gate ─▶ Trainer.rqvae ─▶ SemanticIdGen ─▶ SidAnalyzer
                                                                      │
impressions ─▶ ImpressionGen ─▶ statistics, schema, gate ─▶┐          ├─▶ SidTokenizerTrainer
                                                           ▼          ▼          │
                                                          FeatureJoiner          │
                                                                │                │
                                          Transform ─▶ Trainer.ranker, Trainer.baseline
                                                                │
                                                            Evaluator
                                                                │
                                             Pusher.semantic_id, Pusher.ranker
```
"""

import os
from typing import Any

from tfx import v1 as tfx

from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.feature_joiner.component import FeatureJoiner
from semantic_id_ranking.components.feature_joiner.parameters import JoinParameters
from semantic_id_ranking.components.impression_gen.component import ImpressionGen
from semantic_id_ranking.components.item_gen.component import ItemGen
from semantic_id_ranking.components.model_pusher.component import ModelPusher
from semantic_id_ranking.components.semantic_id_gen.component import SemanticIdGen
from semantic_id_ranking.components.sid_analyzer.component import SidAnalyzer
from semantic_id_ranking.components.sid_tokenizer_trainer.component import SidTokenizerTrainer
from semantic_id_ranking.inputs.fingerprint import Fingerprints
from semantic_id_ranking.pipeline import config as config_lib
from semantic_id_ranking.pipeline.check_ranker import check_ranker
from semantic_id_ranking.pipeline.destinations import Destinations
from semantic_id_ranking.pipeline.destinations import PIPELINE_NAME
from semantic_id_ranking.pipeline.evaluation import eval_config
from semantic_id_ranking.pipeline.input_checks import input_checks
from semantic_id_ranking.pipeline.inputs import Inputs

#: Runs on this machine, in this process. Beam's default runner would first try to download another
#: one, and TFX would pack itself for remote workers anew for each component if no image were named.
LOCAL_BEAM_ARGUMENTS = (
    "--runner=FnApiRunner",
    "--direct_running_mode=in_memory",
    "--sdk_container_image=none",
)

_RQVAE = "semantic_id_ranking.trainer.rqvae.run_fn.run_fn"
_PREPROCESSING = "semantic_id_ranking.trainer.ranker.preprocessing.preprocessing_fn"
_RANKER = "semantic_id_ranking.trainer.ranker.run_fn.run_fn"


def create_pipeline(
    inputs: Inputs, config: config_lib.Config, destinations: Destinations
) -> tfx.dsl.Pipeline:
    """Builds the pipeline.

    Args:
        inputs: The input files, looked at and found readable.
        config: What the run depends on beside them.
        destinations: Where it writes.

    Returns:
        The pipeline, for any TFX runner.

    Raises:
        InputError: `ranker.model` names no function that makes a network.
    """
    check_ranker(config)
    fingerprints = Fingerprints(destinations.fingerprints)
    item_gen = ItemGen(**inputs.item_gen(config, fingerprints))
    impression_gen = ImpressionGen(**inputs.impression_gen(config, fingerprints))
    item_checks = input_checks(
        item_gen,
        "items",
        source=inputs.items.name,
        required=["item_id", "embedding", "created_at"],
        categorical=[],
    )
    impression_checks = input_checks(
        impression_gen,
        "impressions",
        source=inputs.impressions.name,
        required=["item_id", "timestamp"],
        categorical=config.context.categorical,
        optional=["user_id", *(task.label for task in config.tasks)],
    )

    rqvae = tfx.components.Trainer(
        run_fn=_RQVAE,
        examples=item_gen.outputs["examples"],
        train_args=tfx.proto.TrainArgs(splits=["train"]),
        eval_args=tfx.proto.EvalArgs(splits=["eval"]),
        custom_config={
            "rqvae": config_lib.to_dict(config.rqvae),
            "code_version": code_version(_RQVAE),
        },
    ).with_id("Trainer.rqvae")
    rqvae.add_upstream_node(item_checks[-1])
    semantic_id_gen = SemanticIdGen(
        examples=item_gen.outputs["examples"],
        model=rqvae.outputs["model"],
    )
    sid_analyzer = SidAnalyzer(
        examples=item_gen.outputs["examples"],
        model=rqvae.outputs["model"],
        semantic_ids=semantic_id_gen.outputs["semantic_ids"],
    )
    tokenizer = SidTokenizerTrainer(
        semantic_ids=semantic_id_gen.outputs["semantic_ids"],
        examples=impression_gen.outputs["examples"],
        rqvae=rqvae.outputs["model"],
        rows=config.representation.tokenizer_rows(*_sizes(config)),
        config=config_lib.to_dict(config.tokenizer),
    )
    tokenizer.add_upstream_node(impression_checks[-1])
    joiner = FeatureJoiner(
        impressions=impression_gen.outputs["examples"],
        items=item_gen.outputs["examples"],
        semantic_ids=semantic_id_gen.outputs["semantic_ids"],
        parameters=_join_parameters(inputs, config),
    )
    joiner.add_upstream_node(impression_checks[-1])
    transform = tfx.components.Transform(
        examples=joiner.outputs["examples"],
        schema=joiner.outputs["schema"],
        preprocessing_fn=_PREPROCESSING,
        splits_config=tfx.proto.SplitsConfig(analyze=["train"], transform=[]),
        materialize=False,
        custom_config={
            "categorical": list(config.context.categorical),
            "numeric": list(config.context.numeric),
            "item_age": config.context.item_age,
            "code_version": code_version(_PREPROCESSING),
        },
    )

    ranker_code = [_RANKER, config.ranker.model] if config.ranker.model else [_RANKER]

    def ranker_trainer(name: str, representation: dict[str, Any]) -> tfx.components.Trainer:
        return tfx.components.Trainer(
            run_fn=_RANKER,
            examples=joiner.outputs["examples"],
            transform_graph=transform.outputs["transform_graph"],
            base_model=tokenizer.outputs["model"],
            train_args=tfx.proto.TrainArgs(splits=["train"]),
            eval_args=tfx.proto.EvalArgs(splits=["eval"]),
            custom_config={
                "representation": representation,
                "ranker": config_lib.to_dict(config.ranker),
                "tasks": [config_lib.to_dict(task) for task in config.tasks],
                "context": config_lib.to_dict(config.context),
                "history_length": config.history.length,
                "code_version": code_version(*ranker_code),
            },
        ).with_id(name)

    ranker = ranker_trainer("Trainer.ranker", config_lib.to_dict(config.representation))
    baseline = ranker_trainer(
        "Trainer.baseline",
        {
            "name": "random_hash",
            "rows": config.representation.table_rows(*_sizes(config)) or config.representation.rows,
            "separate_tables": config.representation.separate_tables,
        },
    )
    evaluator = tfx.components.Evaluator(
        examples=joiner.outputs["examples"],
        model=ranker.outputs["model"],
        baseline_model=baseline.outputs["model"],
        example_splits=["eval"],
        eval_config=eval_config(config),
    )
    pushers = [
        ModelPusher(
            model=trainer.outputs["model"],
            companion=companion.outputs["model"],
            model_blessing=evaluator.outputs["blessing"],
            base_directory=os.path.join(destinations.serving, name),
            keep_versions=config.serving.keep_versions,
        ).with_id(f"Pusher.{name}")
        for name, trainer, companion in (
            ("semantic_id", rqvae, ranker),
            ("ranker", ranker, rqvae),
        )
    ]
    return tfx.dsl.Pipeline(
        pipeline_name=PIPELINE_NAME,
        pipeline_root=destinations.root,
        components=[
            item_gen,
            impression_gen,
            *item_checks,
            *impression_checks,
            rqvae,
            semantic_id_gen,
            sid_analyzer,
            tokenizer,
            joiner,
            transform,
            ranker,
            baseline,
            evaluator,
            *pushers,
        ],
        enable_cache=True,
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            destinations.metadata
        ),
        beam_pipeline_args=list(config.beam.arguments or LOCAL_BEAM_ARGUMENTS),
    )


def _sizes(config: config_lib.Config) -> tuple[int, int]:
    """What the table budgets follow from."""
    return config.rqvae.levels, config.rqvae.codebook_size


def _join_parameters(inputs: Inputs, config: config_lib.Config) -> JoinParameters:
    positive = config.positive_task
    return JoinParameters(
        labels={task.name: task.label for task in config.tasks},
        regressions=tuple(task.name for task in config.tasks if task.type == "regression"),
        positive=positive.label if positive else None,
        categorical=config.context.categorical,
        numeric=config.context.numeric,
        history_length=config.history.length,
        embeddings=config.representation.reads_embeddings,
        item_age=config.context.item_age,
        new_days=config.slices.new_days,
        head_share=config.slices.head_share,
        torso_share=config.slices.torso_share,
        max_unknown_fraction=config.join.max_unknown_fraction,
        shards=config.join.shards,
        item_column=config.columns.item_id,
        impressions=inputs.impressions.name,
    )
