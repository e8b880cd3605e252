"""What can go wrong between a DAG and a cloud, as one small family. Pure: no Airflow, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from airflow_cloudtasks.model import CloudTask


class CloudTasksError(Exception):
    """The root of every error of this package."""


class Invalid(CloudTasksError, ValueError):
    """What this package was given cannot be used as it is; the text says what is wrong and how to mend it."""


class InvalidConnection(Invalid):
    """An Airflow connection cannot be used."""


class InvalidArguments(Invalid):
    """Arguments, or what templates and the output of other tasks made of them, name no task."""


class StartUnknown(CloudTasksError):
    """A start was asked for, and nobody can tell whether the task has been started; the text says what to do."""


class CloudTaskFailed(CloudTasksError):
    """A task that was waited for, or several of them, did not end well.

    Args:
        task: The task as last read; the first, if there are several.
        others: The other ones.

    Attributes:
        tasks: All of them.
    """

    def __init__(self, task: CloudTask, *others: CloudTask) -> None:
        self.tasks = (task, *others)
        told = [ending(each) for each in self.tasks]
        super().__init__("\n".join([f"{len(told)} tasks did not end well:", *told] if others else told))

    @property
    def task(self) -> CloudTask:
        """The task, or the first of them."""
        return self.tasks[0]

    def __reduce__(self) -> tuple[type[CloudTaskFailed], tuple[CloudTask, ...]]:
        """Rebuild from the tasks, not from the text: exceptions cross process borders in Airflow."""
        return type(self), self.tasks


class WaitTimedOut(CloudTasksError):
    """The time for a wait was up before its end; the text says what was last seen."""


def ending(task: CloudTask) -> str:
    """Tell how a task ended, with everything that a person needs to look it up."""
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
    """A call to a cloud's API that gave no usable answer.

    Neither the text nor any attribute carries a secret, a token or a signature.

    Args:
        message: What the vendor, or the network, said.
        code: The vendor's error code, e.g. ``RequestLimitExceeded``; for errors without one, a word of ours.
        action: The API action that was called, e.g. ``GetTask``.
        endpoint: Scheme and host that were called.
        request_id: The vendor's id of the call, for a support ticket.
        http_status: The HTTP status, where an answer came at all.
        retry_after: Seconds that the vendor asks to wait before the next try.
        unsent: Whether the request cannot have reached the cloud.

    Attributes:
        retryable: Whether the same request may succeed a moment later. Such an error never ends a wait.
        advice: What a person can do about it.
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
    ) -> None:
        self.message = message
        self.code = code
        self.action = action
        self.endpoint = endpoint
        self.request_id = request_id
        self.http_status = http_status
        self.retry_after = retry_after
        self.unsent = unsent
        super().__init__(message)

    @property
    def may_have_acted(self) -> bool:
        """Whether what the request asked for may have been done, though no answer tells so."""
        return False

    def __str__(self) -> str:
        """Tell the call, the vendor's words, where to look it up, and what to do."""
        what = ": ".join(part for part in (self.code, self.message) if part)
        where = ", ".join(
            f"{label} {value}"
            for label, value in (
                ("endpoint", self.endpoint),
                ("HTTP", self.http_status),
                ("request id", self.request_id),
            )
            if value
        )
        told = f"{self.action or 'The call'} failed: {what}"
        return " ".join(part for part in (told, where and f"({where})", self.advice) if part)

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild with every attribute: exceptions cross process borders in Airflow."""
        return _rebuild, (self.as_dict(),)

    def as_dict(self) -> dict[str, Any]:
        """Give the error as plain JSON types, for the event of a trigger; :func:`error_from_dict` reverses it."""
        told = {name: value for name, value in vars(self).items() if name != "__notes__"}
        return {"kind": type(self).__name__, **told}


class Throttled(CloudApiError):
    """The account asks more often than the API allows."""

    retryable = True


class TransientError(CloudApiError):
    """The service or the network is out of order for the moment: 5xx, a broken connection, a timeout."""

    retryable = True

    @property
    def may_have_acted(self) -> bool:
        """Whether what the request asked for may have been done: unless it was not sent, or nobody was there."""
        return not self.unsent and "Unavailable" not in self.code


class CredentialsError(CloudApiError):
    """The cloud does not accept the key, the token or the signature."""

    advice = "Check the key id and the secret of the Airflow connection, and this machine's clock."


class CredentialsExpired(CredentialsError):
    """A temporary credential is past its time."""

    advice = "The temporary token of the Airflow connection has expired; put a new one in."


class PermissionDenied(CloudApiError):
    """The key is right but may not call this action."""

    advice = "Grant the action to the key's user or role in the cloud's access management (RAM or CAM)."


class NotFound(CloudApiError):
    """The cloud knows no such task."""

    advice = "Check the task's id, its other parameters, the region and the account."


class BadRequest(CloudApiError):
    """The cloud rejects the request as it is; sending it again would not help."""


class MalformedAnswer(CloudApiError):
    """An answer that is not of the shape that its API promises.

    Args:
        message: What was found.
        api: The catalog's name of the API.
        field: Where in the answer, as a dotted path.
        **context: As for :class:`CloudApiError`.
    """

    def __init__(self, message: str, *, api: str = "", field: str = "", **context: Any) -> None:
        super().__init__(message, **{"code": "MalformedAnswer", **context})
        self.api = api
        self.field = field

    @property
    def may_have_acted(self) -> bool:
        """Whether what the request asked for may have been done: an answer came, and it does not say no."""
        return not self.unsent


class UnreadableAnswer(MalformedAnswer):
    """An answer that is no JSON at all: mostly the page of a gateway or a proxy, and gone a moment later."""

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
    """Make the error again of what :meth:`CloudApiError.as_dict` gave.

    Args:
        data: A dict as :meth:`CloudApiError.as_dict` returns it.
    """
    context = dict(data)
    kind = _KINDS[context.pop("kind")]
    return kind(context.pop("message"), **context)


def _rebuild(data: dict[str, Any]) -> CloudApiError:
    return error_from_dict(data)
