"""Parsing of gRPC requests, a few at a time, without the leak of grpc's own parser."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import grpc

_OF_MODELS = "/tensorflow.serving.PredictionService/"


class RequestParser(grpc.ServerInterceptor):
    """Hands grpc bytes and parses them itself, with the answer that grpc would give.

    grpcio 1.85 never lets go of a call, some 16 KB, whose request does not parse.

    Requests to models wait for their turn before they are parsed. Were all threads at work, each
    would wait for the interpreter, and so would the thread that refuses what is too much.

    Args:
        at_once: How many requests to models are parsed and answered at once.
    """

    def __init__(self, at_once: int):
        self._turns = threading.Semaphore(at_once)

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        """Wraps the handler of a call of one request and one answer."""
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        is_of_models = handler_call_details.method.startswith(_OF_MODELS)
        turn = self._turns if is_of_models else contextlib.nullcontext()

        def parse_and_answer(serialized: bytes, context: grpc.ServicerContext) -> Any:
            with turn:
                try:
                    request = handler.request_deserializer(serialized)
                except Exception:  # protobuf's errors differ between its versions.
                    context.abort(grpc.StatusCode.INTERNAL, "Exception deserializing request!")
                return handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            parse_and_answer, response_serializer=handler.response_serializer
        )
