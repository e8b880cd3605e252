"""A temporary certificate authority and a certificate for this machine, to serve the emulator over TLS."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Certificates:
    """PEM files: the authority's certificate, the server's and the server's key."""

    ca: str
    cert: str
    key: str


def make_certificates(directory: Path) -> Certificates:
    """Return new certificates for 127.0.0.1 and localhost that are valid for a day."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    here = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    ca = _builder("Emulator's throw-away CA", ca_key).add_extension(x509.BasicConstraints(True, None), critical=True)
    cert = _builder("localhost", key).add_extension(x509.SubjectAlternativeName(here), critical=False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    contents = {
        "ca.pem": ca.sign(ca_key, hashes.SHA256()).public_bytes(pem),
        "cert.pem": cert.sign(ca_key, hashes.SHA256()).public_bytes(pem),
        "key.pem": private,
    }
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    return Certificates(*(str(directory / name) for name in contents))


def _builder(name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Emulator's throw-away CA")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - ONE_DAY)
        .not_valid_after(now + ONE_DAY)
    )
