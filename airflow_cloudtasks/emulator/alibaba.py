"""Alibaba Cloud's gateway: RPC and ROA requests, signature V3, errors.

Sources: Alibaba Cloud, "Request syntax and signature method V3" for what a request carries and how it is signed; the
common error codes of its products' documents (e.g. https://help.aliyun.com/document_detail/48054.html) for codes and
texts; the error envelope as ``alibabacloud-tea-openapi`` reads it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

from airflow_cloudtasks.emulator import signatures
from airflow_cloudtasks.emulator.actions import ACTIONS
from airflow_cloudtasks.emulator.gateway import Identified, random_request_id
from airflow_cloudtasks.emulator.wire import Exchange, JsonObject, Reply, Request, VendorError, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_cloudtasks.emulator.contract import Action
    from airflow_cloudtasks.emulator.keys import Key
    from airflow_cloudtasks.emulator.state import State
    from airflow_cloudtasks.emulator.wire import Cloud

# Source: "Request syntax and signature method V3", x-acs-date: a request is good for 15 minutes.
_WINDOW_SECONDS = 15 * 60
_CONTENT_TYPE = "application/json;charset=utf-8"
_RECOMMEND = "https://error-center.aliyun.com/status/search?Keyword={}&source=PopGw"
_FORM = "application/x-www-form-urlencoded"

_RPC = {(a.name, a.version): a for a in ACTIONS if a.cloud == "alibaba" and a.path == "/"}
_ROA = tuple(a for a in ACTIONS if a.cloud == "alibaba" and a.path != "/")
_VERSIONS = {a.version for a in ACTIONS if a.cloud == "alibaba"}


class AlibabaGateway:
    """Alibaba Cloud's side of :class:`airflow_cloudtasks.emulator.gateway.Gateway`."""

    cloud: Cloud = "alibaba"

    def identify(self, request: Request) -> Identified:
        """Read what a request asks for: by headers in RPC style, by path and version in ROA style.

        Args:
            request: The request.

        Returns:
            Its action, or why there is none.
        """
        headers = request.headers
        name, version = headers.get("x-acs-action"), headers.get("x-acs-version")
        query = dict(parse_qsl(request.raw_query, keep_blank_values=True))
        exchange = Exchange(
            "alibaba",
            action=name,
            version=version,
            region=query.get("RegionId") or headers.get("x-acs-region-id"),
            key_id=_key_id(request),
        )
        if not version:
            return Identified(exchange, refusal=_missing("Version"))
        if request.raw_path == "/":
            if not name:
                return Identified(exchange, refusal=_missing("Action"))
            action = _RPC.get((name, version))
            in_path: dict[str, str] = {}
        else:
            action, in_path = _find_by_path(request.method, request.raw_path)
        if version not in _VERSIONS or (action is not None and action.version != version):
            refusal = VendorError("InvalidVersion", "Specified parameter Version is not valid.")
            return Identified(exchange, refusal=refusal)
        if action is None or request.method not in action.methods or (name and name != action.name):
            text = "Specified api is not found, please check your url and method."
            return Identified(exchange, refusal=VendorError("InvalidAction.NotFound", text, 404))
        places = {"path": in_path, "query": query, "form": _form(request)}
        exchange.api, exchange.service, exchange.action = action.api, action.service, action.name
        for parameter in action.parameters:
            for place in parameter.places:
                if parameter.name in places.get(place, {}):
                    exchange.parameters[parameter.name] = places[place][parameter.name]
                    break
        return Identified(exchange, action)

    def authenticate(self, request: Request, state: State, now: float) -> Key:
        """Check a request's signature, date, nonce and token.

        Args:
            request: The request.
            state: The emulator's memory, which knows keys and nonces.
            now: The time, in Unix seconds.

        Returns:
            The key it is signed with.

        Raises:
            VendorError: Something about it is missing, wrong, expired or used before.
        """
        headers = request.headers
        if "authorization" not in headers:
            raise _missing("AccessKeyId")
        authorization = signatures.parse_acs3(headers["authorization"])
        if authorization is None:
            raise _incomplete("The Authorization header cannot be read.")
        date, nonce = headers.get("x-acs-date"), headers.get("x-acs-signature-nonce")
        if not date:
            raise _missing("Timestamp")
        if not nonce:
            raise _missing("SignatureNonce")
        if "x-acs-content-sha256" not in headers:
            raise _incomplete("The header x-acs-content-sha256 is missing.")
        key = state.keys.find("alibaba", authorization.key_id)
        if key is None:
            raise VendorError("InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404)
        sent_at = _parse_date(date)
        if abs(now - sent_at) > _WINDOW_SECONDS:
            raise VendorError("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
        _check_signature(request, authorization, key.secret)
        _check_token(headers.get("x-acs-security-token"), key)
        # Remembered no longer than the date itself is good for: after that the date refuses a replay.
        if not state.nonces.use(key.id, nonce, sent_at + _WINDOW_SECONDS, now):
            raise VendorError("SignatureNonceUsed", "Specified signature nonce was used already.")
        return key

    def check_parameters(self, request: Request, action: Action, sent: Mapping[str, object]) -> JsonObject:
        """Check that the parameters an action needs are there. Others are ignored, as the gateway does.

        Args:
            request: The request.
            action: The action.
            sent: What was sent, by name.

        Returns:
            The parameters.

        Raises:
            VendorError: One is missing.
        """
        for parameter in action.parameters:
            if parameter.required and not sent.get(parameter.name):
                raise _missing(parameter.name)
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
        return VendorError("InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")

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


def _missing(name: str) -> VendorError:
    return VendorError(f"Missing{name}", f"{name} is mandatory for this action.")


def _incomplete(detail: str) -> VendorError:
    text = "The request signature does not conform to Aliyun standards."
    return VendorError("IncompleteSignature", f"{text} {detail}")


def _mismatch(detail: str) -> VendorError:
    text = "Specified signature does not match our calculation."
    return VendorError("SignatureDoesNotMatch", f"{text} {detail}")


def _key_id(request: Request) -> str | None:
    authorization = signatures.parse_acs3(request.headers.get("authorization", ""))
    return authorization.key_id if authorization else None


def _form(request: Request) -> dict[str, str]:
    if not request.headers.get("content-type", "").startswith(_FORM):
        return {}
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def _find_by_path(method: str, raw_path: str) -> tuple[Action | None, dict[str, str]]:
    segments = raw_path.split("/")
    for action in _ROA:
        template = action.path.split("/")
        if method not in action.methods or len(template) != len(segments):
            continue
        in_path: dict[str, str] = {}
        for wanted, segment in zip(template, segments, strict=True):
            if wanted.startswith("{"):
                in_path[wanted[1:-1]] = unquote(segment)
            elif wanted != segment:
                break
        else:
            return action, in_path
    return None, {}


def _parse_date(date: str) -> float:
    try:
        return datetime.strptime(date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        text = "Specified time stamp or date value is not well formatted."
        raise VendorError("InvalidTimeStamp.Format", text) from None


def _check_signature(request: Request, authorization: signatures.Authorization, secret: str) -> None:
    headers, signed = request.headers, authorization.signed_headers
    # Source: "Request syntax and signature method V3", step 1: host and all x-acs-* headers take part.
    for name in headers:
        if (name == "host" or name.startswith("x-acs-")) and name not in signed:
            raise _incomplete(f"The header {name} is not signed.")
    for name in signed:
        if name not in headers:
            raise _incomplete(f"The signed header {name} is missing.")
    body_hash = signatures.sha256_hex(request.body)
    if headers["x-acs-content-sha256"].lower() != body_hash:
        raise _mismatch(f"server x-acs-content-sha256 is [{body_hash}]")
    canonical = signatures.acs3_canonical_request(
        request.method, request.raw_path, request.raw_query, headers, signed, body_hash
    )
    if not signatures.same_signature(signatures.acs3_signature(secret, canonical), authorization.signature):
        # The real gateway tells its own calculation too. The token in it is masked: clients log this text.
        shown = canonical.replace(headers.get("x-acs-security-token") or "\0", "***")
        raise _mismatch(
            f"server StringToSign is [{signatures.acs3_string_to_sign(canonical)}] server CanonicalRequest is [{shown}]"
        )


def _check_token(token: str | None, key: Key) -> None:
    if key.token == token:
        return
    if key.token is None:
        text = "Specified SecurityToken mismatch with the AccessKey."
        raise VendorError("InvalidSecurityToken.MismatchWithAccessKey", text)
    if token is None:
        raise _missing("SecurityToken")
    # A token that is not the key's present one is one it had before: that is how the emulator lets tokens expire.
    raise AlibabaGateway().token_expired()
