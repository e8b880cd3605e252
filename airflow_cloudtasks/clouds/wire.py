"""What both clouds share on the wire: plain data, and the reading of HTTP answers. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import urlsplit

from airflow_cloudtasks.errors import (
    CloudApiError,
    InvalidConnection,
    Throttled,
    TransientError,
    UnreadableAnswer,
)
from airflow_cloudtasks.spec import Action, Service
from airflow_cloudtasks.values import load_json, text

_HTTP_TOO_MANY_REQUESTS = 429
_HTTP_SERVER_ERROR = 500

# No login: it would show in error texts, and nothing here would use it.
_HOST_AND_PORT = re.compile(r"([\w.-]+|\[[0-9a-f:.]+])(:\d+)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs a request.

    Args:
        key_id: Alibaba's AccessKey ID, Tencent's SecretId.
        secret: Alibaba's AccessKey secret, Tencent's SecretKey.
        token: The security token of temporary credentials.
    """

    key_id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go.

    Args:
        url: Scheme, host and port, without a path.
    """

    url: str

    @property
    def host(self) -> str:
        """Host and port, as the Host header has them."""
        return urlsplit(self.url).netloc

    @classmethod
    def parse(cls, address: str) -> Endpoint:
        """Read an address as a person writes it.

        Args:
            address: A host name, or a URL without a path; https is meant where no scheme is given.

        Raises:
            InvalidConnection: It is no such address, or it asks for plain http to a host that is not this machine.
        """
        written = address.strip().rstrip("/")
        try:
            parts = urlsplit(written if "://" in written else f"https://{written}")
            understood = (
                parts.scheme in ("http", "https")
                and _HOST_AND_PORT.fullmatch(parts.netloc)
                and parts.port != 0
                and not any((parts.path, parts.query, parts.fragment))
            )
        except ValueError:
            understood = False
        if not understood:
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


def is_loopback(hostname: str) -> bool:
    """Tell whether a host name can only be this machine."""
    try:
        return ip_address(hostname).is_loopback
    except ValueError:
        return hostname == "localhost"


@dataclass(frozen=True, slots=True)
class Location:
    """Which of a service's endpoints is asked.

    Args:
        region: The region's id.
        site: Tencent's site, ``cn`` or ``intl``.
        network: ``public``; or from inside the cloud's own network, Alibaba's ``vpc`` or Tencent's ``internal``; or
            Tencent's ``regional``, public hosts with the region in their name.
    """

    region: str | None = None
    site: str = "cn"
    network: str = "public"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request that can be sent as it is; its headers hold the signature, so they are never shown."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ApiCall:
    """Which call an answer belongs to, for error texts.

    Args:
        service: The product.
        action: The action.
        endpoint: Where it was sent.
        secrets: Texts that no error may repeat, should the vendor echo them.
    """

    service: Service
    action: Action
    endpoint: Endpoint
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def context(self, answer: HttpAnswer | None = None, request_id: Any = None) -> dict[str, Any]:
        """Give what every error of this call tells."""
        return {
            "action": f"{self.service.product} {self.action.name}",
            "endpoint": self.endpoint.url,
            "http_status": answer.status if answer else None,
            "retry_after": retry_after(answer.headers) if answer else None,
            "request_id": text(request_id),
        }

    def scrub(self, message: str) -> str:
        """Take secrets out of a vendor's text, and what no database stores."""
        for secret in self.secrets:
            message = message.replace(secret, "***")
        return text(message) or "no message"


# Not str.isdigit, which takes ² for a digit, nor any length: int() refuses both.
_WHOLE_NUMBER = re.compile(r"\d{1,12}", re.ASCII)


class CloudModule(Protocol):
    """What a module of this package offers for its cloud."""

    NETWORKS: tuple[str, ...]

    def endpoint(self, service: Service, location: Location) -> Endpoint:
        """Give the service's own endpoint."""

    def token_service(self, region: str | None) -> tuple[Service, str | None]:
        """Give the service that tells who a caller is and issues temporary credentials, and the region to ask."""

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
        """Build the request and sign it."""

    def read(self, call: ApiCall, answer: HttpAnswer) -> dict[str, Any]:
        """Take the answer out of its envelope, or raise what the envelope tells."""


ErrorTable = Iterable[tuple[type[CloudApiError], tuple[str, ...]]]


def classify(table: ErrorTable, code: str, http_status: int) -> type[CloudApiError] | None:
    """Find the kind of an error.

    Args:
        table: Kinds with patterns of vendor codes, first match wins.
        code: The vendor's code.
        http_status: The HTTP status, which decides where the code does not.

    Returns:
        The kind, or None where neither tells.
    """
    for kind, patterns in table:
        if any(fnmatchcase(code, pattern) for pattern in patterns):
            return kind
    if http_status == _HTTP_TOO_MANY_REQUESTS:
        return Throttled
    return TransientError if http_status >= _HTTP_SERVER_ERROR else None


def json_object(call: ApiCall, answer: HttpAnswer) -> dict[str, Any]:
    """Decode an answer's body.

    Raises:
        Throttled: It is no JSON object, and the HTTP status is 429.
        TransientError: It is no JSON object, and the HTTP status is 5xx.
        UnreadableAnswer: It is no JSON object.
    """
    decoded = load_json(answer.body)
    if isinstance(decoded, dict):
        return decoded
    kind = classify((), "", answer.status)
    if kind is None:
        raise UnreadableAnswer("the answer is no JSON object", field="", **call.context(answer))
    raise kind("the answer is no JSON object", code=f"HTTP{answer.status}", **call.context(answer))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how long the service asks to wait.

    Source: RFC 9110, section 10.2.3 (seconds or a date), and Alibaba's own ``x-acs-retry-after``, which its SDK takes
    as milliseconds.

    Returns:
        Seconds, never negative; None where the answer does not say.
    """
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    if _WHOLE_NUMBER.fullmatch(own := lower.get("x-acs-retry-after", "")):
        return int(own) / 1000
    if _WHOLE_NUMBER.fullmatch(standard := lower.get("retry-after", "")):
        return float(standard)
    try:
        return max((parsedate_to_datetime(standard) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def _without_login(address: str) -> str:
    return address.rpartition("@")[2]
