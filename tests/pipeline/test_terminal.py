"""Escaping of texts from the data in the terminal."""

import io
import types

import pytest
import rich.console

from semantic_id_ranking.cli import rank as rank_lib
from semantic_id_ranking.cli.candidates import Candidates
from semantic_id_ranking.cli.catalogue import Catalogue
from semantic_id_ranking.pipeline.terminal import printable

HOSTILE = "\x1b]0;owned\x07\x1b[2J a\nb\r\x9b31m \u202egnp.exe\u2066 [red]:smile: \u2028\x00"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x9b\x7f", r"\x9b\x7f"),
        ("\u202eabc\u2069", r"\u202eabc\u2069"),
        ("\u2028\ud800", r"\u2028\ud800"),
        (
            "Amélie [sic] 東京 👩\u200d🚀 \u0645\u06cc\u200c\u062e",
            "Amélie [sic] 東京 👩\u200d🚀 \u0645\u06cc\u200c\u062e",
        ),
    ],
)
def test_controls_become_escapes_and_letters_stay(text, printed):
    assert printable(text) == printed


def test_a_ranking_shows_titles_ids_and_users_without_controls(monkeypatch):
    rows = [
        types.SimpleNamespace(item_id=HOSTILE, scores={"click": 0.5}, source="store"),
        types.SimpleNamespace(item_id="plain", scores={"click": 0.4}, source="store"),
    ]

    class Client:
        def __init__(self, *_, **__):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def rank_items(self, *_, **__):
            return types.SimpleNamespace(items=rows)

    monkeypatch.setattr("semantic_id_ranking.serving.client.RankerClient", Client)
    catalogue = Catalogue(
        item_ids=[HOSTILE, "plain"],
        titles={"plain": HOSTILE},
        histories={HOSTILE: [HOSTILE, "plain"]},
        semantic_ids="",
        fingerprint="",
        categorical=(),
        numeric=(),
        task="click",
    )
    console = rich.console.Console(file=io.StringIO(), width=400)
    rank_lib.show_ranking(
        catalogue, Candidates([HOSTILE]), HOSTILE, {}, 10, "host:1", None, console
    )
    printed = console.file.getvalue()
    assert not set(printed) & set("\x1b\x07\x9b\r\x00\u202e\u2066\u2028")
    # User, two of the history, an id and a title; neither markup nor emoji codes are read.
    assert printed.count("[red]:smile:") == 5
    assert printed.count("\n") == 1 + 1 + 3 + 2 + 1
