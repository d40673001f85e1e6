"""URLs of Redis, and messages without their passwords."""

import socket
import threading
import traceback

import pytest

from semantic_id_ranking.serving.store import open_store
from semantic_id_ranking.serving.store import StoreError

# What no message may hold: any of the parts that a wrong reading takes for a host, port or path.
PARTS = ("s3cret", "W0rd")
MALFORMED = [
    "redis://u:s3cret/W0rd@host:6379/0",
    "redis://u:s3cret#W0rd@host:6379/0",
    "redis://u:s3cret?W0rd@host:6379/0",
    "redis://u:s3cret W0rd",
    "redis://:s3cret",
    "redis://u:s3cret:W0rd",
    "redis://u:s3cret@host:W0rd/0",
    "redis://u:s3cret@host:99999/0",
    "redis://u:s3cret@host:6379/W0rd",
    "redis://u:s3cret@[W0rd/0",
    "redis://u:s3cret@ho st/0",
    "redis://u:s3cret@host/0\nW0rd",
    "redis://u:[s3cret@host/0",
    "redis://u:s3cret℀W0rd@host/0",
    "redis://u:s3cret\udcff@host/0",
    "redis://host/0?password=s3cret@W0rd",
    "redis://host/0?password=s3cret#W0rd",
    "redis://u:s3cret@host/0?W0rd=1",
    "redis://u:s3cret@host/0?socket_timeout=W0rd",
    "rediss://u:s3cret@host/0?ssl_cert_reqs=W0rd",
    "rediss:/u:s3cret@host",
    "redis//u:s3cret@host",
    "redis:u:s3cret@host",
    "u:s3cret@host:6379",
    "REDIS://u:s3cret@host",
    "sqlite://u:s3cret@host/W0rd",
    "mysql://u:s3cret/W0rd@host/0",
    "unix://u:s3cret@W0rd",
    " redis://u:s3cret@host/0",
    "redis:// u:s3cret@",
]


@pytest.mark.parametrize("url", MALFORMED)
def test_a_url_with_a_mistake_is_refused_without_a_word_of_it(url):
    with pytest.raises(ValueError, match=r"form redis://|names no store") as caught:
        open_store(url)
    told = "".join(traceback.format_exception(caught.value))
    # The traceback names this test's source, not the URL, which is a parameter.
    assert not [part for part in PARTS if part in told]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("credentials", "options"),
    [
        ("", ""),
        ("u:s3cret@", ""),
        (":s3cret@W0rd@", ""),
        ("u:s3cret%2FW0rd@", ""),
        ("u:s3cret%zzW0rd@", "?health_check_interval=5"),
        ("", "?password=s3cret%40W0rd"),
    ],
)
def test_the_name_of_a_store_is_its_address(credentials, options):
    with open_store(f"redis://{credentials}127.0.0.1:1/3{options}", timeout=0.2) as store:
        assert store.name == "redis://127.0.0.1:1/3"
        with pytest.raises(StoreError, match=r"^redis://127\.0\.0\.1:1/3: ") as caught:
            store.spaces()
    assert not [part for part in PARTS if part in str(caught.value)]


def test_what_a_server_repeats_of_the_password_is_left_out():
    def answer(listening):
        connection, _ = listening.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(
                b"-ERR unknown command 'AUTH', with args beginning with: 's3cret/W0rd'\r\n" * 3
            )
            connection.recv(1 << 16)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, args=[listening], daemon=True)
        thread.start()
        url = f"redis://:s3cret%2FW0rd@127.0.0.1:{listening.getsockname()[1]}/0"
        with open_store(url, timeout=2.0) as store, pytest.raises(StoreError) as caught:
            store.spaces()
    assert str(caught.value).endswith("unknown command 'AUTH', with args beginning with: '…'")
    # A traceback does not show redis-py's error either.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
