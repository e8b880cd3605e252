"""Why a step of the path to an endpoint fails, what was expected, and how to mend it. Pure."""

from __future__ import annotations

import html
import re
import ssl
from dataclasses import dataclass

from airflow_cloudtasks.clouds.certificates import TrustedCertificates
from airflow_cloudtasks.clouds.proxies import Route
from airflow_cloudtasks.doctor.causes import of_sentence

# OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH.
_OTHER_NAME = (62, 64)
# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
_OTHER_TIME = {9: "is not valid yet", 10: "has expired"}
_HTTP_PROXY_LOGIN = 407
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_MOST_TITLE = 60


class Unreached(Exception):
    """A step failed.

    Args:
        found: What was found.
        expected: What was expected instead.
        mend: How to mend it.
    """

    def __init__(self, found: str, expected: str, mend: str) -> None:
        super().__init__(found)
        self.found, self.expected, self.mend = found, expected, mend


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that was not accepted.

    Args:
        issuer: Who issued it.
        names: The hosts that it is for.
    """

    issuer: str
    names: tuple[str, ...]


def invalid(error: Exception) -> Unreached:
    """Return the failure of a step whose setting is invalid.

    Args:
        error: The error, whose text says what is wrong and how to mend it.
    """
    cause = of_sentence(str(error))
    return Unreached(cause.found, cause.expected, cause.mend)


def unresolved(host: str, error: OSError, route: Route) -> Unreached:
    """Return the failure of DNS.

    Args:
        host: The host.
        error: The resolver's error.
        route: How the endpoint is reached.
    """
    if route.proxy is not None:
        mend = f"correct the host in {route.reason}; or check this machine's name server"
    else:
        mend = (
            "check the connection's Region and Host, which make this name; check this machine's name server; "
            "if only a proxy reaches the internet, set the connection's proxy or HTTPS_PROXY"
        )
    return Unreached(f"{host} has no address ({_reason(error)})", "an address", mend)


def unconnected(hop: tuple[str, int], error: OSError | None, seconds: float, route: Route) -> Unreached:
    """Return the failure of TCP.

    Args:
        hop: Host and port of the endpoint, or of the proxy.
        error: The last error.
        seconds: The time limit.
        route: How the endpoint is reached.
    """
    host, port = hop
    what = f"the proxy {host}" if route.proxy is not None else host
    where = f"in {route.reason}" if route.proxy is not None else "in the connection's Host and Port"
    if isinstance(error, ConnectionRefusedError):
        return Unreached(
            f"{what} refuses connections on port {port}",
            "an open port",
            f"check host and port {where}; check that the service runs and that no firewall rejects port {port}",
        )
    if isinstance(error, TimeoutError):
        return Unreached(
            f"no connection to {what} port {port} within {seconds:g} s",
            "an open port",
            f"a firewall may drop the packets: open {host} port {port}; or set a proxy; or correct the host {where}",
        )
    return Unreached(
        f"no connection to {what} port {port} ({_reason(error)})",
        "an open port",
        f"check this machine's network and routes, and the host {where}",
    )


def refused_tunnel(target: str, status: int, reason: str, route: Route) -> Unreached:
    """Return the failure of a proxy that does not pass requests on.

    Args:
        target: Host and port of the endpoint.
        status: The HTTP status of the proxy's answer.
        reason: The answer's text.
        route: How the endpoint is reached.
    """
    answered = f"HTTP {status} {reason}".strip()
    proxy = route.proxy
    if status == _HTTP_PROXY_LOGIN and (proxy is None or proxy.login is None):
        return Unreached(
            f"the proxy wants a login ({answered})",
            "a proxy that passes requests on",
            f"write the login into the proxy's address, http://USER:PASSWORD@HOST:PORT, in {route.reason}",
        )
    if status == _HTTP_PROXY_LOGIN:
        return Unreached(
            f"the proxy refuses the login ({answered})",
            "a login that the proxy accepts",
            f"correct user and password in {route.reason}; write the characters : / ? # @ % of them as %3A and so on",
        )
    return Unreached(
        f"the proxy refuses to reach {target} ({answered})",
        "a proxy that passes requests on",
        f"have the proxy allow {target}; or list the host in NO_PROXY if it can be reached without the proxy",
    )


def unanswered(host: str, error: Exception, seconds: float, route: Route) -> Unreached:
    """Return the failure of a server, or a proxy, that sends no answer.

    Args:
        host: The endpoint's host.
        error: The error.
        seconds: The time limit.
        route: How the endpoint is reached.
    """
    what = "the proxy, or the server behind it," if route.proxy is not None else "the server"
    if isinstance(error, TimeoutError):
        found = f"{what} accepts the connection and sends no answer within {seconds:g} s"
    elif isinstance(error, OSError):
        found = f"{what} closes the connection without an answer ({_reason(error)})"
    else:
        found = f"{what} sends no HTTP ({type(error).__name__})"
    proxy = f"check that the proxy in {route.reason} works; " if route.proxy is not None else ""
    return Unreached(
        found,
        "an HTTP answer",
        f"{proxy}check that {host} is the cloud's endpoint (Host, Port, endpoints); check gateways and firewalls on "
        "the way",
    )


def untrusted(
    host: str,
    error: ssl.SSLCertVerificationError,
    shown: Certificate | None,
    trusted: TrustedCertificates,
    proxy_setting: str | None = None,
) -> Unreached:
    """Return the failure of TLS for a certificate that is not accepted.

    Args:
        host: The host.
        error: OpenSSL's error.
        shown: The certificate; None if it could not be read.
        trusted: The certificates that this machine trusts.
        proxy_setting: The setting that names the host if it is the proxy; None for an endpoint.
    """
    issuer = f", issued by {shown.issuer}" if shown else ""
    if error.verify_code in _OTHER_NAME:
        where = proxy_setting or "the connection's Host or endpoints"
        names = f": it is for {', '.join(shown.names[:5])}" if shown and shown.names else ""
        return Unreached(
            f"the certificate is for another host name than {host}{names}",
            f"a certificate for {host}",
            f"correct the host in {where}; a gateway or captive portal "
            "that answers in its place shows such a certificate too",
        )
    if error.verify_code in _OTHER_TIME:
        return Unreached(
            f"the certificate {_OTHER_TIME[error.verify_code]}{issuer}",
            "a certificate that is valid now",
            "set this machine's clock if it is wrong; otherwise the server needs a new certificate",
        )
    return Unreached(
        f"the certificate's CA is not trusted{issuer} ({error.verify_message})",
        f"a CA among the certificates of {trusted.source} ({trusted.path})",
        "name a file with that CA in the connection's ca_bundle or in REQUESTS_CA_BUNDLE; a company's proxy that "
        "opens TLS signs with a CA of its own",
    )


def no_tls(host: str, error: Exception, seconds: float, proxy_setting: str | None = None) -> Unreached:
    """Return the failure of a server that does not speak TLS.

    Args:
        host: The host.
        error: The error.
        seconds: The time limit.
        proxy_setting: The setting that names the host if it is the proxy; None for an endpoint.
    """
    if isinstance(error, TimeoutError):
        found = f"{host} accepts the connection and says nothing within {seconds:g} s"
    else:
        found = f"{host} does not speak TLS ({_reason(error)})"
    if proxy_setting:
        # Most proxies for https speak plain http themselves.
        mend = (
            f"write http:// in place of https:// in {proxy_setting}; if the proxy speaks TLS, check its host and port"
        )
    else:
        mend = "check host and port in the connection's Host and Port; check gateways and firewalls on the way"
    return Unreached(found, "a TLS handshake", mend)


def page(beginning: bytes) -> str:
    """Return the title of an HTML page, or a word for a page without one.

    Args:
        beginning: The first bytes of the page.
    """
    found = _TITLE.search(beginning)
    title = " ".join(html.unescape(found[1].decode("utf-8", "replace")).split()) if found else ""
    return f"'{title[:_MOST_TITLE]}'" if title else "without a title"


def _reason(error: Exception | None) -> str:
    return str(getattr(error, "strerror", None) or getattr(error, "reason", None) or type(error).__name__)
