"""Tencent Cloud's gateway: API 3.0 requests, signature v3, errors.

Sources: Tencent Cloud, "Common Params" and "Signature v3" (https://www.tencentcloud.com/document/product/267/37447) for
what a request carries and how it is signed; "Common Error Codes" for the codes; the definitions and recorded examples
that tccli ships for parameter types and the texts of the errors.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from airflow_cloudtasks.emulator.engine.journal import Exchange
from airflow_cloudtasks.emulator.vendor import signatures
from airflow_cloudtasks.emulator.vendor.gateway import ANONYMOUS, HTML, Identified, html_page, random_request_id
from airflow_cloudtasks.emulator.vendor.wire import Reply, Request, VendorError, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_cloudtasks.emulator.engine.keys import Key
    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Action, Kind, Parameter
    from airflow_cloudtasks.emulator.vendor.registry import Registry

# Source: "Signature v3": AuthFailure.SignatureExpire when the clocks differ by more than five minutes.
_WINDOW_SECONDS = 5 * 60
# Spelled without a charset: Tencent's SDK looks for an error only under exactly this value.
_CONTENT_TYPE = "application/json"
_MUST_SIGN = ("content-type", "host")
_JSON_TYPES: dict[str, type] = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
# Source: the definition of AssumeRoleWithWebIdentity: the Authorization of a call without a signature. Such a call
# names no service, so that version and action identify it.
_SKIP = "SKIP"


class TencentGateway:
    """Tencent Cloud's :class:`airflow_cloudtasks.emulator.vendor.gateway.Gateway`.

    Args:
        registry: The actions that it serves.
    """

    cloud: Cloud = "tencent"

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def identify(self, request: Request) -> Identified:
        """Identify a request by the service in its credential scope and by its headers."""
        headers = request.headers
        name, version = headers.get("x-tc-action"), headers.get("x-tc-version")
        authorization = signatures.parse_tc3(headers.get("authorization", ""))
        exchange = Exchange(
            "tencent",
            service=authorization.service if authorization else self._unsigned_service(request, version, name),
            action=name,
            version=version,
            region=headers.get("x-tc-region"),
            key_id=authorization.key_id if authorization else None,
        )
        try:
            action = self._find(request.method, exchange.service, version, name)
        except VendorError as refusal:
            return Identified(exchange, refusal=refusal)
        if action is None:
            return Identified(exchange)
        exchange.api = action.api
        parameters = _parse_parameters(request)
        if parameters is None:
            text = "The request body is not a valid JSON object."
            return Identified(exchange, refusal=VendorError("InvalidParameter", text))
        return Identified.of(exchange, action, parameters)

    def _unsigned_service(self, request: Request, version: str | None, name: str | None) -> str | None:
        if request.headers.get("authorization") != _SKIP:
            return None
        return next((one.service for one in self._registry.named("tencent", version, name) if not one.signed), None)

    def _find(self, method: str, service: str | None, version: str | None, name: str | None) -> Action | None:
        if method not in ("GET", "POST"):
            raise VendorError("UnsupportedProtocol", "Only the GET and POST methods are supported.")
        if service is None or version is None or name is None:
            return None
        named = self._registry.named("tencent", version, name)
        if ("tencent", service, version) not in self._registry.services:
            if named:
                raise _unauthorized(f"The service `{service}` does not match the requested action.")
            raise VendorError("NoSuchVersion", f"The version `{version}` of the API does not exist.")
        action = next((action for action in named if action.service == service), None)
        if action is None:
            raise VendorError("InvalidAction", f"The request action `{name}` is invalid or not found.")
        return action

    def authenticate(self, request: Request, action: Action | None, state: State, now: float) -> Key:
        """Return the key that signed a request.

        Args:
            request: The request.
            action: Its action, if it could be identified.
            state: The emulator's memory, which holds the keys.
            now: The time, in Unix seconds.

        Raises:
            VendorError: Its signature, date or token is missing, wrong or expired.
        """
        headers = request.headers
        for name in ("Action", "Version", "Timestamp"):
            if not headers.get(f"x-tc-{name.lower()}"):
                raise _missing(name)
        if "authorization" not in headers:
            raise _missing("Authorization")
        if headers["authorization"] == _SKIP and action is not None and not action.signed:
            return ANONYMOUS
        authorization = self._parse_authorization(headers)
        timestamp = headers["x-tc-timestamp"]
        if not re.fullmatch(r"[0-9]{1,12}", timestamp):
            raise VendorError("InvalidParameter", "The value type of parameter `Timestamp` is not valid.")
        key = state.keys.find("tencent", authorization.key_id)
        if key is None:
            text = "The SecretId is not found, please ensure that your SecretId is correct."
            raise VendorError("AuthFailure.SecretIdNotFound", text)
        if abs(now - int(timestamp)) > _WINDOW_SECONDS:
            text = "The signature has expired: `Timestamp` differs from the server's time by more than five minutes."
            raise VendorError("AuthFailure.SignatureExpire", text)
        _check_signature(request, authorization, key.secret, timestamp)
        if headers.get("x-tc-token") != key.token or key.has_expired(now):
            raise self.token_expired()
        return key

    def _parse_authorization(self, headers: Mapping[str, str]) -> signatures.Authorization:
        authorization = signatures.parse_tc3(headers["authorization"])
        if authorization is None:
            raise _unauthorized("The header cannot be read.")
        for name in _MUST_SIGN:
            if name not in authorization.signed_headers:
                raise _unauthorized(f"The header `{name}` must be signed.")
        for name in authorization.signed_headers:
            if name not in headers:
                raise _unauthorized(f"The signed header `{name}` is missing.")
        services = {service for cloud, service, _ in self._registry.services if cloud == "tencent"}
        if authorization.service not in services:
            raise _unauthorized(f"The service `{authorization.service}` does not match the requested domain.")
        return authorization

    def check_parameters(self, request: Request, action: Action, sent: Mapping[str, object]) -> JsonObject:
        """Return the parameters, unless one is missing, unknown or of another type, or the region is missing."""
        if action.needs_region and not request.headers.get("x-tc-region"):
            raise _missing("Region")
        checked = dict(sent)
        if request.method == "GET":
            for parameter in action.parameters:
                text = str(sent.get(parameter.name, ""))
                if parameter.type == "integer" and text.isdecimal():
                    checked[parameter.name] = int(text)
        _check_members(action.parameters, checked, "")
        return checked

    def success(self, body: JsonObject, request_id: str) -> Reply:
        """Return an answer under ``Response``."""
        return Reply(200, to_json({"Response": {**body, "RequestId": request_id}}), _CONTENT_TYPE)

    def failure(self, error: VendorError, request: Request, request_id: str) -> Reply:
        """Return a refusal under ``Response``, always with HTTP 200."""
        return self.success({"Error": {"Code": error.code, "Message": error.message}}, request_id)

    def new_request_id(self) -> str:
        """Return a new UUID in lower case."""
        return random_request_id()

    def throttled(self, requests_per_second: float) -> VendorError:
        """Return the refusal of a request that exceeds a rate limit."""
        limit = f"{requests_per_second:g}"
        return VendorError(
            "RequestLimitExceeded",
            f"Your current request times equals to `{int(requests_per_second) + 1}` in a second, which exceeds the "
            f"frequency limit `{limit}` for a second. Please reduce the frequency of calls.",
        )

    def denied(self, permission: str) -> VendorError:
        """Return the refusal of a key whose policies do not allow an action."""
        return VendorError("UnauthorizedOperation", f"You are not authorized to perform the operation ({permission}).")

    def token_expired(self) -> VendorError:
        """Return the refusal of a wrong token, which Tencent Cloud also sends for an expired one."""
        return VendorError("AuthFailure.TokenFailure", "The provided token could not be validated or has expired.")

    def breakdown(self, request: Request, request_id: str) -> Reply:
        """Return HTTP 500 with a page of the load balancer, since the API itself always answers HTTP 200."""
        return Reply(500, html_page("500 Internal Server Error"), HTML)


def _check_members(declared: tuple[Parameter, ...], sent: Mapping[str, object], inside: str) -> None:
    by_name = {parameter.name: parameter for parameter in declared}
    for name, value in sent.items():
        if name not in by_name:
            raise VendorError("UnknownParameter", f"The parameter `{inside}{name}` is not recognized.")
        _check_value(by_name[name], value, f"{inside}{name}")
    for parameter in declared:
        if parameter.required and parameter.name not in sent:
            raise _missing(f"{inside}{parameter.name}")


def _check_value(parameter: Parameter, value: object, name: str) -> None:
    _check_type(value, parameter.type, name)
    if isinstance(value, list):
        for index, item in enumerate(value):
            _check_type(item, parameter.items, f"{name}.{index}")
            if isinstance(item, dict) and parameter.members:
                _check_members(parameter.members, item, f"{name}.{index}.")
    elif isinstance(value, dict) and parameter.members:
        _check_members(parameter.members, value, f"{name}.")


def _check_type(value: object, wanted: Kind, name: str) -> None:
    # In Python, bool is an int; in JSON, it is a type of its own.
    if not isinstance(value, _JSON_TYPES[wanted]) or (isinstance(value, bool) and wanted != "boolean"):
        text = f"The value type of parameter `{name}` is not valid, input type should be `{wanted}`."
        raise VendorError("InvalidParameter", text)


def _missing(name: str) -> VendorError:
    return VendorError("MissingParameter", f"The request is missing a required parameter `{name}`.")


def _unauthorized(detail: str) -> VendorError:
    text = "The `Authorization` in the request header is invalid."
    return VendorError("AuthFailure.InvalidAuthorization", f"{text} {detail}")


def _parse_parameters(request: Request) -> dict[str, Any] | None:
    if request.method == "GET":
        return dict(parse_qsl(request.raw_query, keep_blank_values=True))
    try:
        parameters = json.loads(request.body)
    except ValueError:
        return None
    return parameters if isinstance(parameters, dict) else None


def _check_signature(request: Request, authorization: signatures.Authorization, secret: str, timestamp: str) -> None:
    is_get = request.method == "GET"
    canonical = signatures.tc3_canonical_request(
        request.method,
        request.raw_query if is_get else "",
        request.headers,
        authorization.signed_headers,
        b"" if is_get else request.body,
    )
    date = authorization.date
    computed = signatures.tc3_signature(secret, canonical, timestamp, date, authorization.service)
    if date != signatures.tc3_date(int(timestamp)) or not signatures.same_signature(computed, authorization.signature):
        text = "The provided credentials could not be validated. Please check your signature is correct."
        raise VendorError("AuthFailure.SignatureFailure", text)
