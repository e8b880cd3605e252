"""How requests leave this machine: timeouts, the proxy and the trusted certificates, each with what decided on it.

Nothing else of the package reads the environment's variables of proxies and certificates.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace

from airflow_cloudtasks.clouds.certificates import TrustedCertificates, trusted_certificates
from airflow_cloudtasks.clouds.proxies import Route, environment_route, parse_proxy
from airflow_cloudtasks.clouds.wire import Endpoint


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long one try of a request may take.

    Args:
        connect: Seconds to connect to the host, TLS included.
        read: Seconds to wait for the answer.
    """

    connect: float = 5.0
    read: float = 30.0

    @property
    def total(self) -> float:
        """Seconds that one try takes at most."""
        return self.connect + self.read


@dataclass(frozen=True, slots=True)
class Network:
    """How requests reach a cloud.

    Args:
        timeouts: How long one try may take.
        proxy: The URL of a proxy; None for the one in the environment. It may hold a login, so it is never shown.
        ca_bundle: A file or folder of trusted certificates; None for the environment's one.
        uses_proxies: Whether requests may go through a proxy at all.
    """

    timeouts: Timeouts = field(default_factory=Timeouts)
    proxy: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None
    uses_proxies: bool = True

    def direct(self) -> Network:
        """Return this network without any proxy, for services that answer each machine differently."""
        return replace(self, proxy=None, uses_proxies=False)

    def route(self, endpoint: Endpoint) -> Route:
        """Return the proxy to an endpoint, and what decided on it.

        The connection's own proxy serves every endpoint. The environment's one serves those that ``NO_PROXY`` does not
        list.

        Args:
            endpoint: Where the requests go.

        Raises:
            InvalidConnection: The setting that applies holds no address of a proxy.
        """
        if not self.uses_proxies:
            return Route(None, "it is never asked through a proxy")
        if self.proxy:
            return Route(parse_proxy(self.proxy, "proxy"), "the connection's proxy")
        return environment_route(os.environ, endpoint.url)

    def proxy_for(self, endpoint: Endpoint) -> str | None:
        """Return the URL of the proxy to an endpoint, login included; None for a direct connection.

        Args:
            endpoint: Where the requests go.

        Raises:
            InvalidConnection: The setting that applies holds no address of a proxy.
        """
        proxy = self.route(endpoint).proxy
        return proxy.url if proxy else None

    def trusted_certificates(self) -> TrustedCertificates:
        """Return the certificates that servers are verified with, and what decided on them."""
        return trusted_certificates(self.ca_bundle, os.environ)
