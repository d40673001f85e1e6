"""Certificates for the tests."""

import dataclasses
import datetime
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USES = [
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
]


@dataclasses.dataclass(frozen=True)
class TlsFiles:
    """PEM files: an authority, and a certificate that it signed for this machine, with its key."""

    authority: str
    certificate: str
    key: str


def make_tls_files(directory: pathlib.Path) -> TlsFiles:
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _certificate("authority", authority_key, "authority", authority_key, True)
    certificate = _certificate("localhost", key, "authority", authority_key, False)
    pem = serialization.Encoding.PEM
    contents = {
        "authority": authority.public_bytes(pem),
        "certificate": certificate.public_bytes(pem),
        "key": key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    }
    paths = {name: directory / f"{name}.pem" for name in contents}
    for name, content in contents.items():
        paths[name].write_bytes(content)
    return TlsFiles(**{name: str(path) for name, path in paths.items()})


def _certificate(subject, key, issuer, issuer_key, is_authority):
    """The certificate; with the extensions that RFC 5280, and Python since 3.13, asks for."""
    now = datetime.datetime.now(datetime.timezone.utc)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    issuer_identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(issuer_identifier, critical=False)
    )
    if is_authority:
        signs = dict.fromkeys(USES, False) | {"key_cert_sign": True, "crl_sign": True}
        builder = builder.add_extension(x509.KeyUsage(**signs), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
