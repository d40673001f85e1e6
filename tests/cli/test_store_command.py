"""`sid store`."""

import io

import pytest
import rich.console

from semantic_id_ranking.cli.store import store
from semantic_id_ranking.contracts.errors import InputError
from semantic_id_ranking.contracts.sid_space import SidSpace
from semantic_id_ranking.serving.store import open_store


@pytest.fixture
def url(tmp_path):
    url = f"sqlite:///{tmp_path}/sids.sqlite"
    with open_store(url) as opened:
        for fingerprint, items in (("space-a", ["x", "y"]), ("space-b", ["x"])):
            opened.add_space(SidSpace(fingerprint, levels=2, codebook_size=7))
            opened.put(fingerprint, items, [[1, 2]] * len(items))
    return url


def said(url, drop=None):
    text = io.StringIO()
    store(url, drop, 5.0, rich.console.Console(file=text, width=200))
    return text.getvalue()


def test_the_spaces_are_listed(url):
    rows = [line.replace("│", " ").split() for line in said(url).splitlines()]
    assert ["space-a", "2", "7", "2"] in rows
    assert ["space-b", "2", "7", "1"] in rows


def test_a_space_is_dropped_and_the_other_stays(url):
    assert "SID space space-a with its 2 items is no longer in" in said(url, "space-a")
    with open_store(url) as opened:
        assert set(opened.spaces()) == {"space-b"}
        assert opened.get("space-b", ["x"]).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("address", "drop", "message"),
    [
        (None, "space-c", "holds no SID space space-c; it holds space-a, space-b"),
        ("nothing", None, "names no store"),
    ],
)
def test_what_cannot_be_is_said(url, address, drop, message):
    with pytest.raises(InputError, match=message):
        said(address or url, drop)
