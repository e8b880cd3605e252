"""Why a step of the path fails, in words that say how to mend it."""

from __future__ import annotations

import socket
import ssl
from http.client import BadStatusLine

import pytest

from airflow_cloudtasks.clouds.certificates import TrustedCertificates
from airflow_cloudtasks.clouds.proxies import Proxy, Route
from airflow_cloudtasks.doctor import unreached
from airflow_cloudtasks.doctor.unreached import Certificate, Unreached

DIRECT = Route(None, "no proxy is set")
PROXIED = Route(Proxy("http://proxy:3128"), "HTTPS_PROXY")
WITH_LOGIN = Route(Proxy("http://proxy:3128", ("user", "password")), "the connection's proxy")
TRUSTED = TrustedCertificates("/ca.pem", "REQUESTS_CA_BUNDLE")
SHOWN = Certificate("Corporate CA", ("wifi.example",))


def verification_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "the reason of OpenSSL"
    return error


@pytest.mark.parametrize(
    ("failure", "found", "mend"),
    [
        (
            unreached.untrusted("h", verification_error(9), SHOWN, TRUSTED),
            "is not valid yet, issued by",
            "machine's clock",
        ),
        (unreached.untrusted("h", verification_error(10), None, TRUSTED), "has expired", "machine's clock"),
        (unreached.untrusted("h", verification_error(62), SHOWN, TRUSTED), "than h: it is for wifi.example", "captive"),
        (unreached.untrusted("h", verification_error(62), None, TRUSTED), "another host name than h", "captive"),
        (unreached.untrusted("h", verification_error(20), SHOWN, TRUSTED), "issued by Corporate CA", "ca_bundle"),
        (unreached.unresolved("h", socket.gaierror(-2, "not known"), DIRECT), "h has no address (not known)", "Region"),
        (unreached.unresolved("proxy", socket.gaierror(-2, "not known"), PROXIED), "proxy has no", "HTTPS_PROXY"),
        (
            unreached.unconnected(("h", 443), TimeoutError(), 5, DIRECT),
            "no connection to h port 443 within 5 s",
            "firewall",
        ),
        (unreached.unconnected(("h", 1), ConnectionRefusedError(), 5, DIRECT), "h refuses connections", "Host"),
        (unreached.unconnected(("p", 1), ConnectionRefusedError(), 5, PROXIED), "the proxy p refuses", "HTTPS_PROXY"),
        (unreached.unconnected(("h", 1), OSError(101, "Network is unreachable"), 5, DIRECT), "unreachable", "routes"),
        (unreached.unconnected(("h", 1), None, 5, DIRECT), "no connection to h", "routes"),
        (unreached.refused_tunnel("h:443", 407, "Login", PROXIED), "wants a login (HTTP 407 Login)", "HTTPS_PROXY"),
        (unreached.refused_tunnel("h:443", 407, "", WITH_LOGIN), "refuses the login", "the connection's proxy"),
        (unreached.refused_tunnel("h:443", 502, "Bad", PROXIED), "refuses to reach h:443 (HTTP 502 Bad)", "NO_PROXY"),
        (unreached.unanswered("h", TimeoutError(), 5, DIRECT), "the server accepts the connection", "firewalls"),
        (
            unreached.unanswered("h", ConnectionResetError(104, "reset"), 5, PROXIED),
            "closes the connection",
            "firewalls",
        ),
        (unreached.unanswered("h", BadStatusLine("SSH-2.0"), 5, DIRECT), "sends no HTTP (BadStatusLine)", "firewalls"),
        (unreached.no_tls("h", ssl.SSLError(1, "wrong version"), 5), "does not speak TLS", "Port"),
        (unreached.no_tls("h", TimeoutError(), 5), "says nothing within 5 s", "Port"),
    ],
)
def test_a_failure_says_what_was_found_and_how_to_mend_it(failure: Unreached, found: str, mend: str) -> None:
    assert found in failure.found
    assert failure.expected
    assert mend in failure.mend
    assert "password" not in failure.found + failure.expected + failure.mend.replace("USER:PASSWORD", "").replace(
        "user and password", ""
    )


@pytest.mark.parametrize(
    ("beginning", "title"),
    [
        (b"<html><TITLE>\n Log  in &amp; pay </title>", "'Log in & pay'"),
        (b"<html>", "without a title"),
        (b"<title>" + b"x" * 500 + b"</title>", f"'{'x' * 60}'"),
        (b"<title>\xff\xfe</title>", "'\ufffd\ufffd'"),
    ],
)
def test_a_page_is_named_by_its_title(beginning: bytes, title: str) -> None:
    assert unreached.page(beginning) == title
