"""Alibaba Cloud's gateway: RPC and ROA requests, and errors.

Sources: Alibaba Cloud, "Request syntax and signature method V3" for what a request carries, and "Request syntax and
signature method V2 for RPC APIs" for what an older one carries (its answers are in JSON here, even without Format); the
common error codes of its products' documents (e.g. https://help.aliyun.com/document_detail/48054.html) for codes and
texts; the error envelope as ``alibabacloud-tea-openapi`` reads it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from airflow_cloudtasks.emulator.engine.journal import Exchange
from airflow_cloudtasks.emulator.engine.values import JsonObject
from airflow_cloudtasks.emulator.products.registry import ACTIONS
from airflow_cloudtasks.emulator.vendor import alibaba_signing, signatures
from airflow_cloudtasks.emulator.vendor.alibaba_signing import missing
from airflow_cloudtasks.emulator.vendor.contract import find_by_path
from airflow_cloudtasks.emulator.vendor.gateway import ANONYMOUS, Identified, random_request_id
from airflow_cloudtasks.emulator.vendor.wire import Reply, Request, VendorError, is_json_object, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_cloudtasks.emulator.engine.keys import Key
    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.engine.values import Cloud
    from airflow_cloudtasks.emulator.vendor.contract import Action, Kind

_CONTENT_TYPE = "application/json;charset=utf-8"
_RECOMMEND = "https://error-center.aliyun.com/status/search?Keyword={}&source=PopGw"
_FORM = "application/x-www-form-urlencoded"

_RPC = {(a.name, a.version): a for a in ACTIONS if a.cloud == "alibaba" and a.path == "/"}
_ROA = tuple(a for a in ACTIONS if a.cloud == "alibaba" and a.path != "/")
_VERSIONS = {a.version for a in ACTIONS if a.cloud == "alibaba"}


# All comes as text; an object or array is JSON in it, as the SDK's models for sending ("Shrink") show.
_IS_KIND: dict[Kind, Callable[[str], bool]] = {
    "string": lambda text: True,
    "integer": lambda text: re.fullmatch(r"-?[0-9]{1,19}", text) is not None,
    "boolean": lambda text: text in ("true", "false", "True", "False"),
    "object": is_json_object,
}


class AlibabaGateway:
    """Alibaba Cloud's side of :class:`airflow_cloudtasks.emulator.vendor.gateway.Gateway`."""

    cloud: Cloud = "alibaba"

    def identify(self, request: Request) -> Identified:
        """Read what a request asks for: by headers in RPC style, by path and version in ROA style.

        Args:
            request: The request.

        Returns:
            Its action, or why there is none.
        """
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
        if not version:
            return Identified(exchange, refusal=missing("Version"))
        if request.raw_path == "/":
            if not name:
                return Identified(exchange, refusal=missing("Action"))
            action = _RPC.get((name, version))
            in_path: dict[str, str] = {}
        else:
            action, in_path = find_by_path(_ROA, request.method, request.raw_path)
        if version not in _VERSIONS or (action is not None and action.version != version):
            refusal = VendorError("InvalidVersion", "Specified parameter Version is not valid.")
            return Identified(exchange, refusal=refusal)
        if action is None or request.method not in action.methods or (name and name != action.name):
            text = "Specified api is not found, please check your url and method."
            return Identified(exchange, refusal=VendorError("InvalidAction.NotFound", text, 404))
        places = {"path": in_path, "query": query, "form": form}
        parameters: JsonObject = {}
        for parameter in action.parameters:
            for place in parameter.places:
                if parameter.name in places.get(place, {}):
                    parameters[parameter.name] = places[place][parameter.name]
                    break
        return Identified.of(exchange, action, parameters)

    def authenticate(self, request: Request, action: Action | None, state: State, now: float) -> Key:
        """Check a request's signature, date, nonce and token.

        Args:
            request: The request.
            action: The action it asks for, if there is such a one.
            state: The emulator's memory, which knows keys and nonces.
            now: The time, in Unix seconds.

        Returns:
            The key it is signed with.

        Raises:
            VendorError: Something about it is missing, wrong, expired or used before.
        """
        if action is not None and not action.signed:
            return ANONYMOUS
        if _is_v3(request):
            return alibaba_signing.authenticate_v3(request, state, now)
        return alibaba_signing.authenticate_rpc(request, {**_query(request), **_form(request)}, state, now)

    def check_parameters(self, request: Request, action: Action, sent: Mapping[str, object]) -> JsonObject:
        """Check that the parameters an action needs are there, and what they are texts of. Others are ignored.

        Args:
            request: The request.
            action: The action.
            sent: What was sent, by name.

        Returns:
            The parameters.

        Raises:
            VendorError: One is missing or no text of its type.
        """
        for parameter in action.parameters:
            if parameter.required and not sent.get(parameter.name):
                raise missing(parameter.name)
            if parameter.name in sent and not _IS_KIND[parameter.type](str(sent[parameter.name])):
                raise VendorError("InvalidParameter", f"The specified parameter {parameter.name} is not valid.")
        return dict(sent)

    def success(self, body: JsonObject, request_id: str) -> Reply:
        """Put the RequestId beside an answer.

        Args:
            body: The answer.
            request_id: The request's id.

        Returns:
            The reply.
        """
        return Reply(200, to_json({"RequestId": request_id, **body}), _CONTENT_TYPE)

    def failure(self, error: VendorError, request: Request, request_id: str) -> Reply:
        """Put a refusal into an envelope: the gateway's, or for HTTP 200 the product's own smaller one.

        Args:
            error: The refusal.
            request: The request, whose host is named.
            request_id: The request's id.

        Returns:
            The reply.
        """
        body: JsonObject = {"RequestId": request_id, "Code": error.code, "Message": error.message}
        if error.status != 200:
            body["HostId"] = request.headers.get("host", "")
            body["Recommend"] = _RECOMMEND.format(quote(error.code))
        return Reply(error.status, to_json(body), _CONTENT_TYPE)

    def new_request_id(self) -> str:
        """Make a request id.

        Returns:
            A fresh UUID in upper case.
        """
        return random_request_id().upper()

    def throttled(self, requests_per_second: float) -> VendorError:
        """Say that requests come too fast.

        Alibaba Cloud documents HTTP 400 for Throttling.User. Some products send 429 or 503; the emulator does not.

        Args:
            requests_per_second: The limit, which Alibaba Cloud does not tell.

        Returns:
            The refusal.
        """
        return VendorError("Throttling.User", "Request was denied due to user flow control.")

    def token_expired(self) -> VendorError:
        """Say that the security token has expired.

        Returns:
            The refusal.
        """
        return VendorError(*alibaba_signing.TOKEN_EXPIRED)

    def breakdown(self, request: Request, request_id: str) -> Reply:
        """Answer HTTP 500, in the gateway's envelope.

        Args:
            request: The request, whose host is named.
            request_id: The request's id.

        Returns:
            The reply.
        """
        text = "The request processing has failed due to some unknown error."
        return self.failure(VendorError("InternalError", text, 500), request, request_id)


def is_alibabas(request: Request) -> bool:
    """Tell whether a request speaks one of Alibaba Cloud's forms.

    Args:
        request: The request.

    Returns:
        Whether it does, well or badly.
    """
    if _is_v3(request):
        return True
    parameters = {**_query(request), **_form(request)}
    # SecretId is in Tencent Cloud's older form, which otherwise looks alike and which nobody serves here.
    return {"Action", "Version"} <= parameters.keys() and "SecretId" not in parameters


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


def _form(request: Request) -> dict[str, str]:
    if not request.headers.get("content-type", "").startswith(_FORM):
        return {}
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
