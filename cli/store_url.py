"""URL of a store from the command line, an environment variable or a file."""

import os
import re

from semantic_id_ranking.contracts.errors import InputError

_CREDENTIALS = re.compile(r"(\w+://)\S*@")


def store_url(given: str) -> str:
    """The URL itself, or where `env:` or `file:` says that it is, so that no command shows it.

    Args:
        given: A URL, `env:NAME` (an environment variable) or `file:PATH` (a file of one line).

    Raises:
        InputError: The variable or the file is missing or empty.
    """
    kind, _, name = given.partition(":")
    if kind == "env":
        url = os.environ.get(name, "").strip()
        if not url:
            raise InputError(f"{given}: there is no environment variable {name}, or it is empty")
        return url
    if kind == "file":
        try:
            with open(name, encoding="utf-8") as file:
                url = file.read().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise InputError(f"{given}: the file cannot be read ({reason})") from error
        if not url:
            raise InputError(f"{given}: the file is empty; it holds the URL of the store")
        return url
    return given


def hide_credentials(text: str) -> str:
    """A text with the user and the password of every URL in it left out."""
    return _CREDENTIALS.sub(r"\1…@", text)
