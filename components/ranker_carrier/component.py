"""Component RankerCarrier: inputs, outputs and parameters."""

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
from semantic_id_ranking.components.ranker_carrier import executor


class RankerCarrierSpec(component_spec.ComponentSpec):
    """Interface of RankerCarrier."""

    PARAMETERS = {
        "custom_config": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "tokenizer": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "previous": component_spec.ChannelParameter(type=RankerState),
        "previous_tokenizer": component_spec.ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "ranker_state": component_spec.ChannelParameter(type=RankerState),
    }


class RankerCarrier(base_component.BaseComponent):
    """Carries what a ranker has learnt into a refreshed SID space, and trains nothing.

    Args:
        examples: Joined examples of the new space; of them only the form is read.
        transform_graph: The Transform graph of the context, in the new space.
        tokenizer: The SID tokenizer of the new space.
        previous: The state of the ranker, of the space before.
        previous_tokenizer: The SID tokenizer that it was trained with.
        custom_config: That of the ranker; see `TrainingArguments.custom_config`.
        own_code: Dotted names of the user's functions that make its network.
    """

    SPEC_CLASS = RankerCarrierSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        tokenizer: types.BaseChannel,
        previous: types.BaseChannel,
        previous_tokenizer: types.BaseChannel,
        custom_config: Mapping[str, Any],
        own_code: Sequence[str] = (),
    ):
        super().__init__(
            RankerCarrierSpec(
                examples=examples,
                transform_graph=transform_graph,
                tokenizer=tokenizer,
                previous=previous,
                previous_tokenizer=previous_tokenizer,
                custom_config=json.dumps(custom_config, sort_keys=True),
                code_version=code_version(executor.Executor, *own_code),
                model=types.Channel(type=standard_artifacts.Model),
                ranker_state=types.Channel(type=RankerState),
            )
        )
