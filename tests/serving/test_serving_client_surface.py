"""One surface of the clients: arguments, errors, threads and event loops."""

import asyncio
import inspect
import pickle
from concurrent import futures

import grpc
import pytest

from semantic_id_ranking.contracts.errors import SidSpaceMismatchError
from semantic_id_ranking.serving import client as clients
from semantic_id_ranking.serving.client import AsyncEncoderClient
from semantic_id_ranking.serving.client import AsyncRankerClient
from semantic_id_ranking.serving.client import ClientError
from semantic_id_ranking.serving.client import ClientTls
from semantic_id_ranking.serving.client import EncoderClient
from semantic_id_ranking.serving.client import ModelCallError
from semantic_id_ranking.serving.client import open_channel
from semantic_id_ranking.serving.client import RankerClient
from tests.serving.switched_ranker import serve
from tests.serving.switched_ranker import Version

KINDS = [(RankerClient, AsyncRankerClient), (EncoderClient, AsyncEncoderClient)]


def public(kind):
    """Name -> member: methods, properties and the constructor."""
    return {
        name: member
        for name, member in vars(kind).items()
        if name == "__init__" or not name.startswith("_")
    }


def parameters(function):
    return [
        (one.name, one.kind, one.default) for one in inspect.signature(function).parameters.values()
    ]


@pytest.mark.parametrize(("blocking", "coroutines"), KINDS)
def test_both_kinds_have_the_same_methods_and_arguments(blocking, coroutines):
    ones, others = public(blocking), public(coroutines)
    assert ones.keys() == others.keys()
    for name, one in ones.items():
        other = others[name]
        assert type(one) is type(other), name
        if isinstance(one, property):
            continue
        assert parameters(one) == parameters(other), name
        if name != "__init__":
            assert inspect.iscoroutinefunction(other), name
            assert inspect.signature(one).return_annotation == (
                inspect.signature(other).return_annotation
            )


def test_arguments_of_all_constructors_begin_alike_and_only_the_address_goes_without_a_name():
    common = ["self", "address", "tls", "timeout", "model", "sid_fingerprint"]
    for kind in sum(KINDS, ()):
        names = [name for name, _, _ in parameters(kind.__init__)]
        assert names[: len(common)] == common
    for kind in sum(KINDS, ()):
        for name, member in public(kind).items():
            if not isinstance(member, property):
                kinds = [one for _, one, _ in parameters(member)]
                assert set(kinds[2:]) <= {inspect.Parameter.KEYWORD_ONLY}, name


def test_every_error_of_the_package_is_a_client_error():
    errors = [
        one
        for one in vars(clients).values()
        if isinstance(one, type) and issubclass(one, Exception)
    ]
    assert {one.__name__ for one in errors} == {
        "ClientError",
        "MissingInputError",
        "ModelCallError",
        "ServedSpaceError",
        "StoreError",
    }
    assert all(issubclass(one, ClientError) for one in errors)
    assert issubclass(clients.ServedSpaceError, SidSpaceMismatchError)


def test_an_error_of_a_call_goes_from_process_to_process():
    error = ModelCallError("ranker", grpc.StatusCode.NOT_FOUND, "no such servable")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.code) == (
        "model ranker answered NOT_FOUND: no such servable",
        grpc.StatusCode.NOT_FOUND,
    )


@pytest.mark.parametrize("timeout", [0, -1.0, float("inf"), float("nan"), None, "5"])
def test_a_timeout_that_is_none_is_refused(timeout):
    for kind in (RankerClient, EncoderClient):
        with pytest.raises(ValueError, match=f"timeout is {timeout!r}; seconds"):
            kind("127.0.0.1:1", timeout=timeout)


def test_tls_belongs_to_an_address():
    with (
        open_channel("127.0.0.1:1") as channel,
        pytest.raises(ValueError, match="tls comes with an open channel"),
    ):
        EncoderClient(channel, tls=ClientTls())


def test_the_blocking_client_works_where_an_event_loop_runs():
    async def rank():
        with serve(Version(1)) as served, RankerClient(served.address) as ranker:
            return ranker.rank({"sid": [[1, 2]]})["click"].tolist()

    assert asyncio.run(rank()) == [3.0]


def test_threads_share_a_client_and_read_a_version_that_comes_meanwhile():
    with serve(Version(1)) as served, RankerClient(served.address) as ranker:

        def rank(number):
            if number == 100:
                served.version = Version(2)
            codes = [number % 10, number // 10 % 10]
            return ranker.rank({"sid": [codes]})["click"].tolist() == [sum(codes)]

        with futures.ThreadPoolExecutor(8) as pool:
            assert all(pool.map(rank, range(200)))
