"""Get the key of this machine's role from the metadata service of its cloud, never through a proxy.

The service answers each machine for itself: a proxy would return the key of the machine that it runs on.

Sources: Alibaba Cloud, "Instance metadata" (https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata),
security hardening mode (IMDSv2) only, because version 1 returns the key to any single GET request from this machine,
even a forged one; tencentcloud-sdk-python-common, CVMRoleCredential, for Tencent Cloud's service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from airflow_cloudtasks.clouds.answers import json_object
from airflow_cloudtasks.clouds.credentials.fetching import fetch_error, no_credentials, refusal, temporary_key
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, Fetched
from airflow_cloudtasks.clouds.network import Network, Timeouts
from airflow_cloudtasks.clouds.transport import SyncTransport
from airflow_cloudtasks.clouds.wire import ApiCall, Endpoint, HttpAnswer, SignedRequest
from airflow_cloudtasks.errors import CloudApiError, TransientError, UnreadableAnswer
from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.spec import Action, Service

_HTTP_FORBIDDEN = 403
_HTTP_NOT_FOUND = 404
_HTTP_NOT_ALLOWED = 405
# Both clouds' names of roles, and a token that fits in a header. An error page is neither.
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_TOKEN = re.compile(r"[!-;=?-~]{1,4096}")
# One fetch needs the admission for a moment only.
_ADMISSION_SECONDS = 300
# The service runs on the machine itself, or there is none.
_CONNECT_SECONDS = 2.0
# A default chain asks this often whether there is a metadata service at all.
_TRIES_IF_ABSENT = 3


@dataclass(frozen=True)
class _MetadataService:
    """One cloud's metadata service.

    Args:
        endpoint: Its address.
        path: The path of the roles.
        machine: What the machine is called, with its role.
        admission_path: The path that returns the token of later requests; None if none is needed.
    """

    endpoint: Endpoint
    path: str
    machine: str
    admission_path: str | None = None


SERVICES: Mapping[Cloud, _MetadataService] = {
    "alibaba": _MetadataService(
        Endpoint("http://100.100.100.200"),
        "/latest/meta-data/ram/security-credentials/",
        "an ECS instance with a RAM role",
        "/latest/api/token",
    ),
    "tencent": _MetadataService(
        Endpoint("http://metadata.tencentyun.com"),
        "/latest/meta-data/cam/security-credentials/",
        "a CVM instance with a CAM role",
    ),
}


class NoMetadataService(Exception):
    """No connection to a metadata service can be made, and none has ever answered: this machine has none."""


class MachineRole:
    """The role of this machine.

    Args:
        settings: How to reach the metadata service.
        role_name: The role's name; None to ask the service for it.
        may_be_absent: Whether the machine may be one without a metadata service.
    """

    def __init__(self, settings: CredentialSettings, role_name: str | None, *, may_be_absent: bool = False) -> None:
        self._cloud = settings.cloud
        self._service = SERVICES[settings.cloud]
        self._endpoint = settings.metadata or self._service.endpoint
        self._network = _network(settings.network)
        self._retries = settings.retries
        self._role_name = role_name
        self._may_be_absent = may_be_absent

    def fetch(self) -> Fetched:
        """Return the key of the role.

        Raises:
            CredentialsError: The machine has no such role, or the service refuses.
            TransientError: The service does not answer, or not with a key; another try may succeed.
            NoMetadataService: No connection could be made, the machine may be one without such a service, and no
                connection was made earlier.
        """
        retries = self._retries
        if self._may_be_absent:
            retries = replace(retries, tries=min(retries.tries, _TRIES_IF_ABSENT))
        transport = SyncTransport(self._network)
        try:
            return retries.run(lambda: self._ask(transport))
        except CloudApiError as error:
            if error.code == "NoCredentials":
                raise
            if self._may_be_absent and isinstance(error, TransientError) and error.unsent:
                raise NoMetadataService(f"no metadata service at {self._endpoint.url}") from None
            if isinstance(error, TransientError) and error.http_status is None:
                error.message += f"; is this machine {self._service.machine}?"
            raise fetch_error(error, "metadata service of this machine") from None
        finally:
            transport.close()

    def _ask(self, transport: SyncTransport) -> Fetched:
        headers = self._admission(transport)
        role = self._role_name or self._only_role(transport, headers)
        call, answer = self._send(
            transport, "GetCredentials", "GET", self._service.path + quote(role, safe=""), headers
        )
        if answer.status == _HTTP_NOT_FOUND:
            if self._role_name is None:
                raise UnreadableAnswer(
                    "the service does not know the role that it has just named", **call.context(answer)
                )
            raise no_credentials(f"this machine has no role named {role!r}; is it {self._service.machine}?")
        self._check(call, answer)
        content = json_object(call, answer)
        expiry = content.get("Expiration") or content.get("ExpiredTime")
        return temporary_key(self._cloud, content, expiry, f"the role {role} of this machine", call.context(answer))

    def _admission(self, transport: SyncTransport) -> dict[str, str]:
        """Return the headers that the service requires of every other request."""
        if self._service.admission_path is None:
            return {}
        ttl = {"X-aliyun-ecs-metadata-token-ttl-seconds": str(_ADMISSION_SECONDS)}
        call, answer = self._send(transport, "GetToken", "PUT", self._service.admission_path, ttl)
        if answer.status in (_HTTP_NOT_FOUND, _HTTP_NOT_ALLOWED):
            raise no_credentials(f"no metadata service (IMDSv2) answers; is this machine {self._service.machine}?")
        self._check(call, answer)
        return {"X-aliyun-ecs-metadata-token": _word(call, answer, _TOKEN)}

    def _only_role(self, transport: SyncTransport, headers: Mapping[str, str]) -> str:
        call, answer = self._send(transport, "GetRoleName", "GET", self._service.path, headers)
        if answer.status == _HTTP_NOT_FOUND:
            raise no_credentials(f"this machine has no role; is it {self._service.machine}?")
        self._check(call, answer)
        return _word(call, answer, _ROLE_NAME)

    def _send(
        self, transport: SyncTransport, name: str, method: str, path: str, headers: Mapping[str, str]
    ) -> tuple[ApiCall, HttpAnswer]:
        service = Service(cloud=self._cloud, name="metadata", version="latest", title="Metadata service")
        call = ApiCall(service, Action(name=name), self._endpoint)
        answer = transport.send(call, SignedRequest(method, f"{self._endpoint.url}{path}", headers))
        # From now on, no answer means that the service fails, not that there is none.
        self._may_be_absent = False
        if headers and method == "GET" and answer.status == _HTTP_FORBIDDEN:
            raise UnreadableAnswer("the service refuses the token that it has just issued", **call.context(answer))
        return call, answer

    def _check(self, call: ApiCall, answer: HttpAnswer) -> None:
        """Raise the error that an answer reports, if it reports one.

        A refusal of the service has a code. A page of a gateway or a captive portal in its place has none, and says
        nothing about the role.
        """
        error = refusal(self._cloud, call, answer)
        if error is None:
            return
        if not error.retryable and error.code == f"HTTP{answer.status}":
            raise UnreadableAnswer("the answer is neither a key nor a refusal with a code", **call.context(answer))
        raise error


def _network(network: Network) -> Network:
    connect = min(network.timeouts.connect, _CONNECT_SECONDS)
    return replace(network.direct(), timeouts=Timeouts(connect=connect, read=network.timeouts.read))


def _word(call: ApiCall, answer: HttpAnswer, form: re.Pattern[str]) -> str:
    """Return the name or token that an answer consists of."""
    word = answer.body.decode("utf-8", "replace").strip()
    if not form.fullmatch(word):
        raise UnreadableAnswer("the answer is no name and no token", **call.context(answer))
    return word
