"""Common component interface of ItemGen and ImpressionGen."""

import json
from collections.abc import Mapping
from typing import Any
from typing import ClassVar

from tfx import types
from tfx.dsl.components.base import base_beam_component
from tfx.types import component_spec
from tfx.types import standard_artifacts

from semantic_id_ranking.components.code_version import code_version


class ParquetExampleGenSpec(component_spec.ComponentSpec):
    """Interface of a component that reads Parquet.

    All it depends on is in its parameters, so that TFX's cache holds for as long as the content of
    the files stays, on every runner; TFX's own ExampleGens look at size and time in their driver.
    """

    PARAMETERS = {
        "data": component_spec.ExecutionParameter(type=str),
        "parameters": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, component_spec.ChannelParameter]] = {}
    OUTPUTS = {"examples": component_spec.ChannelParameter(type=standard_artifacts.Examples)}


class ParquetExampleGen(base_beam_component.BaseBeamComponent):
    """Reads Parquet.

    Args:
        data: What `Fingerprints.record` gives of each input, by its name.
        parameters: What the executor needs to know about them, of JSON's types.
    """

    SPEC_CLASS = ParquetExampleGenSpec

    def __init__(self, data: Mapping[str, Any], parameters: Mapping[str, Any]):
        super().__init__(
            ParquetExampleGenSpec(
                data=json.dumps(data, sort_keys=True),
                parameters=json.dumps(parameters, sort_keys=True),
                code_version=code_version(self.EXECUTOR_SPEC.executor_class),
                examples=types.Channel(type=standard_artifacts.Examples),
            )
        )
