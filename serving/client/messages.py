"""Messages of TensorFlow Serving, without tensorflow-serving-api, which brings TensorFlow along.

Their descriptors are those of that package, in a file that `requirements/client_messages.py` makes.
A descriptor pool of their own holds them, so that a program may import both.
"""

import pkgutil
from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf import message_factory

_POOL = descriptor_pool.DescriptorPool()


def _files(file_descriptor_set: bytes) -> Iterator[bytes]:
    """The files of a serialized `FileDescriptorSet`, each serialized itself.

    `descriptor_pb2` would do it, and take 15 MiB with protobuf 6.
    """
    position = 0
    while position < len(file_descriptor_set):
        position += 1  # The number of the only field.
        size, shift, byte = 0, 0, 128
        while byte >= 128:
            byte = file_descriptor_set[position]
            size |= (byte & 127) << shift
            position, shift = position + 1, shift + 7
        yield file_descriptor_set[position : position + size]
        position += size


def _load() -> None:
    # importlib.resources would take longer to import than all of this.
    content = pkgutil.get_data("semantic_id_ranking.serving.client", "messages.binpb")
    for file in _files(content or b""):
        _POOL.AddSerializedFile(file)


def _factory() -> Any:
    """Makes a class of a descriptor; protobuf 4.22 and newer have a function for it, 3.20 not."""
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass
    return message_factory.MessageFactory(_POOL).GetPrototype


_load()
_message_class = _factory()


def _message(name: str) -> Any:
    return _message_class(_POOL.FindMessageTypeByName(f"tensorflow.serving.{name}"))


GetModelMetadataRequest = _message("GetModelMetadataRequest")
GetModelMetadataResponse = _message("GetModelMetadataResponse")
GetModelStatusRequest = _message("GetModelStatusRequest")
GetModelStatusResponse = _message("GetModelStatusResponse")
ModelVersionStatus = _message("ModelVersionStatus")
PredictRequest = _message("PredictRequest")
PredictResponse = _message("PredictResponse")
SignatureDefMap = _message("SignatureDefMap")
