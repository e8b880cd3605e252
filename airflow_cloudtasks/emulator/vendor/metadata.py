"""The metadata services that a cloud's machines ask for their role's temporary keys.

Sources: Alibaba Cloud, "Instance metadata" (https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata)
for the security hardening mode's token and its 1 to 21600 seconds; ``alibabacloud-credentials`` and
``tencentcloud-sdk-python-common`` for the paths, headers and fields that clients use. What a service answers to a
request that it refuses is not documented: here it is a page with the HTTP status that says so best.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.journal import Exchange
from airflow_cloudtasks.emulator.engine.sts import machine_session
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.engine.values import JsonObject
from airflow_cloudtasks.emulator.products.sts import issue_into
from airflow_cloudtasks.emulator.vendor.contract import Action, Call, Parameter, find_by_path
from airflow_cloudtasks.emulator.vendor.gateway import ANONYMOUS, HTML, Identified, html_page, random_request_id
from airflow_cloudtasks.emulator.vendor.wire import Reply, Request, VendorError, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_cloudtasks.emulator.engine.keys import Key
    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.engine.values import Cloud

HOSTS: dict[str, Cloud] = {"100.100.100.200": "alibaba", "metadata.tencentyun.com": "tencent"}
"""Where machines of each cloud find the service; the vendors' libraries know no other address."""
PREFIX = "/latest/"
"""What every path of the services begins with."""

_TEXT = "Text"
_ADMISSION_HEADER = "x-aliyun-ecs-metadata-token"
_TTL_HEADER = "x-aliyun-ecs-metadata-token-ttl-seconds"
_TTL_SECONDS = range(1, 21_600 + 1)
# Neither vendor says how long a machine's keys live; these are the clients' own notions of long enough.
_KEY_SECONDS = 6 * 3600
_REASONS = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}


def _token(call: Call) -> JsonObject:
    seconds = call.parameters.get("TtlSeconds", "")
    if not re.fullmatch(r"[0-9]{1,9}", seconds) or int(seconds) not in _TTL_SECONDS:
        raise VendorError("BadRequest", _REASONS[400], 400)
    return {_TEXT: call.state.metadata_tokens.give(int(seconds), call.state.now())}


def _role_name(call: Call) -> JsonObject:
    return {_TEXT: call.state.sts.role}


def _credentials_alibaba(call: Call) -> JsonObject:
    key, expiry = _issue("alibaba", call)
    return {
        "Code": "Success",
        "AccessKeyId": key.id,
        "AccessKeySecret": key.secret,
        "SecurityToken": key.token,
        "Expiration": iso_utc(expiry),
        "LastUpdated": iso_utc(call.state.now()),
    }


def _credentials_tencent(call: Call) -> JsonObject:
    key, expiry = _issue("tencent", call)
    return {
        "Code": "Success",
        "TmpSecretId": key.id,
        "TmpSecretKey": key.secret,
        "Token": key.token,
        "ExpiredTime": expiry,
        "Expiration": iso_utc(expiry),
    }


def _issue(cloud: Cloud, call: Call) -> tuple[Key, int]:
    if call.parameters["RoleName"] != call.state.sts.role:
        raise VendorError("NotFound", _REASONS[404], 404)
    issued = issue_into(call, machine_session(cloud, call.state.sts.role), _KEY_SECONDS)
    return issued.key, issued.told_expiry


METADATA_ACTIONS: tuple[Action, ...] = (
    Action(
        api="metadata.token",
        cloud="alibaba",
        service="metadata",
        version="latest",
        name="GetToken",
        methods=("PUT",),
        path="/latest/api/token",
        parameters=(),
        answer=_token,
        signed=False,
    ),
    Action(
        api="metadata.role",
        cloud="alibaba",
        service="metadata",
        version="latest",
        name="GetRoleName",
        methods=("GET",),
        path="/latest/meta-data/ram/security-credentials/",
        parameters=(),
        answer=_role_name,
    ),
    Action(
        api="metadata.credentials",
        cloud="alibaba",
        service="metadata",
        version="latest",
        name="GetCredentials",
        methods=("GET",),
        path="/latest/meta-data/ram/security-credentials/{RoleName}",
        parameters=(Parameter("RoleName", ("path",)),),
        answer=_credentials_alibaba,
    ),
    Action(
        api="metadata.role",
        cloud="tencent",
        service="metadata",
        version="latest",
        name="GetRoleName",
        methods=("GET",),
        path="/latest/meta-data/cam/security-credentials/",
        parameters=(),
        answer=_role_name,
    ),
    Action(
        api="metadata.credentials",
        cloud="tencent",
        service="metadata",
        version="latest",
        name="GetCredentials",
        methods=("GET",),
        path="/latest/meta-data/cam/security-credentials/{RoleName}",
        parameters=(Parameter("RoleName", ("path",)),),
        answer=_credentials_tencent,
    ),
)


