"""What was compared, and what deviates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from airflow_cloudtasks.spec import TaskApi

Kind = Literal["actions", "parameters", "paths", "statuses", "examples", "regions"]
KINDS: tuple[Kind, ...] = ("actions", "parameters", "paths", "statuses", "examples", "regions")


@dataclass(slots=True)
class Findings:
    """What was compared of one API, and what deviates from the vendor's definition.

    Args:
        api: The API.
        compared: The subjects by kind, each once: ``GetTask TaskId`` is a parameter.
        deviations: What is wrong, by API and subject: ``wedata.task GetTask TaskId``.
    """

    api: TaskApi
    compared: dict[Kind, set[str]] = field(default_factory=dict)
    deviations: dict[str, str] = field(default_factory=dict)

    def compare(self, kind: Kind, subject: str, problem: str | None = None) -> None:
        """Note a comparison.

        Args:
            kind: The kind of the subject.
            subject: The action and what of it was compared.
            problem: What is wrong; None for nothing.
        """
        self.compared.setdefault(kind, set()).add(subject)
        if problem is not None:
            self.deviations.setdefault(f"{self.api.name} {subject}", problem)

    def unexcused(self, exceptions: Iterable[str]) -> list[str]:
        """Return the deviations that are no exceptions, as lines.

        Args:
            exceptions: The exceptions, by API and subject. ``*`` at the end stands for any rest.
        """
        return [
            f"{subject}: {problem}"
            for subject, problem in self.deviations.items()
            if not any(fits(exception, subject) for exception in exceptions)
        ]


def fits(exception: str, subject: str) -> bool:
    """Return whether an exception is of a deviation.

    Args:
        exception: The API and the subject; ``*`` at the end stands for any rest.
        subject: The API and the subject of the deviation.
    """
    rest = exception.removesuffix("*")
    return subject == exception or (rest != exception and subject.startswith(rest))


def counts(findings: Iterable[Findings]) -> dict[str, int]:
    """Return how much was compared, by kind, and the number of APIs as ``APIs``.

    What several APIs of a service share counts once.

    Args:
        findings: The findings of each API.
    """
    each = list(findings)
    found = {"APIs": len(each)}
    for kind in KINDS:
        found[kind] = len({(one.api.service, subject) for one in each for subject in one.compared.get(kind, ())})
    return found
