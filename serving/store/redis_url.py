"""URLs of Redis: their form, and their redaction for messages."""

import re

_FORM = re.compile(
    r"(?P<scheme>rediss?)://"
    r"(?:[^/?#]*@)?"
    r"(?P<address>(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?)"
    r"(?P<database>/[0-9]*)?"
    # An @ here may be one of a password whose / or ? was not escaped.
    r"(?:\?[^#@]*)?"
)


def redacted_url(url: str) -> str:
    """A URL without user, password and options, for messages.

    Args:
        url: `redis://[user:password@]host[:port][/database][?option=value]`, or `rediss://`.

    Raises:
        ValueError: It is of another form; the message holds nothing of it.
    """
    found = _FORM.fullmatch(url)
    if found is None or not url.isprintable():
        raise malformed_url()
    return f"{found['scheme']}://{found['address']}{found['database'] or ''}"


def malformed_url() -> ValueError:
    """An error that holds nothing of the URL: any part of it may be one of its password."""
    return ValueError(
        "the URL of the store is not of the form redis://user:password@host:port/database, or has "
        "an option that redis-py does not know; in a user or a password write / as %2F, ? as %3F, "
        "# as %23, @ as %40 and % as %25"
    )
