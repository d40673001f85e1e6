"""What goes wrong between a caller and a model server."""

import grpc


class ModelCallError(RuntimeError):
    """A model server refused a request, or did not answer in time.

    Attributes:
        code: gRPC's code, e.g. NOT_FOUND or DEADLINE_EXCEEDED.
    """

    def __init__(self, model: str, code: grpc.StatusCode, details: str):
        super().__init__(f"model {model} answered {code.name}: {details}")
        self.code = code


class MissingInputError(ValueError):
    """A call leaves out something that the served model asks for."""
