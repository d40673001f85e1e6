"""gRPC channel arguments of a server, as TensorFlow Serving's `--grpc_channel_arguments`."""


def parse_channel_arguments(text: str) -> list[tuple[str, int | str]]:
    """Reads arguments such as `grpc.max_connection_age_ms=2000,grpc.lb_policy_name=grpclb`.

    gRPC passes over those that it does not know.

    Args:
        text: Pairs `key=value`, separated by commas.

    Returns:
        Keys and values; a value that reads as a whole number is one.

    Raises:
        ValueError: A pair has no `=`, or no key.
    """
    arguments: list[tuple[str, int | str]] = []
    for pair in text.split(","):
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise ValueError(
                f"gRPC channel arguments: {pair!r} is no key=value, such as "
                "grpc.max_connection_age_ms=2000"
            )
        try:
            arguments.append((key, int(value)))
        except ValueError:
            arguments.append((key, value))
    return arguments
