"""Alibaba Cloud's gateway: RPC and ROA requests, and errors.

Sources: Alibaba Cloud, "Request syntax and signature method V3" for what a request carries, and "Request syntax and
signature method V2 for RPC APIs" for what an older one carries (its answers are in JSON here, even without Format); the
common error codes of its products' documents (e.g. https://help.aliyun.com/document_detail/48054.html) for codes and
texts; the error envelope as ``alibabacloud-tea-openapi`` reads it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from airflow_cloudtasks.emulator.engine.journal import Exchange
from airflow_cloudtasks.emulator.vendor import alibaba_signing, signatures
from airflow_cloudtasks.emulator.vendor.alibaba_errors import invalid, missing
from airflow_cloudtasks.emulator.vendor.gateway import ANONYMOUS, Identified, random_request_id
from airflow_cloudtasks.emulator.vendor.wire import Reply, Request, VendorError, is_json_object, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_cloudtasks.emulator.engine.keys import Key
    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Action, Kind
    from airflow_cloudtasks.emulator.vendor.registry import Registry

_CONTENT_TYPE = "application/json;charset=utf-8"
_RECOMMEND = "https://error-center.aliyun.com/status/search?Keyword={}&source=PopGw"
_FORM = "application/x-www-form-urlencoded"

# Every parameter is sent as text. An object or an array is JSON in it: see the SDK's request models ("Shrink").
_IS_KIND: dict[Kind, Callable[[str], bool]] = {
    "string": lambda text: True,
    "integer": lambda text: re.fullmatch(r"-?[0-9]{1,19}", text) is not None,
    "boolean": lambda text: text in ("true", "false", "True", "False"),
    "object": is_json_object,
    "number": lambda text: re.fullmatch(r"-?[0-9]+([.][0-9]+)?", text) is not None,
    "any": lambda text: True,
    "array": lambda text: text.startswith("[") and text.endswith("]"),
}
# The values of a JSON body have types of their own.
_JSON_TYPES: dict[Kind, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "number": (int, float),
    "array": list,
    "object": dict,
    "any": object,
}


class AlibabaGateway:
    """Alibaba Cloud's :class:`airflow_cloudtasks.emulator.vendor.gateway.Gateway`.

    Args:
        registry: The actions that it serves.
    """

    cloud: Cloud = "alibaba"

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def identify(self, request: Request) -> Identified:
        """Identify a request by its headers or parameters in RPC style, by path and version in ROA style."""
        headers = request.headers
        query, form = _query(request), _form(request)
        if _is_v3(request):
            name, version, key_id = headers.get("x-acs-action"), headers.get("x-acs-version"), _key_id(request)
        else:
            name, version, key_id = [{**query, **form}.get(name) for name in ("Action", "Version", "AccessKeyId")]
        exchange = Exchange(
            "alibaba",
            action=name,
            version=version,
            region=query.get("RegionId") or headers.get("x-acs-region-id"),
            key_id=key_id,
        )
        try:
            action, in_path = self._find(request, name, version)
        except VendorError as refusal:
            return Identified(exchange, refusal=refusal)
        sent: dict[str, Mapping[str, object]] = {
            "path": in_path,
            "query": query,
            "header": headers,
            "form": form,
            "json": _json(request),
            # The whole body, which the vendor's clients call body.
            "raw": {"body": request.body.decode("utf-8", "replace")} if request.body else {},
        }
        return Identified.of(exchange, action, _read_parameters(action, sent))

    def _find(self, request: Request, name: str | None, version: str | None) -> tuple[Action, dict[str, str]]:
        if not version:
            raise missing("Version")
        if request.raw_path == "/" and not name:
            raise missing("Action")
        action, in_path = self._named(request, name, version)
        known = any((cloud, known) == ("alibaba", version) for cloud, _, known in self._registry.services)
        if not known or (action is not None and action.version != version):
            raise VendorError("InvalidVersion", "Specified parameter Version is not valid.")
        if action is None or request.method not in action.methods or (name and name != action.name):
            text = "Specified api is not found, please check your url and method."
            raise VendorError("InvalidAction.NotFound", text, 404)
        return action, in_path

    def _named(self, request: Request, name: str | None, version: str) -> tuple[Action | None, dict[str, str]]:
        if request.raw_path != "/":
            return self._registry.at_path("alibaba", request.method, request.raw_path)
        named = (action for action in self._registry.named("alibaba", version, name) if action.path == "/")
        return next(named, None), {}

    def authenticate(self, request: Request, action: Action | None, state: State, now: float) -> Key:
        """Return the key that signed a request.

        Args:
            request: The request.
            action: Its action, if it could be identified.
            state: The emulator's memory, which holds keys and nonces.
            now: The time, in Unix seconds.

        Raises:
            VendorError: Its signature, date, nonce or token is missing, wrong, expired or used before.
        """
        if action is not None and not action.signed:
            return ANONYMOUS
        if _is_v3(request):
            return alibaba_signing.authenticate_v3(request, state, now)
        return alibaba_signing.authenticate_rpc(request, {**_query(request), **_form(request)}, state, now)

    def check_parameters(self, request: Request, action: Action, sent: Mapping[str, object]) -> JsonObject:
        """Return the parameters, unless one is missing or its text is not of its type."""
        for parameter in action.parameters:
            if parameter.required and not sent.get(parameter.name):
                raise missing(parameter.name)
            if parameter.name in sent and not _is_kind(sent[parameter.name], parameter.type):
                raise invalid(parameter.name)
        return dict(sent)

    def success(self, body: JsonObject, request_id: str) -> Reply:
        """Return an answer with its RequestId beside it."""
        return Reply(200, to_json({"RequestId": request_id, **body}), _CONTENT_TYPE)

    def failure(self, error: VendorError, request: Request, request_id: str) -> Reply:
        """Return a refusal in the gateway's envelope, or, for HTTP 200, in the product's own smaller one."""
        body: JsonObject = {"RequestId": request_id, "Code": error.code, "Message": error.message}
        if error.status != 200:
            body["HostId"] = request.headers.get("host", "")
            body["Recommend"] = _RECOMMEND.format(quote(error.code))
        return Reply(error.status, to_json(body), _CONTENT_TYPE)

    def new_request_id(self) -> str:
        """Return a new UUID in upper case."""
        return random_request_id().upper()

    def throttled(self, requests_per_second: float) -> VendorError:
        """Return Throttling.User with HTTP 400, as documented. Some products send 429 or 503; the emulator does not."""
        return VendorError("Throttling.User", "Request was denied due to user flow control.")

    def denied(self, permission: str) -> VendorError:
        """Return the refusal of a key whose policies do not allow an action."""
        return VendorError(
            "NoPermission",
            f"You are not authorized to do this action. You should be authorized by RAM ({permission}).",
            403,
        )

    def token_expired(self) -> VendorError:
        """Return the refusal of an expired security token."""
        return VendorError(*alibaba_signing.TOKEN_EXPIRED)

    def breakdown(self, request: Request, request_id: str) -> Reply:
        """Return HTTP 500 in the gateway's envelope."""
        text = "The request processing has failed due to some unknown error."
        return self.failure(VendorError("InternalError", text, 500), request, request_id)


