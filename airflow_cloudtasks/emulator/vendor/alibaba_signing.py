"""Authentication of Alibaba Cloud's requests: signature V3 in headers, or the older RPC signature in parameters.

Sources: Alibaba Cloud, "Request syntax and signature method V3" and "Request syntax and signature method V2 for RPC
APIs"; the common error codes of its products' documents.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.vendor import signatures
from airflow_cloudtasks.emulator.vendor.alibaba_errors import missing
from airflow_cloudtasks.emulator.vendor.wire import VendorError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_cloudtasks.emulator.engine.keys import Key
    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.vendor.wire import Request

# Source: "Request syntax and signature method V3", x-acs-date: a request is valid for 15 minutes. The older form has
# the same limit.
_WINDOW_SECONDS = 15 * 60
TOKEN_EXPIRED = ("InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")


def authenticate_v3(request: Request, state: State, now: float) -> Key:
    """Return the key that signed a request by V3, whose signature, date, nonce and token are in headers.

    Args:
        request: The request.
        state: The emulator's memory, which holds keys and nonces.
        now: The time, in Unix seconds.

    Raises:
        VendorError: One of them is missing, wrong, expired or used before.
    """
    headers = request.headers
    if "authorization" not in headers:
        raise missing("AccessKeyId")
    authorization = signatures.parse_acs3(headers["authorization"])
    if authorization is None:
        raise _incomplete("The Authorization header cannot be read.")
    date, nonce = headers.get("x-acs-date"), headers.get("x-acs-signature-nonce")
    if not date:
        raise missing("Timestamp")
    if not nonce:
        raise missing("SignatureNonce")
    if "x-acs-content-sha256" not in headers:
        raise _incomplete("The header x-acs-content-sha256 is missing.")
    key, sent_at = _find_key(authorization.key_id, date, state, now)
    _check_v3_signature(request, authorization, key.secret)
    _check_token(headers.get("x-acs-security-token"), key, now)
    _use_nonce(key, nonce, sent_at, state, now)
    return key


def authenticate_rpc(request: Request, parameters: Mapping[str, str], state: State, now: float) -> Key:
    """Return the key that signed a request by V2, whose signature, date, nonce and token are parameters.

    Args:
        request: The request.
        parameters: All parameters of its query and form.
        state: The emulator's memory, which holds keys and nonces.
        now: The time, in Unix seconds.

    Raises:
        VendorError: One of them is missing, wrong, expired or used before.
    """
    for name in ("AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp"):
        if not parameters.get(name):
            raise missing(name)
    if (parameters["SignatureMethod"], parameters["SignatureVersion"]) != ("HMAC-SHA1", "1.0"):
        raise _incomplete("Expected SignatureMethod HMAC-SHA1 and SignatureVersion 1.0.")
    key, sent_at = _find_key(parameters["AccessKeyId"], parameters["Timestamp"], state, now)
    _check_rpc_signature(request.method, parameters, key.secret)
    _check_token(parameters.get("SecurityToken") or None, key, now)
    _use_nonce(key, parameters["SignatureNonce"], sent_at, state, now)
    return key


def _find_key(key_id: str, date: str, state: State, now: float) -> tuple[Key, float]:
    key = state.keys.find("alibaba", key_id)
    if key is None:
        raise VendorError("InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404)
    sent_at = _parse_date(date)
    if abs(now - sent_at) > _WINDOW_SECONDS:
        raise VendorError("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
    return key, sent_at


def _use_nonce(key: Key, nonce: str, sent_at: float, state: State, now: float) -> None:
    # Remembered only while the date is valid: after that, the date refuses a replay.
    if not state.nonces.use(key.id, nonce, sent_at + _WINDOW_SECONDS, now):
        raise VendorError("SignatureNonceUsed", "Specified signature nonce was used already.")


def _incomplete(detail: str) -> VendorError:
    text = "The request signature does not conform to Aliyun standards."
    return VendorError("IncompleteSignature", f"{text} {detail}")


def _mismatch(detail: str) -> VendorError:
    text = "Specified signature does not match our calculation."
    return VendorError("SignatureDoesNotMatch", f"{text} {detail}")


def _parse_date(date: str) -> float:
    try:
        return datetime.strptime(date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        text = "Specified time stamp or date value is not well formatted."
        raise VendorError("InvalidTimeStamp.Format", text) from None


def _check_v3_signature(request: Request, authorization: signatures.Authorization, secret: str) -> None:
    headers, signed = request.headers, authorization.signed_headers
    # Source: "Request syntax and signature method V3", step 1: host and all x-acs-* headers must be signed.
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
        # The real gateway also returns its own calculation. Mask the token in it: clients log this text.
        shown = canonical.replace(headers.get("x-acs-security-token") or "\0", "***")
        raise _mismatch(
            f"server StringToSign is [{signatures.acs3_string_to_sign(canonical)}] server CanonicalRequest is [{shown}]"
        )


def _check_rpc_signature(method: str, parameters: Mapping[str, str], secret: str) -> None:
    signed = {name: value for name, value in parameters.items() if name != "Signature"}
    computed = signatures.rpc_signature(secret, signatures.rpc_string_to_sign(method, signed))
    # Compared as it is: Base64 is case-sensitive, unlike the hexadecimal of the other signatures.
    if not hmac.compare_digest(computed.encode(), parameters["Signature"].encode()):
        shown = {name: "***" if name == "SecurityToken" else value for name, value in signed.items()}
        raise VendorError(
            "SignatureDoesNotMatch",
            "Specified signature is not matched with our calculation. server string to sign is:"
            f"{signatures.rpc_string_to_sign(method, shown)}",
        )


def _check_token(token: str | None, key: Key, now: float) -> None:
    if key.token == token and not key.has_expired(now):
        return
    if key.token is None:
        text = "Specified SecurityToken mismatch with the AccessKey."
        raise VendorError("InvalidSecurityToken.MismatchWithAccessKey", text)
    if token is None:
        raise missing("SecurityToken")
    # Any other token counts as an earlier one of the key: a test expires a token by adding the key with a new one.
    raise VendorError(*TOKEN_EXPIRED)
