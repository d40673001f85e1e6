"""Status codes of requests that cannot be answered."""

import functools
from collections.abc import Callable

import grpc

MESSAGE_LIMIT = 1024
"""Characters of a message that TensorFlow Serving lets through."""

CODES = {code.value[0]: code for code in grpc.StatusCode}
"""gRPC's codes by number; TensorFlow's errors have the same numbers."""


class StatusError(Exception):
    """A request is answered by a code and a message.

    Attributes:
        code: One of gRPC's codes.
        message: What is wrong with the request.
    """

    def __init__(self, code: grpc.StatusCode, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


def invalid_argument(message: str) -> StatusError:
    """A StatusError of code INVALID_ARGUMENT."""
    return StatusError(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> StatusError:
    """A StatusError of code NOT_FOUND."""
    return StatusError(grpc.StatusCode.NOT_FOUND, message)


def failed_precondition(message: str) -> StatusError:
    """A StatusError of code FAILED_PRECONDITION."""
    return StatusError(grpc.StatusCode.FAILED_PRECONDITION, message)


def unimplemented(message: str) -> StatusError:
    """A StatusError of code UNIMPLEMENTED."""
    return StatusError(grpc.StatusCode.UNIMPLEMENTED, message)


def unknown(message: str) -> StatusError:
    """A StatusError of code UNKNOWN."""
    return StatusError(grpc.StatusCode.UNKNOWN, message)


def truncate(message: str) -> str:
    """Truncates a message as TensorFlow Serving's `grpc_status_util.cc` does."""
    if len(message) <= MESSAGE_LIMIT:
        return message
    return message[:MESSAGE_LIMIT] + "...TRUNCATED"


def answers_status(method: Callable) -> Callable:
    """Makes a servicer's method answer a StatusError by its code and its message, truncated.

    A text that is not UTF-8, a name or an alias, is INVALID_ARGUMENT.
    """

    @functools.wraps(method)
    def wrapped(self, request, context: grpc.ServicerContext):
        try:
            return method(self, request)
        except StatusError as error:
            context.abort(error.code, truncate(error.message))
        except UnicodeDecodeError as error:
            # protobuf looks at a text only when it is read.
            message = f"a text of the request is not UTF-8: {error}"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, truncate(message))

    return wrapped
