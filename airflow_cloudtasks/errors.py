"""Every exception of this package. Pure: no Airflow, no I/O.

::

    CloudTasksError
    ├── Invalid (also a ValueError)
    │   ├── InvalidConnection
    │   └── InvalidArguments
    ├── StartUnknown
    ├── CloudTaskFailed
    ├── WaitTimedOut
    └── CloudApiError
        ├── Throttled              retryable
        ├── TransientError         retryable
        ├── CredentialsError
        │   └── CredentialsExpired
        ├── PermissionDenied
        ├── NotFound
        ├── BadRequest
        └── MalformedAnswer
            └── UnreadableAnswer   retryable
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from airflow_cloudtasks.model import CloudTask

# Attributes of an error that only its first receiver reads.
_NOT_KEPT = frozenset({"__notes__", "is_replaced"})


class CloudTasksError(Exception):
    """The base class of every exception of this package."""


class Invalid(CloudTasksError, ValueError):
    """An input of this package is invalid; the text says what is wrong and how to mend it."""


class InvalidConnection(Invalid):
    """An Airflow connection is invalid."""


class InvalidArguments(Invalid):
    """Arguments do not identify a task, as given or after their templates were rendered."""


class StartUnknown(CloudTasksError):
    """A start request was sent, and it is unknown whether it started a task; the text says what to do."""


class CloudTaskFailed(CloudTasksError):
    """One or more tasks ended in failed, canceled or expired.

    Args:
        task: The task as last read; the first one if there are several.
        others: The other tasks.

    Attributes:
        tasks: All tasks.
    """

    def __init__(self, task: CloudTask, *others: CloudTask) -> None:
        self.tasks = (task, *others)
        lines = [ending(each) for each in self.tasks]
        if others:
            lines.insert(0, f"{len(self.tasks)} tasks did not end well:")
        super().__init__("\n".join(lines))

    @property
    def task(self) -> CloudTask:
        """The first task."""
        return self.tasks[0]

    def __reduce__(self) -> tuple[type[CloudTaskFailed], tuple[CloudTask, ...]]:
        """Pickle the tasks, not the text: Airflow passes exceptions between processes."""
        return type(self), self.tasks


class WaitTimedOut(CloudTasksError):
    """A wait reached its timeout; the text has the last known state."""


def ending(task: CloudTask) -> str:
    """Return how a task ended, with everything that is needed to look it up.

    Args:
        task: The task as last read.
    """
    name = f" ({task.name})" if task.name else ""
    parts = [f"{task.api} {task.id}{name} ended as {task.state}, the vendor's status is {task.status!r}"]
    if task.message:
        parts.append(f"message: {task.message}")
    if task.request_id:
        parts.append(f"request id: {task.request_id}")
    if task.console_url:
        parts.append(f"console: {task.console_url}")
    return "; ".join(parts)


class CloudApiError(CloudTasksError):
    """A call of a cloud's API gave no usable answer.

    Neither the text nor any attribute holds a secret, a token or a signature.

    Args:
        message: The message of the vendor or of the network.
        code: The vendor's error code, e.g. ``RequestLimitExceeded``; for an error without one, a code of this package.
        action: The API action that was called, e.g. ``GetTask``.
        endpoint: Scheme and host that were called.
        request_id: The vendor's id of the call, for a support ticket.
        http_status: The HTTP status; None without an answer.
        retry_after: Seconds to wait before the next try, as the vendor requests it.
        unsent: Whether the request cannot have reached the cloud.
        retried: Whether the request has been retried as often as allowed, so that its caller does not retry it again
            at once.

    Attributes:
        retryable: Whether the same request may succeed soon. Such an error never ends a wait.
        advice: What the user can do about it.
    """

    retryable: ClassVar[bool] = False
    advice: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        action: str = "",
        endpoint: str = "",
        request_id: str | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
        unsent: bool = False,
        retried: bool = False,
    ) -> None:
        self.message = message
        self.code = code
        self.action = action
        self.endpoint = endpoint
        self.request_id = request_id
        self.http_status = http_status
        self.retry_after = retry_after
        self.unsent = unsent
        self.retried = retried
        super().__init__(message)

    @property
    def may_have_acted(self) -> bool:
        """Whether the cloud may have carried out the request although no answer confirms it."""
        return False

    def __str__(self) -> str:
        """Return the call, the vendor's error, where to look it up, and what to do."""
        failure = f"{self.action or 'The call'} failed: " + ": ".join(filter(None, (self.code, self.message)))
        context = ", ".join(
            f"{label} {value}"
            for label, value in (
                ("endpoint", self.endpoint),
                ("HTTP", self.http_status),
                ("request id", self.request_id),
            )
            if value
        )
        return " ".join(filter(None, (failure, context and f"({context})", self._advice())))

    def _advice(self) -> str:
        return self.advice

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle every attribute: Airflow passes exceptions between processes."""
        return _rebuild, (self.as_dict(),)

    def as_dict(self) -> dict[str, Any]:
        """Return the error as plain JSON types, for a trigger's event; :func:`error_from_dict` rebuilds it."""
        attributes = {name: value for name, value in vars(self).items() if name not in _NOT_KEPT}
        return {"kind": type(self).__name__, **attributes}


