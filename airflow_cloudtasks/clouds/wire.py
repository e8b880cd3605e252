"""What both clouds share on the wire: plain data, endpoints and HTTP answers. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

from airflow_cloudtasks.errors import InvalidConnection
from airflow_cloudtasks.spec import Action, Service
from airflow_cloudtasks.values import text, whole_number

_HTTP_REDIRECT = 300

# A longer or an empty label cannot be looked up, and its error is not one of the network.
_LABEL = r"[\w-]{1,63}"
HOST = rf"(?:{_LABEL}\.)*{_LABEL}\.?|\[[0-9a-f:.]+]"
"""The pattern of a host name or an IP address, in ASCII and in any case."""

HOST_AND_PORT = re.compile(rf"({HOST})(:\d+)?", re.ASCII | re.IGNORECASE)
"""A host, maybe a port, and no login: nothing here uses one, and error texts would show it."""
# The region becomes a part of a host name, or a header. With blanks or slashes in it, requests would fail like those
# over a broken connection, and be retried.
_REGION = re.compile(r"[a-z0-9-]{1,63}", re.ASCII | re.IGNORECASE)


# Characters of a host name. Source: RFC 1035, section 2.3.4.
_LONGEST_HOST = 255


_VISIBLE = re.compile(r"[!-~]+")


def is_visible(value: str) -> bool:
    """Return whether a text can be a part of a key: visible ASCII characters only, because a header allows no others.

    Args:
        value: The text.
    """
    return _VISIBLE.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class Credentials:
    """The key that signs requests.

    Args:
        key_id: Alibaba's AccessKey ID, Tencent's SecretId.
        secret: Alibaba's AccessKey secret, Tencent's SecretKey.
        token: The security token of temporary credentials; None for a permanent key.
        origin: Where the key comes from, for error texts, e.g. a profile file and its section; empty for the fields of
            the Airflow connection. It holds no secret.
    """

    key_id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    origin: str = field(default="", compare=False)


UNSIGNED = Credentials("", "")
"""Stands for no key: the request is sent without a signature, as STS accepts it for an identity provider's token."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address that requests are sent to.

    Args:
        url: Scheme, host and port, without a path.
    """

    url: str

    @property
    def host(self) -> str:
        """Host and port, as in the Host header."""
        return self.url.partition("://")[2]

    @classmethod
    def parse(cls, address: str) -> Endpoint:
        """Return the endpoint at an address that a user has written.

        Args:
            address: A host name, or a URL without a path; the default scheme is https.

        Raises:
            InvalidConnection: The address has another form, or it has plain http and a host that is not this machine.
        """
        parts = _split(address.strip().rstrip("/"))
        if parts is None:
            raise InvalidConnection(
                f"The endpoint {_without_login(address)!r} is not an address; "
                "write it as a host name or as https://HOST[:PORT], without a path."
            )
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise InvalidConnection(
                f"The endpoint {address!r} uses plain http, which is only allowed to this machine itself "
                "(127.0.0.1, ::1 or localhost); write https:// instead."
            )
        return cls(f"{parts.scheme}://{parts.netloc}")


def _split(address: str) -> SplitResult | None:
    """Return the parts of an address; None if it is not a host name or an http URL without a path."""
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        is_address = (
            parts.scheme in ("http", "https")
            and HOST_AND_PORT.fullmatch(parts.netloc)
            and parts.port != 0
            and not any((parts.path, parts.query, parts.fragment))
        )
    except ValueError:  # raised by urlsplit, and by port for a port that is not a number from 0 to 65535
        return None
    return parts if is_address else None


def is_loopback(hostname: str) -> bool:
    """Return whether a host name always means this machine.

    Args:
        hostname: The host name or IP address, in lower case.
    """
    try:
        return ip_address(hostname).is_loopback
    except ValueError:
        return hostname == "localhost"


@dataclass(frozen=True, slots=True)
class Location:
    """Which endpoint of a service to call.

    Args:
        region: The region's id.
        site: Tencent's site, ``cn`` or ``intl``.
        network: ``public``; ``vpc`` (Alibaba) or ``internal`` (Tencent) for hosts inside the cloud's own network; or
            ``regional`` (Tencent) for public hosts with the region in their name.
    """

    region: str | None = None
    site: str = "cn"
    network: str = "public"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request that is ready to be sent. Its headers hold the signature, so they are never shown."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The HTTP answer to a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def has_succeeded(self) -> bool:
        """Whether the HTTP status is a success; redirects are not followed, so they are none."""
        return self.status < _HTTP_REDIRECT


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call of an action, for signing it and for the texts of its errors.

    Args:
        service: The product.
        action: The action.
        endpoint: The address that the request is sent to.
        secrets: Texts that no error may contain, even if the vendor's answer repeats them.
    """

    service: Service
    action: Action
    endpoint: Endpoint
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def context(self, answer: HttpAnswer | None = None, request_id: Any = None) -> dict[str, Any]:
        """Return the arguments that every error of this call has in common.

        Args:
            answer: The answer; None if none came.
            request_id: The vendor's id of the call.
        """
        return {
            "action": f"{self.service.product} {self.action.name}",
            "endpoint": self.endpoint.url,
            "http_status": answer.status if answer else None,
            "retry_after": retry_after(answer.headers) if answer else None,
            "request_id": text(request_id),
        }

    def scrub(self, message: str) -> str:
        """Return a vendor's text without secrets and without characters that no database stores.

        Args:
            message: The vendor's text.
        """
        for secret in self.secrets:
            message = message.replace(secret, "***")
        return text(message) or "no message"


