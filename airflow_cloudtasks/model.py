"""The normalised task. Pure: no Airflow, no I/O."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, Self

Cloud = Literal["alibaba", "tencent"]


class TaskState(StrEnum):
    """The states that every vendor's statuses are translated to."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"

    @property
    def done(self) -> bool:
        """Whether the task has ended and does not change any more."""
        return self in _DONE

    @property
    def ok(self) -> bool:
        """Whether the task has ended without a failure; a skipped task is ok."""
        return self in _OK


_OK = frozenset({TaskState.SUCCEEDED, TaskState.SKIPPED})
_DONE = _OK | {TaskState.FAILED, TaskState.CANCELED, TaskState.EXPIRED}


@dataclass(frozen=True, kw_only=True, slots=True)
class CloudTask:
    """One asynchronous task of a cloud, as every hook, sensor and operator of this package returns it.

    Attributes:
        api: The catalog's name of the API that read the task, e.g. ``ice.workflow_task``.
        cloud: ``alibaba`` or ``tencent``.
        id: The task's id at the vendor.
        name: The task's name; None if the vendor has none.
        state: The normalised state.
        status: The vendor's status, stripped; None if the answer has none.
        progress: From 0 to 1; None if the vendor reports none.
        message: The vendor's message about the task, usually why it failed.
        created_at: When the task was created, in UTC.
        started_at: When the task began to run, in UTC.
        finished_at: When the task ended, in UTC.
        request_id: The vendor's id of the call that read the task, for a support ticket.
        console_url: The task's page in the vendor's console; None if its API has none.
        detail: The vendor's task object, with JSON inside strings decoded.
    """

    api: str
    cloud: Cloud
    id: str
    name: str | None = None
    state: TaskState
    status: str | None = None
    progress: float | None = None
    message: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    request_id: str | None = None
    console_url: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether the task has ended."""
        return self.state.done

    @property
    def ok(self) -> bool:
        """Whether the task has ended without a failure."""
        return self.state.ok

    def as_dict(self) -> dict[str, Any]:
        """Return the task as plain JSON types, in the form that XCom holds.

        Returns:
            A dict with the attributes of this class plus ``done`` and ``ok``; times are ISO 8601
            in UTC, e.g. ``2023-01-04T02:05:17Z``.
        """
        return {
            "api": self.api,
            "cloud": self.cloud,
            "id": self.id,
            "name": self.name,
            "state": self.state.value,
            "status": self.status,
            "done": self.done,
            "ok": self.ok,
            "progress": self.progress,
            "message": self.message,
            "created_at": _iso(self.created_at),
            "started_at": _iso(self.started_at),
            "finished_at": _iso(self.finished_at),
            "request_id": self.request_id,
            "console_url": self.console_url,
            "detail": self.detail,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a task from the result of :meth:`as_dict`.

        Args:
            data: What :meth:`as_dict` returned.

        Raises:
            KeyError: ``data`` lacks an attribute.
        """
        values = {attribute.name: data[attribute.name] for attribute in dataclasses.fields(cls)}
        values["state"] = TaskState(values["state"])
        for name in ("created_at", "started_at", "finished_at"):
            values[name] = values[name] and datetime.fromisoformat(values[name])
        return cls(**values)

    def __str__(self) -> str:
        """Return one line for a log: the task, its state, the vendor's status, the progress and the message."""
        parts = [f"{self.api} {self.id}"]
        if self.name:
            parts.append(f"({self.name})")
        parts.append(f"is {self.state}")
        if self.status is not None:
            # A control character in a status is shown as its escape sequence.
            parts.append("[" + "".join(each if each.isprintable() else repr(each)[1:-1] for each in self.status) + "]")
        if self.progress is not None:
            parts.append(f"{self.progress:.0%}")
        if self.message:
            parts.append(f"- {self.message}")
        return " ".join(parts)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
