"""How ItemGen's and ImpressionGen's parameters travel through TFX, from component to executor."""

import json
import os
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from google.protobuf import struct_pb2
from tfx.proto import example_gen_pb2
from tfx.types import standard_component_specs as specs
from tfx.utils import proto_utils


def pack_parameters(parameters: dict[str, Any]) -> example_gen_pb2.CustomConfig:
    """Parameters as an ExampleGen takes them; numbers become floats.

    Args:
        parameters: What JSON can hold.
    """
    config = example_gen_pb2.CustomConfig()
    config.custom_config.Pack(json_format.Parse(json.dumps(parameters), struct_pb2.Struct()))
    return config


def unpack_parameters(exec_properties: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that `pack_parameters` packed, from an execution's properties."""
    config = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(exec_properties[specs.CUSTOM_CONFIG_KEY], config)
    parameters = struct_pb2.Struct()
    config.custom_config.Unpack(parameters)
    return json_format.MessageToDict(parameters)


def input_config(pattern: str) -> example_gen_pb2.Input:
    """One input split of the files that match a pattern, and of no others beside them."""
    split = example_gen_pb2.Input.Split(name="all", pattern=pattern)
    return example_gen_pb2.Input(splits=[split])


def input_pattern(exec_properties: Mapping[str, Any]) -> str:
    """Path or glob pattern of the input, with its span resolved by the driver."""
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(exec_properties[specs.INPUT_CONFIG_KEY], config)
    return os.path.join(exec_properties[specs.INPUT_BASE_KEY], config.splits[0].pattern)