class CloudModule(Protocol):
    """The functions that each cloud's module has."""

    NETWORKS: tuple[str, ...]
    """The values of :attr:`Location.network` that the cloud has."""

    def endpoint(self, service: Service, location: Location) -> Endpoint:
        """Return the service's endpoint by the vendor's rule."""

    def token_service(self, region: str | None) -> tuple[Service, str | None]:
        """Return STS, which identifies callers and issues temporary credentials, and the region to call it in."""

    def sign(
        self,
        call: ApiCall,
        params: Mapping[str, Any],
        *,
        region: str | None,
        credentials: Credentials,
        user_agent: str,
        now: datetime,
    ) -> SignedRequest:
        """Return the signed request of a call; without a signature if the credentials are :data:`UNSIGNED`."""

    def read(self, call: ApiCall, answer: HttpAnswer) -> dict[str, Any]:
        """Return the answer without its envelope, or raise the error that it reports."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how long the service requests to wait before the next try.

    Source: RFC 9110, section 10.2.3 (seconds or a date), and Alibaba's own ``x-acs-retry-after``, which its SDK reads
    as milliseconds.

    Args:
        headers: The headers of the answer.

    Returns:
        Seconds, never negative; None if the answer does not say.
    """
    by_name = {name.lower(): value.strip() for name, value in headers.items()}
    alibabas, standard = by_name.get("x-acs-retry-after", ""), by_name.get("retry-after", "")
    if (milliseconds := whole_number(alibabas)) is not None:
        return milliseconds / 1000
    if (seconds := whole_number(standard)) is not None:
        return float(seconds)
    try:
        return max((parsedate_to_datetime(standard) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def check_region(region: str | None) -> None:
    """Raise if a region is no region's id.

    Args:
        region: The region; None for none.

    Raises:
        InvalidConnection: It has another form.
    """
    if region and not _REGION.fullmatch(region):
        raise InvalidConnection(
            f"The region {region!r:.100} is no region's id, which is of the form ap-southeast-1: "
            "correct it in the Airflow connection's field Region, or in region= on the task."
        )


def missing_region(service: Service, example: str | None = None) -> InvalidConnection:
    """Return the error for a service that cannot be called without a region.

    Args:
        service: The product.
        example: A region's id to show; None for none.
    """
    shown = f", e.g. {example}" if example else ""
    known = f" It runs in {', '.join(service.regions)}." if service.regions else ""
    return InvalidConnection(
        f"{service.product} needs a region{shown}: set it in the Airflow connection's field Region, "
        f"or as region= on the task.{known}"
    )


def _without_login(address: str) -> str:
    """Return an address for an error text: without its login, and of a host name's greatest length."""
    shown = address.rpartition("@")[2]
    return shown if len(shown) <= _LONGEST_HOST else f"{shown[:_LONGEST_HOST]}…"
