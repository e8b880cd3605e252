"""The certificates that servers are verified with: a file or a folder that a setting names."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import certifi

from airflow_cloudtasks.errors import InvalidConnection

# The first three are what requests, curl and OpenSSL read for a file; the last one is OpenSSL's for folders.
_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
# Source: OpenSSL, X509_LOOKUP_hash_dir. OpenSSL finds a certificate in a folder only by such a name.
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class TrustedCertificates:
    """The certificates that servers are verified with.

    Args:
        path: A PEM file, or a folder of PEM files that are named by their hash; several folders with ``:`` between.
        source: What decided, to show it to a user: a field of the connection, a variable, or certifi.
    """

    path: str
    source: str

    @property
    def is_file(self) -> bool:
        """Whether the path is a file."""
        return os.path.isfile(self.path)

    def version(self) -> int:
        """Return a number that changes when the file or a folder is written.

        Raises:
            InvalidConnection: There is no such file or folder.
        """
        try:
            return max(os.stat(path).st_mtime_ns for path in self._paths())
        except (OSError, ValueError):  # ValueError: a null character
            raise InvalidConnection(
                f"{self.source} names {self.path!r}, and there is no such file or folder of certificates."
            ) from None

    def tls_context(self) -> ssl.SSLContext:
        """Return the TLS settings of a client that trusts these certificates and no others; they may be shared.

        Raises:
            InvalidConnection: The file or folder is missing or cannot be read, or holds no certificate.
        """
        return _tls_context(self, self.version())

    def _paths(self) -> list[str]:
        return [self.path] if self.is_file else self.path.split(os.pathsep)

    def _load(self) -> ssl.SSLContext:
        if self.is_file:
            try:
                context = ssl.create_default_context(cafile=self.path)
            except OSError as error:  # ssl.SSLError is one
                why = "holds no certificate" if isinstance(error, ssl.SSLError) else "cannot be read"
                raise InvalidConnection(self._problem(why)) from None
            if not context.cert_store_stats()["x509"]:
                raise InvalidConnection(self._problem("holds no certificate"))
            return context
        try:
            names = [name for path in self._paths() for name in os.listdir(path)]
        except OSError:
            raise InvalidConnection(self._problem("cannot be read")) from None
        if not any(map(_HASHED_NAME.fullmatch, names)):
            raise InvalidConnection(
                f"{self.source} names the folder {self.path!r}, which has no certificate under the name of its hash; "
                "run `openssl rehash` on the folder, or name a PEM file."
            )
        return ssl.create_default_context(capath=self.path)

    def _problem(self, why: str) -> str:
        return f"{self.source} names {self.path!r}, which {why}; name a PEM file or a folder of certificates."


def trusted_certificates(ca_bundle: str | None, environ: Mapping[str, str]) -> TrustedCertificates:
    """Return the certificates to trust: the connection's, those of the first variable that is set, or certifi's.

    Args:
        ca_bundle: The connection's file or folder.
        environ: The environment's variables.
    """
    if ca_bundle:
        return TrustedCertificates(ca_bundle, "ca_bundle")
    for name in _VARIABLES:
        if path := environ.get(name, "").strip():
            return TrustedCertificates(path, name)
    return TrustedCertificates(certifi.where(), "certifi")


# The version is a part of the key: a file that was replaced is read again.
@lru_cache(maxsize=4)
def _tls_context(trusted: TrustedCertificates, version: int) -> ssl.SSLContext:
    return trusted._load()
