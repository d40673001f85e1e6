"""Titles of films: the form people read, and the form that two sources of films are joined by."""

import re
import unicodedata
from collections.abc import Mapping

import pandas as pd

_ARTICLE = "The|A|An|L'|La|Le|Les|Une?|Il|Lo|I|Gli|El|Los|Las|Der|Die|Das|Den|Det|De"
_MOVED_ARTICLE = re.compile(rf"((?:a\.k\.a\. )?)([^()]+), ({_ARTICLE})(?=:|\)|\s*\(|\s*$)")
_LEADING_ARTICLE = re.compile(r"^(?:the|an?) (?=.)")


def readable_title(title: str) -> str:
    """Puts articles back where they are spoken.

    Args:
        title: As MovieLens writes it: `"Postman, The (Postino, Il)"`.

    Returns:
        `"The Postman (Il Postino)"`.
    """

    def to_front(match: re.Match) -> str:
        prefix, name, article = match.groups()
        leading = name[: len(name) - len(name.lstrip())]
        space = "" if article.endswith("'") else " "
        return f"{leading}{prefix}{article}{space}{name.lstrip()}"

    return _MOVED_ARTICLE.sub(to_front, title)


def join_keys(title: str) -> list[str]:
    """Forms of a title that do not depend on spelling.

    Args:
        title: A title, alternative ones in brackets behind it, articles anywhere.

    Returns:
        A key for the title and one for each alternative: lower-case ASCII letters and digits,
        without spaces and without a leading English article. A title of which nothing is left has
        no key.
    """
    title = readable_title(title)
    names = [title.split(" (")[0], *re.findall(r"\(([^()]+)\)", title)]
    keys = [_key(name.removeprefix("a.k.a. ")) for name in names]
    return [key for key in keys if key]


def _key(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    words = " ".join(re.findall("[a-z0-9]+", ascii_name.replace("&", " and ")))
    return _LEADING_ARTICLE.sub("", words).replace(" ", "")


def find_credits(films: pd.DataFrame, credits: pd.DataFrame) -> pd.DataFrame:
    """Finds director and cast of films by title and year.

    The year may be off by one: sources date a film by its first showing or by its release. Of
    several films that fit, the same year wins, then the one with the most votes.

    Args:
        films: `title` and `year`, either of which may be missing.
        credits: `title`, `year`, `director`, `cast`, `votes`.

    Returns:
        `director` and `cast` with the index of `films`; None where nothing was found.
    """
    known: dict[tuple[str, int], Mapping] = {}
    for row in credits.sort_values("votes", kind="stable").to_dict("records"):
        for key in join_keys(row["title"]):
            known[key, row["year"]] = row
    nothing = {"director": None, "cast": None}
    found = []
    for title, year in zip(films["title"], films["year"], strict=True):
        keys = [] if pd.isna(title) or pd.isna(year) else join_keys(title)
        candidates = ((key, year + off) for off in (0, 1, -1) for key in keys)
        found.append(next((known[c] for c in candidates if c in known), nothing))
    columns = {name: [row[name] or None for row in found] for name in nothing}
    return pd.DataFrame(columns, index=films.index, dtype=object)
