"""Base of the errors of the model clients and the SID stores."""


class ClientError(Exception):
    """A request could not be answered: server, store and arguments do not fit or do not respond.

    One `except ClientError` covers what may go wrong while models and stores change under a running
    caller: `ModelCallError`, `StoreError`, `MissingInputError` and `ServedSpaceError`. An argument
    that no version would accept is a plain `ValueError`.
    """
