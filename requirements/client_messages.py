"""Writes serving/client/messages.binpb, the message types of the clients, from those installed.

`python requirements/client_messages.py`, after a change of tensorflow-serving-api, prints the
number of files and bytes (27 files, 25,368 bytes).
"""

import pathlib

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FileDescriptor
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import predict_pb2

_PATH = pathlib.Path(__file__).parents[1] / "serving/client/messages.binpb"


def file_descriptor_set() -> bytes:
    """A `FileDescriptorSet` of the requests and responses, each file behind what it imports."""
    files: dict[str, FileDescriptor] = {}

    def add(file: FileDescriptor) -> None:
        for imported in file.dependencies:
            add(imported)
        files.setdefault(file.name, file)

    for module in (get_model_metadata_pb2, get_model_status_pb2, predict_pb2):
        add(module.DESCRIPTOR)
    found = descriptor_pb2.FileDescriptorSet()
    for file in files.values():
        found.file.add().ParseFromString(file.serialized_pb)
    return found.SerializeToString(deterministic=True)


if __name__ == "__main__":
    content = file_descriptor_set()
    _PATH.write_bytes(content)
    count = len(descriptor_pb2.FileDescriptorSet.FromString(content).file)
    print(f"{_PATH.name}: {count} files, {len(content):,} bytes")