class MetadataGateway:
    """A metadata service as a :class:`airflow_cloudtasks.emulator.vendor.gateway.Gateway`.

    Args:
        cloud: Whose.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud: Cloud = cloud
        self._actions = tuple(action for action in METADATA_ACTIONS if action.cloud == cloud)

    def identify(self, request: Request) -> Identified:
        """Read what a request asks for, by its path.

        Args:
            request: The request.

        Returns:
            What is asked for, or that there is nothing.
        """
        action, parameters = find_by_path(self._actions, request.method, request.raw_path)
        exchange = Exchange(self.cloud, service="metadata", action=request.raw_path, version="latest")
        if action is None:
            return Identified(exchange, refusal=VendorError("NotFound", _REASONS[404], 404))
        if _TTL_HEADER in request.headers:
            parameters["TtlSeconds"] = request.headers[_TTL_HEADER]
        return Identified.of(exchange, action, dict(parameters))

    def authenticate(self, request: Request, action: Action | None, state: State, now: float) -> Key:
        """Check the token that Alibaba Cloud's service demands. Tencent Cloud's demands nothing.

        Args:
            request: The request.
            action: The action it asks for, if there is such a one.
            state: The emulator's memory, which knows the tokens.
            now: The time, in Unix seconds.

        Returns:
            Nobody's key: what counts is to be on the machine.

        Raises:
            VendorError: The token is missing, and required, or wrong, or has ended.
        """
        if self.cloud == "tencent" or action is None or not action.signed:
            return ANONYMOUS
        token = request.headers.get(_ADMISSION_HEADER)
        good = state.sts.imds_v1 if token is None else state.metadata_tokens.is_good(token, now)
        if not good:
            raise VendorError("Forbidden", _REASONS[403], 403)
        return ANONYMOUS

    def check_parameters(self, request: Request, action: Action, sent: Mapping[str, object]) -> JsonObject:
        """Take the parameters as they are.

        Args:
            request: The request.
            action: The action.
            sent: What was sent, by name.

        Returns:
            The parameters.
        """
        return dict(sent)

    def success(self, body: JsonObject, request_id: str) -> Reply:
        """Answer with a bare text, or with JSON without an envelope.

        Args:
            body: The answer.
            request_id: Not told by these services.

        Returns:
            The reply.
        """
        if _TEXT in body:
            return Reply(200, str(body[_TEXT]).encode(), "text/plain")
        return Reply(200, to_json(body), "application/json")

    def failure(self, error: VendorError, request: Request, request_id: str) -> Reply:
        """Answer with a page.

        Args:
            error: The refusal.
            request: The request.
            request_id: Not told by these services.

        Returns:
            The reply.
        """
        return Reply(error.status, html_page(f"{error.status} {error.message}"), HTML)

    def new_request_id(self) -> str:
        """Make a request id, which is told to nobody.

        Returns:
            A fresh UUID.
        """
        return random_request_id()

    def throttled(self, requests_per_second: float) -> VendorError:
        """Say that requests come too fast.

        Args:
            requests_per_second: The limit.

        Returns:
            The refusal.
        """
        return VendorError("TooManyRequests", _REASONS[429], 429)

    def token_expired(self) -> VendorError:
        """Say that the token is not good.

        Returns:
            The refusal.
        """
        return VendorError("Forbidden", _REASONS[403], 403)

    def breakdown(self, request: Request, request_id: str) -> Reply:
        """Answer HTTP 500.

        Args:
            request: The request.
            request_id: Not told by these services.

        Returns:
            The reply.
        """
        return Reply(500, html_page("500 Internal Server Error"), HTML)
