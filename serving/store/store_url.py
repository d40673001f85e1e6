"""URL of a store from the command line, the configuration, an environment variable or a file."""

import os
import re

from semantic_id_ranking.contracts.errors import InputError

_CREDENTIALS = re.compile(r"(\w+://)\S*@")
_FORMS = ("sqlite:///", "redis://", "rediss://", "env:", "file:")


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


def require_no_credentials(given: str) -> None:
    """Refuses what must not be written into a file that others read.

    Args:
        given: As `store_url` takes it.

    Raises:
        ValueError: It is of another form, or holds a user or a password; the message does not.
    """
    if not given.startswith(_FORMS):
        raise ValueError(
            "names no store; write sqlite:///path, redis://host:port/database, rediss://…, "
            "env:NAME or file:PATH"
        )
    if given.startswith("redis") and ("@" in given or "?" in given):
        raise ValueError(
            "a user, a password or an option of a URL is not kept with the configuration; put the "
            "URL into an environment variable and write env:NAME, or into a file and write "
            "file:PATH"
        )


def hide_credentials(text: str) -> str:
    """A text with the user and the password of every URL in it left out."""
    return _CREDENTIALS.sub(r"\1…@", text)
