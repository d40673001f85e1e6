"""The signatures of a SavedModel, read without TensorFlow, which takes seconds to import."""

import os

from google.protobuf import descriptor_pb2
from google.protobuf import message_factory
from google.protobuf.message import DecodeError
from google.protobuf.message import Message

from semantic_id_ranking.contracts.errors import InputError

_ENCODE = "encode"
_RANK = "rank"
_PACKAGE = "semantic_id_ranking.signatures"


def signature_names(saved_model: str) -> set[str]:
    """Names of the signatures.

    Args:
        saved_model: Folder of the SavedModel.

    Raises:
        DecodeError: Its `saved_model.pb` is none.
    """
    with open(os.path.join(saved_model, "saved_model.pb"), "rb") as file:
        content = file.read()
    graphs = _saved_model_class().FromString(content).meta_graphs
    return {signature.name for graph in graphs for signature in graph.signatures}


def require_encoder(saved_model: str) -> None:
    """Refuses a SavedModel that encodes nothing, such as a ranker.

    Args:
        saved_model: Folder of the SavedModel.

    Raises:
        InputError: It is no SavedModel, or has no signature `encode`.
    """
    try:
        names = signature_names(saved_model)
    except DecodeError:
        raise InputError(f"{saved_model}: its saved_model.pb is no SavedModel") from None
    if _ENCODE not in names:
        kind = "is a ranker" if _RANK in names else "is no model that encodes"
        held = ", ".join(sorted(n for n in names if not n.startswith("__"))) or "no signature"
        raise InputError(
            f"{saved_model}: {kind} (it has {held}); encoding needs a semantic_id model, whose "
            f"signature is {_ENCODE}"
        )


def _saved_model_class() -> type[Message]:
    """The part of TensorFlow's `SavedModel` that leads to the names, with its field numbers."""
    file = descriptor_pb2.FileDescriptorProto(
        name="semantic_id_ranking/signatures.proto", package=_PACKAGE, syntax="proto3"
    )
    field = descriptor_pb2.FieldDescriptorProto
    for message, name, number, kind in (
        # An entry of the map `signature_def`.
        ("Signature", "name", 1, None),
        ("MetaGraph", "signatures", 5, "Signature"),
        ("SavedModel", "meta_graphs", 2, "MetaGraph"),
    ):
        added = file.message_type.add(name=message).field.add(name=name, number=number)
        added.label = field.LABEL_REPEATED if kind else field.LABEL_OPTIONAL
        added.type = field.TYPE_MESSAGE if kind else field.TYPE_STRING
        if kind:
            added.type_name = f".{_PACKAGE}.{kind}"
    saved_model: type[Message] = message_factory.GetMessages([file])[f"{_PACKAGE}.SavedModel"]
    return saved_model
