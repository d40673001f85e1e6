"""TLS of a server: its certificate, and the clients that it accepts."""

import dataclasses
import ssl

import grpc


@dataclasses.dataclass(frozen=True)
class ServerTls:
    """PEM files.

    Attributes:
        certificate: The server's certificate, with the chain to its authority.
        key: Its private key.
        client_authority: Certificates of the authorities that sign clients' certificates; with it,
            a client without such a certificate is refused (mutual TLS).
    """

    certificate: str
    key: str
    client_authority: str | None = None

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """Credentials of a gRPC port.

        Raises:
            OSError: A file cannot be read.
        """
        authority = _read(self.client_authority) if self.client_authority else None
        return grpc.ssl_server_credentials(
            [(_read(self.key), _read(self.certificate))],
            root_certificates=authority,
            require_client_auth=authority is not None,
        )

    def ssl_context(self) -> ssl.SSLContext:
        """Context of an HTTPS port.

        Raises:
            OSError: A file cannot be read, or holds no such thing.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        if self.client_authority:
            context.load_verify_locations(self.client_authority)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
