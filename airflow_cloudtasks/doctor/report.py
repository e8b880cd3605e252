"""What the doctor found, as data: sections of lines, the caller, and the policy that grants what is missing. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from airflow_cloudtasks.model import Cloud


class Outcome(StrEnum):
    """What a line says."""

    OK = "ok"
    """What was asked is well."""
    FAILED = "failed"
    """Something is wrong; the line says what, what was expected, and how to mend it."""
    UNKNOWN = "unknown"
    """It could not be asked: the service throttles or fails."""
    NOT_TRIED = "not tried"
    """It was not asked; the line says why."""
    INFO = "info"
    """A fact without a judgement."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of the report.

    Args:
        name: What was looked at, e.g. ``DNS``.
        outcome: What came out.
        text: What was found, or why it was not tried.
        expected: What was expected instead; None unless something is wrong.
        mend: How to mend it; None unless something is wrong.
        milliseconds: How long the question took; None if none was asked.
        permission: The permission that the line is about, e.g. ``wedata:GetTask``; None for none.
    """

    name: str
    outcome: Outcome
    text: str
    expected: str | None = None
    mend: str | None = None
    milliseconds: float | None = None
    permission: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """Lines about one matter.

    Args:
        kind: ``connection``, ``network``, ``clock``, ``caller`` or ``permissions``.
        title: The matter, for people.
        lines: The lines.
    """

    kind: str
    title: str
    lines: Sequence[Line]


@dataclass(frozen=True, kw_only=True, slots=True)
class MissingPolicy:
    """The smallest policy that grants what is missing.

    Args:
        attach_to: Whom to attach it to.
        document: The policy, in the cloud's policy language.
    """

    attach_to: str
    document: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Everything that the doctor found.

    Args:
        conn_id: The id of the Airflow connection.
        cloud: The cloud; None if there is no such connection.
        sections: The sections, in the order in which they were looked at.
        policies: The policies that grant what is missing.
    """

    conn_id: str
    cloud: Cloud | None
    sections: Sequence[Section]
    policies: Sequence[MissingPolicy] = field(default_factory=tuple)

    @property
    def lines(self) -> Iterator[Line]:
        """All lines, in order."""
        return (line for section in self.sections for line in section.lines)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, and every question had an answer."""
        return not any(line.outcome in (Outcome.FAILED, Outcome.UNKNOWN) for line in self.lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types, as ``--json`` prints it."""
        return {
            "conn_id": self.conn_id,
            "cloud": self.cloud,
            "ok": self.ok,
            "sections": [
                {
                    "kind": section.kind,
                    "title": section.title,
                    "lines": [{**asdict(line), "outcome": line.outcome.value} for line in section.lines],
                }
                for section in self.sections
            ],
            "policies": [asdict(policy) for policy in self.policies],
        }


def not_tried(name: str, because: str, permission: str | None = None) -> Line:
    """Return the line of something that was not tried.

    Args:
        name: What was not looked at.
        because: Why, as the rest of a sentence.
        permission: The permission that the line is about.
    """
    return Line(name=name, outcome=Outcome.NOT_TRIED, text=because, permission=permission)
