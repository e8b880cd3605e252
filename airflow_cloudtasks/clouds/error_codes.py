"""Sort the vendors' error codes: throttles, failures that pass, and final errors. Pure data and a look-up.

Sources: Tencent Cloud API 3.0, common error codes, and the lists of all products in the vendor's package
tencentcloud-sdk-python 3.1.195 (``errorcodes.py``, 12,388 codes). Alibaba Cloud's list of common error codes, the lists
of DataWorks, ApsaraVideo VOD, IVPD and ECS on help.aliyun.com, and the codes that the vendor's Terraform provider
retries. ``tests/unit/vendor_error_codes.tsv`` has the codes that a pattern here decides, and those that it must leave
alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from airflow_cloudtasks.errors import (
    BadRequest,
    CloudApiError,
    CredentialsError,
    CredentialsExpired,
    NotFound,
    PermissionDenied,
    Throttled,
    TransientError,
)

ErrorTable = Iterable[tuple[type[CloudApiError], tuple[str, ...]]]
"""Error classes, each with patterns of vendor codes; the first match counts."""

_HTTP_REQUEST_TIMEOUT = 408
_HTTP_TOO_MANY_REQUESTS = 429
_HTTP_SERVER_ERROR = 500

# Both vendors' products invent codes in any of their categories, e.g. InvalidParameter.ServiceIsBusy. So the words of a
# code decide, not its category. Codes of quotas do not match: a quota is used up until somebody raises it.
_RETRYABLE: ErrorTable = (
    (
        Throttled,
        (
            *("*RequestLimitExceeded", "RequestLimitExceeded*", "*RequestLimitExceeded30S", "*RequestLimitExceeded1H"),
            *("*RateLimitExceeded", "LimitExceeded.*Rate*", "*FrequencyLimit*", "*FreqLimit*", "*FreqOverLimit"),
            *("*FreqCtrl", "*OverFrequency", "*RestrictedFrequency", "*TooFrequent*", "*TooOften", "*TooQuickly"),
            *("*TooManyRequests*", "*QpsLimit*", "*SlowDown", "FlowControl*", "*.FlowControl*"),
            *("*ConcurrencyLimit*", "LimitExceeded.Concurrent", "*.RestrictedConcurrency", "*.TaskConcurrency"),
        ),
    ),
    (
        TransientError,
        (
            *("*Busy*", "*BUSY*", "*Overload*", "*OverLoad*", "*TryLater", "*OperateLater", "*NeedRetry"),
            *("*Service*Unavailable*", "*Service*UnAvailable*", "*DependencyUnavailable", "*.TemporaryError"),
            # An earlier request with the same client token is still being carried out.
            *("*LastTokenProcessing", "*IdempotentProcessing", "*IdempotenceProcessing"),
            *("RequestTimeout*", "*.RequestTime[oO]ut*", "*.ServiceTimeout", "FailedOperation.Time[oO]ut*"),
            *("FailedOperation.ConnectionTimeOut*", "FailedOperation.*InternalError", "FailedOperation.*ServerError"),
            *("InternalError*", "InternalServerError*"),
        ),
    ),
)

_TENCENT: ErrorTable = (
    *_RETRYABLE,
    # Only the vendor's texts of these codes say that they are limits of a frequency.
    (
        Throttled,
        (
            *("LimitExceeded.AccessLimit", "LimitExceeded.ActionLimited", "LimitExceeded.IndexOperating"),
            *("LimitExceeded.KeyFreqCnt", "LimitExceeded.LimitedAccess", "LimitExceeded.OrderLimitError"),
            *("LimitExceeded.RequestLimit", "LimitExceeded.Search", "LimitExceeded.TagQuotaLimitExceeded"),
            *("InvalidParameter.OverLimit", "InvalidParameter.ActionInProgress", "OperationDenied.OutQueryLimit"),
        ),
    ),
    (TransientError, ("ResourceUnavailable*",)),
    (CredentialsExpired, ("AuthFailure.TokenFailure",)),
    (PermissionDenied, ("UnauthorizedOperation*", "AuthFailure.UnauthorizedOperation")),
    (CredentialsError, ("AuthFailure*",)),
    (NotFound, ("ResourceNotFound*",)),
)

_ALIBABA: ErrorTable = (
    (Throttled, ("Throttling*", "*.Throttling*")),
    *_RETRYABLE,
    # SignatureNonceUsed: the network delivered one request twice. The next try has a new nonce.
    (TransientError, ("SignatureNonceUsed",)),
    (CredentialsExpired, ("ExpiredToken*", "InvalidSecurityToken.Expired")),
    (
        CredentialsError,
        (
            "InvalidAccessKey*",
            "InvalidSecurityToken*",
            "SignatureDoesNotMatch*",
            "IncompleteSignature*",
            "MissingAccessKeyId*",
            "MissingSecurityToken*",
            "IllegalTimestamp*",
            "InvalidTimeStamp*",
            # Of SMQ, for a wrong clock, with HTTP 408.
            "TimeExpired",
        ),
    ),
    (PermissionDenied, ("NoPermission*", "Forbidden*", "Unauthorized*", "*.NoPermission*")),
    (BadRequest, ("InvalidAction*", "InvalidVersion*", "UnsupportedHTTPMethod*")),
    (NotFound, ("*NotFound*", "*NotExist*")),
)
# For Alibaba Cloud's codes that are not in its table. Tencent Cloud answers refusals with HTTP 200.
_ALIBABA_BY_STATUS = {401: CredentialsError, 403: PermissionDenied, 404: NotFound}


def tencent_kind(code: str, http_status: int = 200) -> type[CloudApiError]:
    """Return the class of an error of Tencent Cloud.

    Args:
        code: The vendor's code.
        http_status: The HTTP status; it decides if the code is not known.
    """
    return _by_code(_TENCENT, code) or kind_of_status(http_status) or BadRequest


def alibaba_kind(code: str, http_status: int) -> type[CloudApiError]:
    """Return the class of an error of Alibaba Cloud.

    Args:
        code: The vendor's code.
        http_status: The HTTP status; it decides if the code is not known.
    """
    by_code = _by_code(_ALIBABA, code)
    return by_code or kind_of_status(http_status) or _ALIBABA_BY_STATUS.get(http_status, BadRequest)


def kind_of_status(http_status: int) -> type[CloudApiError] | None:
    """Return the class of an error that only the HTTP status tells of; None if a later try has the same result.

    Args:
        http_status: The HTTP status.
    """
    if http_status == _HTTP_TOO_MANY_REQUESTS:
        return Throttled
    is_temporary = http_status == _HTTP_REQUEST_TIMEOUT or http_status >= _HTTP_SERVER_ERROR
    return TransientError if is_temporary else None


def _by_code(table: ErrorTable, code: str) -> type[CloudApiError] | None:
    return next((kind for kind, patterns in table if any(fnmatchcase(code, each) for each in patterns)), None)
