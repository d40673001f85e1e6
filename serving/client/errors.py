"""Errors between a caller and a model server."""

import grpc

from semantic_id_ranking.contracts.errors import SidSpaceMismatchError
from semantic_id_ranking.serving.errors import ClientError


class ModelCallError(ClientError):
    """A model server refused a request, or did not answer in time.

    Attributes:
        model: Name of the model.
        code: gRPC's code, e.g. NOT_FOUND or DEADLINE_EXCEEDED.
        details: The server's message.
    """

    def __init__(self, model: str, code: grpc.StatusCode, details: str):
        super().__init__(model, code, details)
        self.model = model
        self.code = code
        self.details = details

    def __str__(self) -> str:
        return f"model {self.model} answered {self.code.name}: {self.details}"


class MissingInputError(ClientError, ValueError):
    """A call leaves out a field or a context column that the served model asks for."""


class ServedSpaceError(ClientError, SidSpaceMismatchError):
    """A served model is of another SID space than the caller's Semantic IDs, store or encoder."""
