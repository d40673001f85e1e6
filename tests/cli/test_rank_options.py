"""Options of `sid rank` that are checked before anything runs."""

import pytest

from semantic_id_ranking.cli.rank import client_tls
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.serving.client import ClientTls


@pytest.mark.parametrize(
    ("authority", "certificate", "key", "fact"),
    [
        (None, "c", None, "--tls-certificate and --tls-key need each other"),
        ("a", None, "k", "--tls-certificate and --tls-key need each other"),
        (None, "c", "k", "need --tls-authority"),
        ("absent.pem", None, None, r"absent\.pem: no such file"),
    ],
)
def test_tls_options_that_do_not_fit_are_named(authority, certificate, key, fact):
    with pytest.raises(InputError, match=fact):
        client_tls(authority, certificate, key)


def test_tls_options_that_fit(tmp_path):
    paths = [str(tmp_path / name) for name in ("a.pem", "c.pem", "k.pem")]
    for path in paths:
        open(path, "w").close()
    assert client_tls(None, None, None) is None
    assert client_tls(paths[0], None, None) == ClientTls(server_authority=paths[0])
    authority, certificate, key = paths
    assert client_tls(*paths) == ClientTls(
        server_authority=authority, certificate=certificate, key=key
    )
