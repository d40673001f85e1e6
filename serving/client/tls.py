"""TLS of a client: the authorities that it trusts, and its own certificate."""

import dataclasses

import grpc


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClientTls:
    """PEM files.

    Attributes:
        server_authority: Certificates of the authorities that sign servers' certificates; None
            takes those that gRPC brings.
        certificate: The client's own certificate, with the chain to its authority, where the server
            asks for one (mutual TLS).
        key: The private key of that certificate.

    Raises:
        ValueError: Of `certificate` and `key` one is given without the other.

    Example:
        `RankerClient("ranker.internal:8500", tls=ClientTls(server_authority="authority.pem"))`
    """

    server_authority: str | None = None
    certificate: str | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        # gRPC ends the process over half a pair.
        if (self.certificate is None) != (self.key is None):
            given, missing = ("key", "certificate") if self.key else ("certificate", "key")
            raise ValueError(
                f"ClientTls has a {given} and no {missing}; both are needed, or neither"
            )

    def grpc_credentials(self) -> grpc.ChannelCredentials:
        """Credentials of a channel.

        Raises:
            OSError: A file cannot be read.
        """
        return grpc.ssl_channel_credentials(
            _read(self.server_authority), _read(self.key), _read(self.certificate)
        )


def _read(path: str | None) -> bytes | None:
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read()