def is_for_alibaba(request: Request) -> bool:
    """Return whether a request has one of Alibaba Cloud's forms, valid or not."""
    if _is_v3(request):
        return True
    parameters = {**_query(request), **_form(request)}
    # SecretId belongs to Tencent Cloud's older form, which looks alike otherwise and is not served here.
    return {"Action", "Version"} <= parameters.keys() and "SecretId" not in parameters


def _is_kind(value: object, kind: Kind) -> bool:
    if not isinstance(value, str):
        return isinstance(value, _JSON_TYPES[kind]) and (not isinstance(value, bool) or kind in ("boolean", "any"))
    return _IS_KIND[kind](value)


def _read_parameters(action: Action, sent: Mapping[str, Mapping[str, object]]) -> JsonObject:
    parameters: JsonObject = {}
    for parameter in action.parameters:
        for location in parameter.locations:
            if parameter.name in sent.get(location, {}):
                parameters[parameter.name] = sent[location][parameter.name]
                break
            if parameter.type == "array" and (items := _numbered(parameter.name, sent.get(location, {}))):
                parameters[parameter.name] = items
                break
    return parameters


def _numbered(name: str, sent: Mapping[str, object]) -> list[object]:
    """Return the items of a list of texts, of which each is a parameter: ``StackIds.1``, ``StackIds.2``."""
    items: list[object] = []
    while (item := sent.get(f"{name}.{len(items) + 1}")) is not None:
        items.append(item)
    return items


def _is_v3(request: Request) -> bool:
    headers = request.headers
    if headers.get("authorization", "").startswith(signatures.ACS3):
        return True
    # The SDK core sends V3's headers with the older signature too.
    named = "x-acs-action" in headers or "x-acs-version" in headers
    return named and "Signature" not in {**_query(request), **_form(request)}


def _key_id(request: Request) -> str | None:
    authorization = signatures.parse_acs3(request.headers.get("authorization", ""))
    return authorization.key_id if authorization else None


def _query(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.raw_query, keep_blank_values=True))


def _json(request: Request) -> JsonObject:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return {}
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _form(request: Request) -> dict[str, str]:
    if not request.headers.get("content-type", "").startswith(_FORM):
        return {}
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
