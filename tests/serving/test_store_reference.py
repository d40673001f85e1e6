"""URLs of stores on the command line."""

import subprocess
import sys

import pytest

from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.serving.store.store_url import hide_credentials
from semantic_id_ranking.serving.store.store_url import store_url

URL = "redis://u:s3cret@127.0.0.1:1/0"


def test_a_url_is_given_or_is_in_the_environment_or_in_a_file(tmp_path, monkeypatch):
    (tmp_path / "url").write_text(f"{URL}\n")
    monkeypatch.setenv("SIDS", URL)
    assert store_url(URL) == store_url("env:SIDS") == store_url(f"file:{tmp_path}/url") == URL


def test_a_variable_or_a_file_that_is_missing_or_empty_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("SIDS", raising=False)
    with pytest.raises(InputError, match="env:SIDS: there is no environment variable SIDS"):
        store_url("env:SIDS")
    with pytest.raises(InputError, match=r"absent: the file cannot be read \(No such file"):
        store_url(f"file:{tmp_path}/absent")
    with pytest.raises(InputError, match=r"the file cannot be read \(Is a directory"):
        store_url(f"file:{tmp_path}")
    for content, fact in ((b" \n", "is empty; it holds"), (b"\xff", "it is not UTF-8")):
        (tmp_path / "url").write_bytes(content)
        with pytest.raises(InputError, match=fact):
            store_url(f"file:{tmp_path}/url")


def test_credentials_are_left_out_of_a_text():
    assert hide_credentials(f"extra argument ({URL})") == (
        "extra argument (redis://…@127.0.0.1:1/0)"
    )
    assert hide_credentials("no such option: --x") == "no such option: --x"


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["store", "env:SIDS", "--timeout", "0.2"], "redis://127.0.0.1:1/0: Redis did not answer"),
        (["store", URL, URL], "extra argument"),
        (["store", URL.replace("cret", "cr/et")], "not of the form redis://user:password@host"),
        (["store", "env:MALFORMED"], "not of the form redis://user:password@host"),
    ],
)
def test_no_command_shows_a_password(arguments, fact, monkeypatch):
    monkeypatch.setenv("SIDS", URL)
    monkeypatch.setenv("MALFORMED", "redis://u:s3cret@127.0.0.1:x/0")
    monkeypatch.setenv("COLUMNS", "500")
    command = [sys.executable, "-m", "semantic_id_ranking.cli.main", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert fact in done.stderr
    assert "Traceback" not in done.stderr
    assert not [part for part in ("s3cret", "s3cr", "et@") if part in done.stdout + done.stderr]
