"""TLS of a client: whom it trusts, and who it is."""

import dataclasses

import grpc


@dataclasses.dataclass(frozen=True)
class ClientTls:
    """PEM files.

    Attributes:
        server_authority: Certificates of the authorities that sign servers' certificates; None
            takes those that gRPC brings.
        certificate: The client's own certificate, with the chain to its authority, where the server
            asks for one (mutual TLS).
        key: The private key of that certificate.
    """

    server_authority: str | None = None
    certificate: str | None = None
    key: str | None = None

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
