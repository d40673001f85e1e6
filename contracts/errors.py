"""Errors of the input, not of the program."""


class InputError(ValueError):
    """Input that is refused.

    The message is one sentence for the person who owns the data: the file, the column, the row
    (counted from 0), the value found there, and what would be right.
    """


class DamagedModelError(InputError):
    """A model is not what was exported, or does not answer as it has to."""


class SidSpaceMismatchError(ValueError):
    """Semantic IDs of one SID space were used with a model or Semantic IDs of another one."""
