"""Read the body of an answer: its JSON object, and the error that it may report under any HTTP status."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from airflow_cloudtasks.clouds.damaged_json import read_damaged
from airflow_cloudtasks.clouds.error_codes import kind_of_status
from airflow_cloudtasks.clouds.wire import ApiCall, HttpAnswer
from airflow_cloudtasks.errors import UnreadableAnswer
from airflow_cloudtasks.spec.action import Success
from airflow_cloudtasks.values import REQUEST_IDS, at, fold, load_json, text

_log = logging.getLogger(__name__)

# Source: the error answers of both clouds' gateways, and the models of Alibaba Cloud's products, which spell them in
# several ways. The numbers of a page belong here: a list without tasks has them, too.
_CODES = ("Code", "code", "ErrorCode", "errorCode")
_MESSAGES = ("Message", "message", "ErrorMessage", "errorMessage", "ErrMsg", "errMsg", "Msg", "msg")
_SUCCESSES = ("Success", "success")
_ENVELOPE = frozenset(
    name.lower()
    for name in (
        *(*_CODES, *_MESSAGES, *REQUEST_IDS, *_SUCCESSES, "Error", "HostId", "Recommend", "Solution", "TraceId"),
        *("HttpStatus", "HttpStatusCode", "HttpCode", "StatusCode", "Type"),
        *("AccessDeniedDetail", "DynamicCode", "DynamicMessage"),
        *("MaxResults", "NextToken", "PageNumber", "PageSize", "TotalCount", "TotalPageNumber", "Timestamp"),
    )
)

# The fields by which an answer may report an error.
_REPORTS = frozenset((*_CODES, *_SUCCESSES))

_SUCCESS_CODE = re.compile(r"0|2\d\d|ok|succe\w*", re.ASCII)


def json_object(call: ApiCall, answer: HttpAnswer) -> dict[str, Any]:
    """Return the JSON object in an answer's body, an empty one for an action whose success has no body.

    Damage in it is replaced, see :func:`airflow_cloudtasks.clouds.damaged_json.read_damaged`, and logged once for each
    action.

    Args:
        call: The call.
        answer: The answer.

    Raises:
        Throttled: The body is not a JSON object, and the HTTP status is 429.
        TransientError: The body is not a JSON object, and the HTTP status is 408 or 5xx.
        UnreadableAnswer: The body is not a JSON object, and the HTTP status is another one.
    """
    if call.action.empty and not answer.body and 200 <= answer.status < 300:
        return {}
    decoded = load_json(answer.body)
    if isinstance(decoded, dict):
        return decoded
    if (damaged := read_damaged(answer.body)) is not None:
        _log_damage(call.service.product, call.action.name)
        return damaged
    kind = kind_of_status(answer.status)
    if kind is None:
        raise UnreadableAnswer("the answer is no JSON object", field="", **call.context(answer))
    raise kind("the answer is no JSON object", code=f"HTTP{answer.status}", **call.context(answer))


@lru_cache(maxsize=1024)
def _log_damage(product: str, action: str) -> None:
    _log.warning(
        "An answer of %s %s is no valid JSON. It is read as far as possible: U+FFFD replaces bytes and characters that "
        "are not allowed. Further answers of this kind are not logged.",
        product,
        action,
    )


def reports_error(content: Mapping[str, Any], success_code: str | None) -> bool:
    """Return whether an answer under a successful HTTP status reports an error.

    It does if it says so (``Success`` is false), or if it has a code that is no success's and nothing else. An answer
    with a code *and* data is the data's: a task may have a code of its own.

    Args:
        content: The decoded answer without its envelope.
        success_code: The code of a success, for an action that always sends one; None for any other.
    """
    if success_code is None and _REPORTS.isdisjoint(content):
        return False
    code = error_code(content)
    if code is not None and code == success_code:
        return says_no(content)
    if says_no(content):
        return True
    is_bad = code is not None and not _SUCCESS_CODE.fullmatch(fold(code))
    if success_code is None:
        return is_bad and not holds_data(content)
    return is_bad or not holds_data(content)


def says_no(content: Mapping[str, Any]) -> bool:
    """Return whether an answer says that its call did not succeed.

    Args:
        content: The decoded answer without its envelope.
    """
    return any(_is_no(content.get(name)) for name in _SUCCESSES)


def is_refused(content: Mapping[str, Any], success: Success | None) -> bool:
    """Return whether an answer reports an error by the flag of its action.

    Args:
        content: The decoded answer without its envelope.
        success: Where the action's flag is; None for an action without one.
    """
    return success is not None and _is_no(at(content, success.flag))


def _is_no(flag: Any) -> bool:
    """Return whether a flag is false, 0, or the word for it; a missing one is not."""
    return (fold(flag) if isinstance(flag, str) else flag) in (False, "false")


def code_and_message(content: Mapping[str, Any], success: Success | None) -> tuple[str | None, str]:
    """Return the vendor's code, None for none, and message, empty for none.

    Args:
        content: The decoded answer without its envelope.
        success: Where the action's own code and message are; None for the usual names only.
    """
    code, message = (_own(content, success.code), _own(content, success.message)) if success else (None, None)
    return code or error_code(content), message or error_message(content)


def _own(content: Mapping[str, Any], path: str | None) -> str | None:
    return None if path is None else text(at(content, path))


def error_code(fields: Mapping[str, Any]) -> str | None:
    """Return the vendor's code; None for none.

    Args:
        fields: The object that holds the code.
    """
    return next((found for name in _CODES if (found := text(fields.get(name))) is not None), None)


def error_message(fields: Mapping[str, Any]) -> str:
    """Return the vendor's message; empty for none.

    Args:
        fields: The object that holds the message.
    """
    return next((str(fields[name]) for name in _MESSAGES if is_filled(fields.get(name))), "")


def holds_data(content: Mapping[str, Any]) -> bool:
    """Return whether an answer says anything besides the fields that any answer may have.

    Args:
        content: The decoded answer without its envelope.
    """
    return any(name.lower() not in _ENVELOPE and is_filled(value) for name, value in content.items())


def is_filled(value: Any) -> bool:
    """Return whether a value says anything: false for null, false, 0, blank texts, and lists and objects of these.

    Args:
        value: A decoded JSON value.
    """
    if isinstance(value, Mapping):
        return any(map(is_filled, value.values()))
    if isinstance(value, list):
        return any(map(is_filled, value))
    return bool(value.strip() if isinstance(value, str) else value)
