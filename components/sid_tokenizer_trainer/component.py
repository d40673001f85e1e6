"""Component SidTokenizerTrainer: inputs, outputs and parameters."""

import json
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_beam_component
from tfx.dsl.components.base import executor_spec
from tfx.types import component_spec
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import SemanticIds
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.sid_tokenizer_trainer import executor


class SidTokenizerTrainerSpec(component_spec.ComponentSpec):
    """Interface of SidTokenizerTrainer."""

    PARAMETERS = {
        "rows": component_spec.ExecutionParameter(type=int),
        "config": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "semantic_ids": component_spec.ChannelParameter(type=SemanticIds),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "rqvae": component_spec.ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {"model": component_spec.ChannelParameter(type=standard_artifacts.Model)}


class SidTokenizerTrainer(base_beam_component.BaseBeamComponent):
    """Trains SentencePiece on the Semantic IDs of the training split's impressions.

    Args:
        semantic_ids: Semantic IDs of the items.
        examples: Impressions, from ImpressionGen; only the split `train` is read.
        rqvae: The RQ-VAE of these Semantic IDs, whose codebooks go with the tokenizer.
        rows: Pieces, at most: the rows of the embedding table.
        config: Fields of `semantic_id_ranking.trainer.tokenizer.config.TokenizerConfig`.

    The output holds all that a representation may need besides the examples.
    """

    SPEC_CLASS = SidTokenizerTrainerSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        semantic_ids: types.BaseChannel,
        examples: types.BaseChannel,
        rqvae: types.BaseChannel,
        rows: int,
        config: dict[str, Any],
    ):
        super().__init__(
            SidTokenizerTrainerSpec(
                semantic_ids=semantic_ids,
                examples=examples,
                rqvae=rqvae,
                rows=rows,
                config=json.dumps(config, sort_keys=True),
                code_version=code_version(executor.Executor),
                model=types.Channel(type=standard_artifacts.Model),
            )
        )
