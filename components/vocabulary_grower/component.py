"""Component VocabularyGrower: inputs, outputs and parameters."""

import json
from collections.abc import Sequence

from tfx import types
from tfx.dsl.components.base import base_component
from tfx.dsl.components.base import executor_spec
from tfx.types import component_spec
from tfx.types import standard_artifacts

from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.vocabulary_grower import executor


class VocabularyGrowerSpec(component_spec.ComponentSpec):
    """Interface of VocabularyGrower."""

    PARAMETERS = {
        "categorical": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
    }
    OUTPUTS = {
        "grown_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph)
    }


class VocabularyGrower(base_component.BaseComponent):
    """Appends the categories of new examples to the vocabularies of a Transform graph.

    Args:
        examples: Joined examples, of one day or several, all splits.
        transform_graph: The Transform graph of the context; all but its vocabularies stays.
        categorical: The categorical context columns.
    """

    SPEC_CLASS = VocabularyGrowerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        categorical: Sequence[str],
    ):
        super().__init__(
            VocabularyGrowerSpec(
                examples=examples,
                transform_graph=transform_graph,
                categorical=json.dumps(list(categorical)),
                code_version=code_version(executor.Executor),
                grown_graph=types.Channel(type=standard_artifacts.TransformGraph),
            )
        )
