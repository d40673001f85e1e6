"""Clients of a model server that serves `ranker` and `semantic_id`."""

from serving.client.channel import open_channel
from serving.client.encoder_client import EncoderClient
from serving.client.errors import MissingInputError
from serving.client.errors import ModelCallError
from serving.client.errors import SidSpaceMismatchError
from serving.client.ranker_client import RankerClient
from serving.client.served_space import ServedSpace

__all__ = [
    "EncoderClient",
    "MissingInputError",
    "ModelCallError",
    "RankerClient",
    "ServedSpace",
    "SidSpaceMismatchError",
    "open_channel",
]
