"""The trusted certificates: which setting decides, what is a clear error, and that both transports trust the same."""

from __future__ import annotations

import os
import shutil
import ssl
from pathlib import Path

import certifi
import pytest

from airflow_cloudtasks.clouds.certificates import TrustedCertificates, trusted_certificates
from airflow_cloudtasks.errors import InvalidConnection

VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


def test_the_first_setting_that_is_set_decides() -> None:
    environ = dict.fromkeys(VARIABLES, "/ca")
    assert trusted_certificates("/own", environ) == TrustedCertificates("/own", "ca_bundle")
    for name in VARIABLES:
        assert trusted_certificates(None, environ) == TrustedCertificates("/ca", name)
        environ[name] = " "
    assert trusted_certificates(None, environ) == TrustedCertificates(certifi.where(), "certifi")


@pytest.mark.parametrize("content", [b"", b"\n", b"no certificate\n", b"\xff\xfe\x00", "key", "der"])
def test_an_error_names_a_file_without_certificates(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "ca.pem"
    if content == "key":
        content = b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"
    elif content == "der":
        first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----")
        content = ssl.PEM_cert_to_DER_cert(first[first.index("-----BEGIN") :] + end)
    assert isinstance(content, bytes)
    path.write_bytes(content)
    with pytest.raises(InvalidConnection) as caught:
        TrustedCertificates(str(path), "SSL_CERT_FILE").tls_context()
    assert str(caught.value) == (
        f"SSL_CERT_FILE names '{path}', which holds no certificate; name a PEM file or a folder of certificates."
    )


@pytest.mark.parametrize("path", ["/nowhere/ca.pem", "nowhere", "/\x00", "/dev/null/ca"])
def test_an_error_names_a_missing_file(path: str) -> None:
    with pytest.raises(InvalidConnection) as caught:
        TrustedCertificates(path, "REQUESTS_CA_BUNDLE").tls_context()
    assert str(caught.value) == (
        f"REQUESTS_CA_BUNDLE names {path!r}, and there is no such file or folder of certificates."
    )


def test_an_error_names_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests may run as root, whom no mode of a file keeps out.
    def refuse(*args: object, **more: object) -> ssl.SSLContext:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "ca.pem"
    path.touch()
    monkeypatch.setattr(ssl, "create_default_context", refuse)
    with pytest.raises(InvalidConnection, match=r"^ca_bundle names '.*ca\.pem', which cannot be read; name a PEM file"):
        TrustedCertificates(str(path), "ca_bundle").tls_context()


def test_a_folder_needs_names_that_openssl_finds(tmp_path: Path) -> None:
    shutil.copy(certifi.where(), tmp_path / "ca.pem")
    trusted = TrustedCertificates(str(tmp_path), "SSL_CERT_DIR")
    with pytest.raises(InvalidConnection) as caught:
        trusted.tls_context()
    assert str(caught.value) == (
        f"SSL_CERT_DIR names the folder '{tmp_path}', which has no certificate under the name of its hash; "
        "run `openssl rehash` on the folder, or name a PEM file."
    )
    (tmp_path / "ca.pem").rename(tmp_path / "01234567.0")
    trusted.tls_context()


def test_several_folders_may_be_named(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    with pytest.raises(InvalidConnection, match="there is no such file or folder"):
        TrustedCertificates(f"{first}{os.pathsep}{second}", "SSL_CERT_DIR").tls_context()
    second.mkdir()
    (second / "01234567.0").touch()
    TrustedCertificates(f"{first}{os.pathsep}{second}", "SSL_CERT_DIR").tls_context()


def test_reads_a_file_again_only_after_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    shutil.copy(certifi.where(), path)
    trusted = TrustedCertificates(str(path), "ca_bundle")
    first = trusted.tls_context()
    assert trusted.tls_context() is first
    os.utime(path, ns=(1, 1))
    assert trusted.tls_context() is not first
