"""Redis that is away, comes back, hangs, refuses or speaks TLS."""

import socket
import threading
import time

import numpy as np
import pytest
import redis

from benchmarks.redis_server import RedisServer
from benchmarks.redis_server import unused_port
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store import StoreError
from tests.serving.tls_files import make_tls_files

pytestmark = pytest.mark.redis
SPACE = SidSpace("space-a", levels=2, codebook_size=10)


def test_a_redis_that_is_away_is_named_within_the_timeout():
    port = unused_port()
    begin = time.monotonic()
    with (
        open_store(f"redis://me:secret@127.0.0.1:{port}/0", timeout=1.0) as store,
        pytest.raises(StoreError, match="did not answer within 1 s") as caught,
    ):
        store.get("space-a", ["x"])
    assert time.monotonic() - begin < 5
    assert str(caught.value).startswith(f"redis://127.0.0.1:{port}/0: ")
    assert "refused" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_redis_that_hangs_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begin = time.monotonic()
        with (
            open_store(f"redis://127.0.0.1:{silent.getsockname()[1]}", timeout=0.8) as store,
            pytest.raises(StoreError, match=r"did not answer within 0\.8 s"),
        ):
            store.get("space-a", ["x"])
        assert time.monotonic() - begin < 5


def test_a_redis_that_restarts_is_found_within_one_operation(tmp_path):
    server = RedisServer(tmp_path)
    with server, open_store(server.url, timeout=30.0) as store:
        store.add_space(SPACE)
        server.stop()
        restart = threading.Timer(0.3, server.start)
        restart.start()
        try:
            assert store.spaces() == {}  # Nothing is kept on disk.
        finally:
            restart.join()
        store.add_space(SPACE)
        store.put("space-a", ["x"], [[1, 2]])
        np.testing.assert_array_equal(store.get("space-a", ["x"]), [[1, 2]])


@pytest.fixture
def server(tmp_path):
    with RedisServer(tmp_path, "--requirepass", "secret") as running:
        yield running


def test_a_wrong_password_is_told_at_once(server):
    begin = time.monotonic()
    for password in ("", ":wrong@"):
        url = f"redis://{password}127.0.0.1:{server.port}"
        with open_store(url, timeout=30.0) as store, pytest.raises(StoreError) as caught:
            store.spaces()
        assert str(caught.value).startswith(f"redis://127.0.0.1:{server.port}: Redis refuses")
    assert time.monotonic() - begin < 20


def test_a_full_redis_refuses_at_once_and_keeps_what_it_has(server):
    with open_store(f"redis://:secret@127.0.0.1:{server.port}", timeout=30.0) as store:
        store.add_space(SPACE)
        store.put("space-a", ["x"], [[1, 2]])
        with redis.Redis(port=server.port, password="secret") as client:
            client.config_set("maxmemory", 1)
        with pytest.raises(StoreError, match="maxmemory"):
            store.put("space-a", ["y"], [[3, 4]])
        np.testing.assert_array_equal(store.get("space-a", ["x", "y"]), [[1, 2], [-1, -1]])


def test_tls(tmp_path):
    files = make_tls_files(tmp_path)
    port = unused_port()
    arguments = ["--tls-port", str(port), "--tls-cert-file", files.certificate]
    arguments += ["--tls-key-file", files.key, "--tls-ca-cert-file", files.authority]
    address = f"rediss://127.0.0.1:{port}/0"
    trusting = f"{address}?ssl_ca_certs={files.authority}"
    credentials = f"&ssl_certfile={files.certificate}&ssl_keyfile={files.key}"
    with RedisServer(tmp_path, *arguments):
        with open_store(trusting + credentials) as store:
            store.add_space(SPACE)
            assert store.spaces() == {"space-a": SPACE}
        with (
            open_store(address, timeout=1.0) as store,
            pytest.raises(StoreError, match="certificate verify failed"),
        ):
            store.spaces()
