"""What every fetch of credentials has in common: how a key is read from an answer, and how an error is reported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from airflow_cloudtasks.clouds.credentials.source import Fetched
from airflow_cloudtasks.clouds.wire import Credentials
from airflow_cloudtasks.errors import (
    CloudApiError,
    CredentialsError,
    MalformedAnswer,
    NotFound,
    TransientError,
    UnreadableAnswer,
    error_from_dict,
)
from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.values import moment

# The names of a temporary key's parts. Sources: STS 2015-04-01 and "Instance metadata" of Alibaba Cloud; STS 2018-08-13
# of Tencent Cloud, and tencentcloud-sdk-python-common for its metadata service.
_PARTS: Mapping[Cloud, tuple[str, str, str]] = {
    "alibaba": ("AccessKeyId", "AccessKeySecret", "SecurityToken"),
    "tencent": ("TmpSecretId", "TmpSecretKey", "Token"),
}

# The characters that a key may have: a header allows no others.
_VISIBLE = re.compile(r"[!-~]+")


def is_visible(value: str) -> bool:
    """Return whether a text can be a part of a key: visible ASCII characters only.

    Args:
        value: The text.
    """
    return _VISIBLE.fullmatch(value) is not None


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


def fetch_error(error: CloudApiError, what: str, secrets: Iterable[str | None] = ()) -> CloudApiError:
    """Return the error of a fetch for the error of one of its requests.

    Args:
        error: The error of the request, after all of its retries.
        what: What was asked, and with which key.
        secrets: Texts that the error must not repeat.

    Returns:
        A TransientError if another try may succeed: no answer, HTTP 5xx or 429, an answer that cannot be read.
        Otherwise the service's refusal. A role that does not exist is a CredentialsError, because a wait for a task
        that may not exist yet ignores NotFound.
    """
    attributes = error.as_dict()
    if error.retryable or isinstance(error, MalformedAnswer):
        attributes["kind"] = TransientError.__name__
    elif isinstance(error, NotFound):
        attributes["kind"] = CredentialsError.__name__
    for name in ("api", "field"):  # of MalformedAnswer
        attributes.pop(name, None)
    for secret in filter(None, secrets):
        attributes["message"] = attributes["message"].replace(secret, "***")
    # Whatever needed the credentials has not been sent.
    return error_from_dict(attributes | {"action": f"Fetching credentials ({what})", "unsent": True, "retried": True})


def no_credentials(why: str) -> CredentialsError:
    """Return the error for a source that has no credentials.

    Args:
        why: What was found instead.
    """
    return CredentialsError(why, code="NoCredentials", action="Fetching credentials", unsent=True, retried=True)
