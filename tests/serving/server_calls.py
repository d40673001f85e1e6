"""Common calls of the server's tests."""

import time

import grpc
import pytest


def refusal(method, request):
    """Code and message with which a request is refused."""
    with pytest.raises(grpc.RpcError) as caught:
        method(request)
    return caught.value.code().name, caught.value.details()


def until(condition, seconds=10.0):
    """Waits for a condition to come about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)
