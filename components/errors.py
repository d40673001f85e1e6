"""What the components raise when the input, not the program, is at fault."""


class InputError(ValueError):
    """Input that the pipeline refuses.

    The message is one sentence for the person who owns the data: the file, the column, the row
    (counted from 0), the value found there, and what would be right.
    """
