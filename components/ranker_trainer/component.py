"""Component RankerTrainer: inputs, outputs and parameters."""

import json
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component
from tfx.dsl.components.base import executor_spec
from tfx.types import component_spec
from tfx.types import standard_artifacts

from semantic_id_ranking.components.artifacts import RankerState
from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.ranker_trainer import executor


class RankerTrainerSpec(component_spec.ComponentSpec):
    """Interface of RankerTrainer."""

    PARAMETERS = {
        "splits": component_spec.ExecutionParameter(type=str),
        "custom_config": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "tokenizer": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "previous": component_spec.ChannelParameter(type=RankerState, optional=True),
    }
    OUTPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_run": component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
        "ranker_state": component_spec.ChannelParameter(type=RankerState),
    }


class RankerTrainer(base_component.BaseComponent):
    """Trains a ranker on joined examples, of one day or of several.

    TFX's Trainer has one input for a model, `base_model`, which the SID tokenizer would take from
    the previous training.

    Args:
        examples: Joined examples, of one day or several; trained on in the order of their spans,
            and evaluated on the split `eval` of the last one.
        transform_graph: The Transform graph of the context.
        tokenizer: The SID tokenizer.
        custom_config: See `TrainingArguments.custom_config`.
        previous: The state of the previous training, from which this one goes on. Without it, the
            weights begin at random.
        splits: Span -> the splits that are trained on; of any other span it is `train`.
        own_code: Dotted names of the user's functions that the training calls.
    """

    SPEC_CLASS = RankerTrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        tokenizer: types.BaseChannel,
        custom_config: Mapping[str, Any],
        previous: types.BaseChannel | None = None,
        splits: Mapping[int, Sequence[str]] | None = None,
        own_code: Sequence[str] = (),
    ):
        super().__init__(
            RankerTrainerSpec(
                examples=examples,
                transform_graph=transform_graph,
                tokenizer=tokenizer,
                previous=previous,
                splits=json.dumps(
                    {str(span): list(names) for span, names in sorted((splits or {}).items())}
                ),
                custom_config=json.dumps(custom_config, sort_keys=True),
                code_version=code_version(executor.Executor, *own_code),
                model=types.Channel(type=standard_artifacts.Model),
                model_run=types.Channel(type=standard_artifacts.ModelRun),
                ranker_state=types.Channel(type=RankerState),
            )
        )
