"""What an error of a cloud means for the person who has to mend it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from airflow_cloudtasks.errors import (
    CloudApiError,
    CloudTasksError,
    CredentialsError,
    CredentialsExpired,
    PermissionDenied,
    Throttled,
    TransientError,
    UnreadableAnswer,
)

_HTTP_REDIRECT = range(300, 400)
_MOST_MESSAGE = 200
_FETCH = "Fetching credentials"
_METADATA = "metadata service"

_PREFIX = re.compile(r"^The Airflow connection( '[^']*')? cannot be used: ")
_EXPECTED = re.compile(r"(?P<found>.*?); expected (?P<expected>.*)", re.DOTALL)
_ADVICE = re.compile(
    r"(?P<found>.*?)[;:] (?P<mend>(add|copy|correct|give|install|name|put|remove|run|set|write)\b.*)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a question failed.

    Args:
        found: What was found.
        expected: What was expected instead.
        mend: How to mend it.
    """

    found: str
    expected: str
    mend: str


_TOKEN = Cause(
    "the temporary token has expired, or does not belong to the key",
    "a token that is valid now",
    "put a new key id, secret and token into the connection, all three of one session; or choose an auth_type that "
    "fetches them",
)

_NO_CREDENTIALS = "NoCredentials"
_NOWHERE = Cause(
    "",
    "a key in one of these places",
    "put a key into one of them, or into the connection; or choose the auth_type that fits this machine",
)

# Source: the common error codes of both clouds, and the error codes of both STS.
_BY_CODE: tuple[tuple[tuple[str, ...], Cause], ...] = (
    (
        ("InvalidAccessKeyId*", "AuthFailure.SecretIdNotFound", "AuthFailure.InvalidSecretId"),
        Cause(
            "the cloud knows no key of this id",
            "the id of a key that exists and is enabled",
            "correct the key's id; the key may be deleted or disabled, or belong to the other cloud",
        ),
    ),
    (
        ("SignatureDoesNotMatch*", "AuthFailure.SignatureFailure", "IncompleteSignature*"),
        Cause(
            "the secret does not belong to the key's id",
            "the secret of this key",
            "copy the secret once more; a secret is shown only when the key is created, so a new key may be needed",
        ),
    ),
    (
        ("InvalidTimeStamp*", "IllegalTimestamp*", "AuthFailure.SignatureExpire"),
        Cause(
            "the cloud refuses the time of the request",
            "a clock that agrees with the cloud's",
            "set the clock of this machine, e.g. by NTP",
        ),
    ),
    (("InvalidSecurityToken*", "MissingSecurityToken*", "AuthFailure.TokenFailure"), _TOKEN),
    (
        ("EntityNotExist.Role*", "ResourceNotFound.RoleNotFound", "InvalidParameter.RoleNotExist"),
        Cause("the role does not exist", "the ARN of a role that exists", "correct role_arn in Extra"),
    ),
    (
        ("UnsupportedRegion*", "InvalidRegion*", "InvalidParameter.Region*"),
        Cause(
            "the product does not run in this region",
            "a region where the product runs",
            "correct the connection's Region",
        ),
    ),
    (
        ("InvalidAction*", "InvalidVersion*", "NoSuchVersion", "NoSuchProduct"),
        Cause(
            "the endpoint has no such action",
            "the product's own endpoint",
            "correct the connection's Region, Host or endpoints",
        ),
    ),
)


def cause_of(error: CloudTasksError, page: str | None = None) -> Cause:
    """Return the cause of an error, with the vendor's own code and message in it.

    Args:
        error: The error.
        page: The title of the HTML page that the endpoint answers with; None for none.
    """
    if not isinstance(error, CloudApiError):
        return of_sentence(str(error))
    if error.code == _NO_CREDENTIALS:
        return replace(_NOWHERE, found=error.message)
    cause = _by_code(error.code) or _by_kind(error, page)
    return replace(cause, found=f"{cause.found} ({evidence(error)})")


