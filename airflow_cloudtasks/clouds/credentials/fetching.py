"""What every fetch of credentials has in common: how a key is read from an answer, and how an error is reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from airflow_cloudtasks.clouds.answers import error_code, error_message, reports_error
from airflow_cloudtasks.clouds.credentials.source import Fetched
from airflow_cloudtasks.clouds.error_codes import alibaba_kind, tencent_kind
from airflow_cloudtasks.clouds.wire import ApiCall, Credentials, HttpAnswer, is_visible
from airflow_cloudtasks.errors import (
    BadRequest,
    CloudApiError,
    CredentialsError,
    MalformedAnswer,
    NotFound,
    TransientError,
    UnreadableAnswer,
    error_from_dict,
)
from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.values import load_json, moment, request_id, text

# The names of a temporary key's parts. Sources: STS 2015-04-01 and "Instance metadata" of Alibaba Cloud; STS 2018-08-13
# of Tencent Cloud, and tencentcloud-sdk-python-common for its metadata service.
_PARTS: Mapping[Cloud, tuple[str, str, str]] = {
    "alibaba": ("AccessKeyId", "AccessKeySecret", "SecurityToken"),
    "tencent": ("TmpSecretId", "TmpSecretKey", "Token"),
}

_KINDS: Mapping[Cloud, Callable[[str, int], type[CloudApiError]]] = {"alibaba": alibaba_kind, "tencent": tencent_kind}


def temporary_key(cloud: Cloud, holder: Any, expiry: Any, origin: str, context: Mapping[str, Any]) -> Fetched:
    """Return the temporary key in an answer.

    Args:
        cloud: The cloud, whose names the answer uses.
        holder: The object with the key's parts.
        expiry: Its expiry, as the answer states it.
        origin: Where it comes from.
        context: What an error says about the call; see :meth:`ApiCall.context`.

    Raises:
        UnreadableAnswer: A part is missing or damaged; another answer may be complete.
    """
    parts = [holder.get(name) if isinstance(holder, Mapping) else None for name in _PARTS[cloud]]
    key_id, secret, token = (part if isinstance(part, str) and is_visible(part) else "" for part in parts)
    if not (key_id and secret and token):
        raise UnreadableAnswer("the answer holds no temporary key", **context)
    expires = moment(expiry, UTC)
    return Fetched(Credentials(key_id, secret, token, origin), expires.timestamp() if expires else None)


def refusal(cloud: Cloud, call: ApiCall, answer: HttpAnswer) -> CloudApiError | None:
    """Return the error that a service other than STS reports in place of a key; None if it reports none.

    Args:
        cloud: The cloud, whose error codes the service uses.
        call: The call; its secrets are hidden in the service's text.
        answer: The answer to it.

    Returns:
        A retryable error for a busy or failing service, by its code or the HTTP status; otherwise a CredentialsError.
    """
    decoded = load_json(answer.body)
    content = decoded if isinstance(decoded, dict) else {}
    has_key = text(content.get("Code")) in (None, "Success") and not reports_error(content, None)
    if answer.has_succeeded and has_key:
        return None
    code = error_code(content)
    kind = _KINDS[cloud](code or "", answer.status)
    said = error_message(content)
    return (kind if kind.retryable else CredentialsError)(
        f"the service refuses: {call.scrub(said)}" if said else "the service refuses",
        code=code or f"HTTP{answer.status}",
        **call.context(answer, request_id(content)),
    )


def fetch_error(error: CloudApiError, what: str) -> CloudApiError:
    """Return the error of a fetch for the error of one of its requests.

    Args:
        error: The error of the request, after all of its retries.
        what: What was asked, and with which key.

    Returns:
        A TransientError if another try may succeed: no answer, HTTP 5xx or 429, an answer that cannot be read.
        Otherwise the service's refusal, as PermissionDenied or CredentialsError. A role that does not exist, or wrong
        parameters of a session, must not look like a task that does not exist or wrong parameters of a task.
    """
    attributes = error.as_dict()
    if error.retryable or isinstance(error, MalformedAnswer):
        attributes["kind"] = TransientError.__name__
    elif isinstance(error, NotFound | BadRequest):
        attributes["kind"] = CredentialsError.__name__
    for name in ("api", "field"):  # of MalformedAnswer
        attributes.pop(name, None)
    # Whatever needed the credentials has not been sent.
    return error_from_dict(attributes | {"action": f"Fetching credentials ({what})", "unsent": True, "retried": True})


def no_credentials(why: str) -> CredentialsError:
    """Return the error for a source that has no credentials.

    Args:
        why: What was found instead.
    """
    return CredentialsError(why, code="NoCredentials", action="Fetching credentials", unsent=True, retried=True)
