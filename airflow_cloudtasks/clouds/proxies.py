"""Choose the proxy to an endpoint, by the environment's variables. Pure: the environment is an argument.

Programs read these variables in different ways. Where curl, ``requests`` and Go agree, this module agrees with them:

- ``https_proxy`` is for https endpoints, ``http_proxy`` for http ones, and ``all_proxy`` for those without either.
- A lower-case name takes precedence over its upper-case one, even if its value is empty: empty means no proxy.
- ``HTTP_PROXY`` counts as not set where ``REQUEST_METHOD`` is set. In a CGI script, it is a header of the client.
- A loopback address has no special rule, as in curl and ``requests``: list it in ``NO_PROXY``.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import quote, unquote, urlsplit

from airflow_cloudtasks.clouds.wire import HOST
from airflow_cloudtasks.errors import InvalidConnection

DEFAULT_PORTS = {"http": 80, "https": 443}
"""The port of each scheme, where a URL has none."""

_HIGHEST_PORT = 65535
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.ASCII | re.IGNORECASE)
_HOST_AND_PORT = re.compile(rf"(?P<host>{HOST})?(:(?P<port>[^/?#\s]*))?", re.ASCII | re.IGNORECASE)
_PORT = re.compile(r"\d{1,5}", re.ASCII)
# Characters that a login must have as percent-escapes.
_RESERVED = re.compile(r"[/?#\s\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy.

    Args:
        address: Scheme, host and port, without the login, so it may be shown.
        login: User and password, not escaped; None for no login.
    """

    address: str
    login: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The address with the login in it, escaped."""
        scheme, _, host = self.address.partition("://")
        login = ":".join(quote(part, safe="") for part in self.login) + "@" if self.login else ""
        return f"{scheme}://{login}{host}"

    @property
    def headers(self) -> dict[str, str]:
        """The headers that only the proxy gets: the login. Source: RFC 7617 (HTTP Basic)."""
        if self.login is None:
            return {}
        return {"Proxy-Authorization": f"Basic {b64encode(':'.join(self.login).encode()).decode()}"}


@dataclass(frozen=True, slots=True)
class Route:
    """How requests reach an endpoint.

    Args:
        proxy: The proxy; None for a direct connection.
        reason: What decided, to show it to a user: a variable of the environment, a field of the connection.
    """

    proxy: Proxy | None
    reason: str


def parse_proxy(written: str, setting: str) -> Proxy:
    """Return the proxy at an address that a user has written.

    Args:
        written: ``[http[s]://][USER:PASSWORD@]HOST[:PORT][/]``; reserved characters of the login are percent-escaped.
        setting: The field or variable that has the address, for the error text.

    Raises:
        InvalidConnection: It is another form of address. The text does not repeat it: it may hold a password.
    """
    scheme, separator, rest = written.strip().rpartition("://")
    scheme = scheme.lower() if separator else "http"
    login, _, host_and_port = rest.removeprefix("//").removesuffix("/").rpartition("@")
    if problem := _problem(scheme, login, host_and_port):
        raise InvalidConnection(
            f"{setting} is not the address of a proxy; write it as http://[USER:PASSWORD@]HOST:PORT. {problem}"
        )
    user, _, password = login.partition(":")
    return Proxy(f"{scheme}://{host_and_port}", (unquote(user), unquote(password)) if login else None)


def _problem(scheme: str, login: str, host_and_port: str) -> str | None:
    """Return what is wrong with the address of a proxy; None if nothing is."""
    found = _HOST_AND_PORT.fullmatch(host_and_port)
    if _SCHEME.fullmatch(scheme) and scheme not in DEFAULT_PORTS:
        return f"A proxy of the kind {scheme} is not supported, only http and https."
    if _RESERVED.search(login):
        return "Write the characters / ? # and blanks of its login as %2F %3F %23 %20."
    if ":" in unquote(login.partition(":")[0]):
        return "No user may have a colon."
    if scheme not in DEFAULT_PORTS or not found:
        return "It has another form."
    if not found["host"] or (found["host"].startswith("[") and _ip(found["host"]) is None):
        return "It has no host."
    port = found["port"]
    if port is not None and not (_PORT.fullmatch(port) and 0 < int(port) <= _HIGHEST_PORT):
        return f"Its port is not a number from 1 to {_HIGHEST_PORT}."
    return None


def environment_route(environ: Mapping[str, str], url: str) -> Route:
    """Return how the environment's variables route requests to an endpoint.

    Args:
        environ: The variables.
        url: The endpoint's URL.

    Raises:
        InvalidConnection: The variable that applies holds no address of a proxy.
    """
    scheme = urlsplit(url).scheme
    for name in (f"{scheme}_proxy", "all_proxy"):
        variable, written = _read(environ, name)
        if written:
            variable_of_exceptions, exceptions = _read(environ, "no_proxy")
            if (entry := _exception(exceptions, url)) is not None:
                return Route(None, f"{variable_of_exceptions} lists {entry}")
            return Route(parse_proxy(written, f"The environment variable {variable}"), variable)
    return Route(None, "no proxy is set")


def _read(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return the variable that counts, and its value; the value is empty if it is not set."""
    is_forgeable = name == "http_proxy" and "REQUEST_METHOD" in environ
    for variable in (name,) if is_forgeable else (name, name.upper()):
        if variable in environ:
            return variable, environ[variable].strip()
    return name, ""


def _exception(exceptions: str, url: str) -> str | None:
    """Return the entry of ``NO_PROXY`` that matches a URL; None if none does."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    return next((entry for entry in re.split(r"[,\s]+", exceptions) if _matches(entry.lower(), host, port)), None)


def _matches(entry: str, host: str, port: int) -> bool:
    """Return whether an entry of ``NO_PROXY`` matches a host: ``*``, an address, a range or a domain, maybe a port."""
    if entry == "*":
        return True
    address = _ip(host)
    if "/" in entry:
        return address is not None and _is_within(address, entry)
    if _ip(entry) is None:  # an IPv6 address has colons and no port
        entry, _, own_port = _split_port(entry)
        if own_port and own_port != str(port):
            return False
    if address is not None:
        return _ip(entry) == address
    domain = entry.removeprefix("*").strip(".")
    return bool(domain) and f".{host}".endswith(f".{domain}")


def _split_port(entry: str) -> tuple[str, str, str]:
    host, colon, port = entry.rpartition(":")
    return (host, colon, port) if colon and _PORT.fullmatch(port) else (entry, "", "")


def _is_within(address: IPv4Address | IPv6Address, written: str) -> bool:
    try:
        return address in ip_network(written, strict=False)
    except ValueError:
        return False


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    """Return the IP address that a host name is, brackets or not; None for a name."""
    try:
        return ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
