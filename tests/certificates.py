"""A temporary certificate authority and a certificate for this machine, to serve over TLS."""

from __future__ import annotations

import hashlib
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
AUTHORITY = "Emulator's throw-away CA"


@dataclass(frozen=True)
class Certificates:
    """PEM files: the authority's certificate, the server's and the server's key; and a folder with the first one."""

    ca: str
    cert: str
    key: str
    ca_folder: str


def make_certificates(directory: Path, *names: str) -> Certificates:
    """Return new certificates for 127.0.0.1, localhost and more names, that are valid for a day."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    here = [*map(x509.DNSName, ("localhost", *names)), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    ca = _builder(AUTHORITY, ca_key).add_extension(x509.BasicConstraints(True, None), critical=True)
    cert = _builder("localhost", key).add_extension(x509.SubjectAlternativeName(here), critical=False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    authority = ca.sign(ca_key, hashes.SHA256()).public_bytes(pem)
    contents = {
        "ca.pem": authority,
        "cert.pem": cert.sign(ca_key, hashes.SHA256()).public_bytes(pem),
        "key.pem": private,
        f"ca/{_name_in_a_folder(AUTHORITY)}": authority,
    }
    (directory / "ca").mkdir()
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    return Certificates(*(str(directory / name) for name in ("ca.pem", "cert.pem", "key.pem", "ca")))


def _builder(name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, AUTHORITY)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - ONE_DAY)
        .not_valid_after(now + ONE_DAY)
    )


def _name_in_a_folder(common_name: str) -> str:
    """Return the file's name by which OpenSSL finds a certificate, as ``openssl rehash`` makes it.

    Source: OpenSSL, X509_NAME_hash_ex: the SHA-1 of the name's canonical encoding, which is in lower case.
    """

    def der(tag: int, content: bytes) -> bytes:
        return bytes([tag, len(content)]) + content

    attribute = b"\x06\x03\x55\x04\x03" + der(0x0C, common_name.lower().encode())
    canonical = der(0x31, der(0x30, attribute))
    digest = hashlib.sha1(canonical, usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}.0"