class Throttled(CloudApiError):
    """The account sends more requests than the API allows."""

    retryable = True


class TransientError(CloudApiError):
    """The service or the network fails temporarily: HTTP 5xx, a busy service, a broken connection, a timeout."""

    retryable = True

    @property
    def may_have_acted(self) -> bool:
        """True, unless the request was not sent, or the service was not available or too busy to accept it."""
        return not self.unsent and not any(word in self.code for word in ("Unavailable", "UnAvailable", "Busy"))


class CredentialsError(CloudApiError):
    """The cloud rejects the key, the token or the signature.

    Attributes:
        is_replaced: Whether another key can be used for the next request. Only a call that sends one request says so.
    """

    is_replaced = False
    advice = "Check the key id and the secret of the Airflow connection, and this machine's clock."

    def _advice(self) -> str:
        # Without a key, there is none to check. The text says where one was looked for.
        return "" if self.code == "NoCredentials" else self.advice


class CredentialsExpired(CredentialsError):
    """A temporary credential has expired."""

    advice = "The temporary token of the Airflow connection has expired; put a new one in."


class PermissionDenied(CloudApiError):
    """The key is valid but may not call this action."""

    advice = "Grant the action to the key's user or role in the cloud's access management (RAM or CAM)."


class NotFound(CloudApiError):
    """The cloud has no such task."""

    advice = "Check the task's id, its other parameters, the region and the account."


class BadRequest(CloudApiError):
    """The cloud rejects the request; sending it again does not help."""


class MalformedAnswer(CloudApiError):
    """An answer does not have the form that its API documents.

    Args:
        message: What the answer holds instead.
        api: The catalog's name of the API.
        field: The dotted path of the field in the answer.
        **context: As for :class:`CloudApiError`.
    """

    def __init__(self, message: str, *, api: str = "", field: str = "", **context: Any) -> None:
        super().__init__(message, **{"code": "MalformedAnswer", **context})
        self.api = api
        self.field = field

    @property
    def may_have_acted(self) -> bool:
        """True, unless the request was not sent: an answer came, and it does not refuse the request."""
        return not self.unsent


class UnreadableAnswer(MalformedAnswer):
    """An answer is not JSON: usually an error page of a gateway or a proxy, so that a retry succeeds."""

    retryable = True


_KINDS: dict[str, type[CloudApiError]] = {
    kind.__name__: kind
    for kind in (
        CloudApiError,
        Throttled,
        TransientError,
        CredentialsError,
        CredentialsExpired,
        PermissionDenied,
        NotFound,
        BadRequest,
        MalformedAnswer,
        UnreadableAnswer,
    )
}


def error_from_dict(data: Mapping[str, Any]) -> CloudApiError:
    """Rebuild an error from the result of :meth:`CloudApiError.as_dict`.

    Args:
        data: What :meth:`CloudApiError.as_dict` returned.
    """
    context = dict(data)
    kind = _KINDS[context.pop("kind")]
    return kind(context.pop("message"), **context)


def _rebuild(data: dict[str, Any]) -> CloudApiError:
    return error_from_dict(data)
