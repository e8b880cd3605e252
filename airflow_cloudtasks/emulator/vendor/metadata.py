"""The metadata services, from which a cloud's machines get temporary keys of their role.

Sources: Alibaba Cloud, "Instance metadata" (https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata)
for the security hardening mode's token and its 1 to 21600 seconds; ``alibabacloud-credentials`` and
``tencentcloud-sdk-python-common`` for the paths, headers and fields that clients use. The refusal of a request is not
documented: here it is a page with the fitting HTTP status.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.journal import Exchange
from airflow_cloudtasks.emulator.engine.sts import machine_session
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.vendor.contract import Action, Call, Parameter, find_by_path
from airflow_cloudtasks.emulator.vendor.gateway import ANONYMOUS, HTML, Identified, html_page, random_request_id
from airflow_cloudtasks.emulator.vendor.wire import Reply, Request, VendorError, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_cloudtasks.emulator.engine.keys import Key
    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.engine.sts import Issued
    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject

HOSTS: dict[str, Cloud] = {"100.100.100.200": "alibaba", "metadata.tencentyun.com": "tencent"}
"""The addresses of the services; the vendors' libraries use no others."""
PREFIX = "/latest/"
"""The beginning of every path of the services."""

_TEXT = "Text"
_ADMISSION_HEADER = "x-aliyun-ecs-metadata-token"
_TTL_HEADER = "x-aliyun-ecs-metadata-token-ttl-seconds"
_TTL_SECONDS = range(1, 21_600 + 1)
# Neither vendor documents how long a machine's keys last; the vendors' clients expect some hours.
_KEY_SECONDS = 6 * 3600
_REASONS = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}


def _token(call: Call) -> JsonObject:
    seconds = call.parameters.get("TtlSeconds", "")
    if not re.fullmatch(r"[0-9]{1,9}", seconds) or int(seconds) not in _TTL_SECONDS:
        raise _refusal("BadRequest", 400)
    return {_TEXT: call.state.metadata_tokens.issue(int(seconds), call.state.now())}


def _role_name(call: Call) -> JsonObject:
    return {_TEXT: call.state.sts.role}


def _credentials_alibaba(call: Call) -> JsonObject:
    issued = _issue("alibaba", call)
    return {
        "Code": "Success",
        "AccessKeyId": issued.key.id,
        "AccessKeySecret": issued.key.secret,
        "SecurityToken": issued.key.token,
        "Expiration": iso_utc(issued.stated_expiry),
        "LastUpdated": iso_utc(call.state.now()),
    }


def _credentials_tencent(call: Call) -> JsonObject:
    issued = _issue("tencent", call)
    return {
        "Code": "Success",
        "TmpSecretId": issued.key.id,
        "TmpSecretKey": issued.key.secret,
        "Token": issued.key.token,
        "ExpiredTime": issued.stated_expiry,
        "Expiration": iso_utc(issued.stated_expiry),
    }


def _issue(cloud: Cloud, call: Call) -> Issued:
    role = call.state.sts.role
    if call.parameters["RoleName"] != role:
        raise _refusal("NotFound", 404)
    return call.state.issue_key(machine_session(cloud, role), _KEY_SECONDS)


def _refusal(code: str, status: int) -> VendorError:
    return VendorError(code, _REASONS[status], status)


_action = partial(Action, service="metadata", version="latest")
_role = partial(_action, api="metadata.role", name="GetRoleName", methods=("GET",), parameters=(), answer=_role_name)
_credentials = partial(
    _action,
    api="metadata.credentials",
    name="GetCredentials",
    methods=("GET",),
    parameters=(Parameter("RoleName", ("path",)),),
)

METADATA_ACTIONS: tuple[Action, ...] = (
    _action(
        api="metadata.token",
        cloud="alibaba",
        name="GetToken",
        methods=("PUT",),
        path="/latest/api/token",
        parameters=(),
        answer=_token,
        signed=False,
    ),
    _role(cloud="alibaba", path="/latest/meta-data/ram/security-credentials/"),
    _credentials(
        cloud="alibaba",
        path="/latest/meta-data/ram/security-credentials/{RoleName}",
        answer=_credentials_alibaba,
    ),
    _role(cloud="tencent", path="/latest/meta-data/cam/security-credentials/"),
    _credentials(
        cloud="tencent",
        path="/latest/meta-data/cam/security-credentials/{RoleName}",
        answer=_credentials_tencent,
    ),
)


class MetadataGateway:
    """A metadata service as a :class:`airflow_cloudtasks.emulator.vendor.gateway.Gateway`.

    Args:
        cloud: The cloud whose service it is.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud: Cloud = cloud
        self._actions = tuple(action for action in METADATA_ACTIONS if action.cloud == cloud)

    def identify(self, request: Request) -> Identified:
        """Identify a request by its path."""
        action, parameters = find_by_path(self._actions, request.method, request.raw_path)
        exchange = Exchange(self.cloud, service="metadata", action=request.raw_path, version="latest")
        if action is None:
            return Identified(exchange, refusal=_refusal("NotFound", 404))
        if _TTL_HEADER in request.headers:
            parameters["TtlSeconds"] = request.headers[_TTL_HEADER]
        return Identified.of(exchange, action, dict(parameters))

    def authenticate(self, request: Request, action: Action | None, state: State, now: float) -> Key:
        """Return ANONYMOUS, unless Alibaba Cloud's service refuses the token. Tencent Cloud's requires none.

        Args:
            request: The request.
            action: Its action, if it could be identified.
            state: The emulator's memory, which holds the tokens.
            now: The time, in Unix seconds.

        Raises:
            VendorError: The token is required and missing, or it is wrong or expired.
        """
        if self.cloud == "tencent" or action is None or not action.signed:
            return ANONYMOUS
        token = request.headers.get(_ADMISSION_HEADER)
        admitted = state.sts.imds_v1 if token is None else state.metadata_tokens.is_valid(token, now)
        if not admitted:
            raise self.token_expired()
        return ANONYMOUS

    def check_parameters(self, request: Request, action: Action, sent: Mapping[str, object]) -> JsonObject:
        """Return the parameters without a check."""
        return dict(sent)

    def success(self, body: JsonObject, request_id: str) -> Reply:
        """Return a bare text, or JSON without an envelope or a request id."""
        if _TEXT in body:
            return Reply(200, str(body[_TEXT]).encode(), "text/plain")
        return Reply(200, to_json(body), "application/json")

    def failure(self, error: VendorError, request: Request, request_id: str) -> Reply:
        """Return a page without a request id."""
        return Reply(error.status, html_page(f"{error.status} {error.message}"), HTML)

    def new_request_id(self) -> str:
        """Return a new UUID, which no answer shows."""
        return random_request_id()

    def throttled(self, requests_per_second: float) -> VendorError:
        """Return the refusal of a request that exceeds a rate limit."""
        return _refusal("TooManyRequests", 429)

    def denied(self, permission: str) -> VendorError:
        """Return the refusal of a caller; the services know no policies, so that none is refused."""
        return _refusal("Forbidden", 403)

    def token_expired(self) -> VendorError:
        """Return the refusal of a missing, wrong or expired token."""
        return _refusal("Forbidden", 403)

    def breakdown(self, request: Request, request_id: str) -> Reply:
        """Return HTTP 500 with a page."""
        return Reply(500, html_page("500 Internal Server Error"), HTML)
