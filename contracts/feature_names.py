"""Names of signature inputs that stand for columns of any name.

TensorFlow turns what is no letter or digit in an input's name into an underscore, and takes names
that differ in case alone for one. So small letters, digits and underscores stay as they are, and
every other character becomes `_0x<its code point>_`: `device.os` is served as
`context_device_0x2e_os`. No two columns have one name.
"""

import re

CONTEXT = "context_"
HISTORY_LABEL = "history_label_"

_ESCAPED = re.compile("_0x(10[0-9a-f]{4}|[0-9a-f]{1,5})_")
# A character that does not survive, or an underscore that would read as the beginning of an escape.
_TO_ESCAPE = re.compile("[^a-z0-9_]|_(?=0x[0-9a-f]+(?:_|[^a-z0-9_]))")


def escape(name: str) -> str:
    """A name of small ASCII letters, digits and underscores alone.

    >>> escape("device_os"), escape("device.os"), escape("Tab")
    ('device_os', 'device_0x2e_os', '_0x54_ab')

    Args:
        name: Any text.

    Returns:
        Another one for each name; the same one where it has nothing else in it.
    """
    return _TO_ESCAPE.sub(lambda found: f"_0x{ord(found[0]):x}_", name)


def unescape(name: str) -> str:
    """The name that `escape` was given.

    >>> unescape("device_0x2e_os")
    'device.os'

    Args:
        name: A result of `escape`.
    """
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), name)


def context_feature(column: str) -> str:
    """The feature, and signature input, of a context column.

    >>> context_feature("user-agent")
    'context_user_0x2d_agent'
    """
    return CONTEXT + escape(column)


def context_column(feature: str) -> str:
    """The column of a context feature, such as `context_feature` names it."""
    return unescape(feature.removeprefix(CONTEXT))


def history_label(task: str) -> str:
    """The feature, and signature input, of a task's labels of the history's impressions.

    >>> history_label("click")
    'history_label_click'
    """
    return HISTORY_LABEL + escape(task)


def item_rate(task: str) -> str:
    """The feature of what an item's earlier labels alone predict of a task.

    >>> item_rate("click")
    'item_rate_click'
    """
    return f"item_rate_{task}"


def weight_input(task: str) -> str:
    """The signature input that says how much a task's score counts in `rank_top_k`."""
    return f"weight_{escape(task)}"
