"""Component SchemaGen: inputs, outputs and parameters."""

from collections.abc import Sequence

from tfx import types
from tfx.dsl.components.base import base_component
from tfx.dsl.components.base import executor_spec
from tfx.types import component_spec
from tfx.types import standard_artifacts
from tfx.utils import json_utils

from semantic_id_ranking.components.code_version import code_version
from semantic_id_ranking.components.schema_gen import executor


class SchemaGenSpec(component_spec.ComponentSpec):
    """Interface of SchemaGen."""

    PARAMETERS = {
        "required": component_spec.ExecutionParameter(type=str),
        "optional": component_spec.ExecutionParameter(type=str),
        "categorical": component_spec.ExecutionParameter(type=str),
        "infer_feature_shape": component_spec.ExecutionParameter(type=int),
        "exclude_splits": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "statistics": component_spec.ChannelParameter(type=standard_artifacts.ExampleStatistics)
    }
    OUTPUTS = {"schema": component_spec.ChannelParameter(type=standard_artifacts.Schema)}


class SchemaGen(base_component.BaseComponent):
    """Infers a schema from the training split that ordinary news in later data does not violate.

    New users, items and titles are never an anomaly. In a categorical feature the categories of the
    training split must make up nine tenths of the values. A feature that is neither required nor
    optional may be missing a tenth more often than in training.

    Args:
        statistics: Of StatisticsGen, with a split "train".
        required: Features that every Example has, with equally many values.
        categorical: Features whose categories must largely stay the same.
        optional: Features that any number of Examples may lack.
    """

    SPEC_CLASS = SchemaGenSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        statistics: types.BaseChannel,
        required: Sequence[str],
        categorical: Sequence[str],
        optional: Sequence[str] = (),
    ):
        super().__init__(
            SchemaGenSpec(
                statistics=statistics,
                required=json_utils.dumps(list(required)),
                optional=json_utils.dumps(list(optional)),
                categorical=json_utils.dumps(list(categorical)),
                infer_feature_shape=1,
                exclude_splits=json_utils.dumps(["eval"]),
                code_version=code_version(executor.Executor),
                schema=types.Channel(type=standard_artifacts.Schema),
            )
        )
