"""Titles of films, and how their credits are found."""

import numpy as np
import pandas as pd
import pytest

from semantic_id_ranking.cli.demo.film_credits import find_credits
from semantic_id_ranking.cli.demo.film_credits import join_keys
from semantic_id_ranking.cli.demo.film_credits import readable_title
from tests.cli.film_credits import CREDITS


@pytest.mark.parametrize(
    ("title", "readable"),
    [
        ("Matrix, The", "The Matrix"),
        ("Postman, The (Postino, Il)", "The Postman (Il Postino)"),
        ("Avventura, L' (Adventure, The)", "L'Avventura (The Adventure)"),
        ("Kid, The (a.k.a. Small One, A)", "The Kid (a.k.a. A Small One)"),
        ("Good, the Bad and the Ugly, The", "The Good, the Bad and the Ugly"),
        ("Twins, The: The Case of the Ship", "The Twins: The Case of the Ship"),
        ("I Love You, Man", "I Love You, Man"),
        ("Play It Again, Sam", "Play It Again, Sam"),
    ],
)
def test_articles_go_back_to_the_front(title, readable):
    assert readable_title(title) == readable


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        ("Matrix, The", ["matrix"]),
        ("Seven (a.k.a. Se7en)", ["seven", "se7en"]),
        ("Amélie & Me", ["amelieandme"]),
        ("Old Boy", ["oldboy"]),
        ("The", ["the"]),
        ("A Theory", ["theory"]),
        ("Another Day", ["anotherday"]),
        ("???", []),
    ],
)
def test_keys_do_not_depend_on_spelling(title, keys):
    assert join_keys(title) == keys


@pytest.mark.parametrize(
    ("title", "year", "director"),
    [
        ("Matrix, The", 1999, "Lana Wachowski"),
        ("Matrix", 1999, "Lana Wachowski"),
        ("Postman, The (Postino, Il)", 1995, "Michael Radford"),
        ("Hero (Ying xiong)", 2002, None),
        ("Hero", 1993, "Stephen Frears"),
        ("Hero", 1994, None),
        ("Black Rain", 1989, "Ridley Scott"),
        ("!!!", 2000, None),
        (None, 1999, None),
        ("Matrix, The", np.nan, None),
    ],
)
def test_credits_are_found_by_title_and_year(title, year, director):
    films = pd.DataFrame({"title": [title], "year": [year]}, index=[17])
    found = find_credits(films, CREDITS)
    assert list(found.index) == [17]
    assert found.loc[17, "director"] == director


def test_the_same_year_beats_a_neighbouring_one():
    credits = pd.DataFrame(
        [("Hero", 1992, "same", "", 1), ("Hero", 1993, "next", "", 99)], columns=CREDITS.columns
    )
    films = pd.DataFrame({"title": ["Hero", "Hero"], "year": [1992.0, 1993.0]})
    assert find_credits(films, credits)["director"].tolist() == ["same", "next"]


def test_an_empty_credit_is_none():
    found = find_credits(pd.DataFrame({"title": ["Amélie & Me"], "year": [2001]}), CREDITS)
    assert found.iloc[0].tolist() == [None, "Audrey Tautou"]