def of_sentence(sentence: str) -> Cause:
    """Return what a sentence of this package about a setting says: what is wrong, what was expected, how to mend it.

    Args:
        sentence: The text of an :class:`~airflow_cloudtasks.errors.Invalid`.
    """
    sentence = _PREFIX.sub("", sentence).removesuffix(".")
    if found := _EXPECTED.fullmatch(sentence):
        return Cause(found["found"], found["expected"], "correct the setting")
    if found := _ADVICE.fullmatch(sentence):
        return Cause(found["found"], "a setting that can be used", found["mend"])
    return Cause(sentence, "a setting that can be used", "correct the setting, or remove it")


def has_known_cause(code: str) -> bool:
    """Return whether a code alone says that the key, the clock, the region or the endpoint is wrong.

    Args:
        code: The vendor's code.
    """
    return _by_code(code) is not None


def evidence(error: CloudApiError) -> str:
    """Return the vendor's words of an error, and where to look it up.

    Args:
        error: The error.
    """
    message = error.message if len(error.message) <= _MOST_MESSAGE else f"{error.message[:_MOST_MESSAGE]}..."
    parts = (
        error.action.removeprefix(_FETCH).strip(" ()") if error.action.startswith(_FETCH) else None,
        ": ".join(filter(None, (error.code, message.strip().removesuffix(".")))),
        error.http_status and f"HTTP {error.http_status}",
        error.request_id and f"request id {error.request_id}",
    )
    return ", ".join(str(part) for part in parts if part)


def _by_code(code: str) -> Cause | None:
    return next(
        (cause for patterns, cause in _BY_CODE if any(fnmatchcase(code, pattern) for pattern in patterns)), None
    )


def _by_kind(error: CloudApiError, page: str | None) -> Cause:
    is_fetch = error.action.startswith(_FETCH)
    match error:
        case CredentialsError() | TransientError() if _METADATA in error.action:
            return Cause(
                "the metadata service of this machine gives no key",
                "a machine of this cloud with a role",
                "give the machine a role, and let it reach its metadata service; or choose another auth_type",
            )
        case CredentialsExpired():
            return _TOKEN
        case Throttled():
            return Cause(
                "the cloud throttles the account",
                "an answer",
                "ask again later; if it stays so, lower requests_per_second, or have the account's quota raised",
            )
        case UnreadableAnswer() | TransientError() if page is not None or error.http_status in _HTTP_REDIRECT:
            return Cause(
                f"a web page answers in the cloud's place{f', with the title {page}' if page else ''}",
                "a JSON answer of the cloud",
                "a captive portal, a proxy or a gateway answers: log in to the network, set the proxy that leads out, "
                "or correct the connection's Host",
            )
        case UnreadableAnswer():
            return Cause(
                "the answer is not the cloud's",
                "a JSON answer of the cloud",
                "correct the connection's Host or endpoints; check proxies and gateways on the way",
            )
        case TransientError() if error.http_status is not None:
            return Cause(
                "the service fails",
                "an answer",
                "ask again later; if it stays so, ask the vendor's support, with the id",
            )
        case TransientError():
            return Cause("no answer came", "an answer", "check the network on the way to the endpoint, as shown above")
        case PermissionDenied() if is_fetch:
            return Cause(
                "the key may not assume the role",
                "a key whose policy allows sts:AssumeRole, and a role whose trust policy names the key's owner",
                "grant sts:AssumeRole to the key's user, and let the role's trust policy name it; check external_id",
            )
        case PermissionDenied():
            is_of_projects = error.action.startswith("WeData ")
            member = "; WeData also wants the owner to be a member of the project" if is_of_projects else ""
            return Cause(
                "the key has no permission",
                "a policy that allows it",
                f"attach the policy under 'Missing permissions' to the key's owner{member}",
            )
        case CredentialsError() if is_fetch:
            return Cause(
                "the service that gives the key refuses",
                "a role and settings that it accepts",
                "correct what its message names: role_arn, another field of the connection, or the key",
            )
        case CredentialsError():
            return Cause(
                "there are no credentials that the cloud accepts",
                "a key",
                "check the key, its secret and this machine's clock",
            )
        case _:
            return Cause(
                "the cloud refuses the request",
                "an answer",
                error.advice.removesuffix(".") or "look the code up in the vendor's documentation",
            )
