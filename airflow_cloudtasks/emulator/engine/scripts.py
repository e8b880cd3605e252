"""A task's script: which status it has when. A pure function of the script, its start and the time asked about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject


@dataclass(frozen=True, slots=True)
class Step:
    """One status of a task's life.

    Attributes:
        status: The vendor's word for it; None where the vendor may answer null (Tencent LKE).
        seconds: How long it lasts; None for the last step, which never ends.
        fields: Fields of the task's object that this step sets.
    """

    status: str | None
    seconds: float | None = None
    fields: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Position:
    """The step that a task is in at some time.

    Attributes:
        index: The step's index in the script.
        step: The step itself.
        entered_at: When the step began, in Unix seconds.
        is_last: Whether no step follows.
        progress: The elapsed share of the timed steps, 0 to 1.
    """

    index: int
    step: Step
    entered_at: float
    is_last: bool
    progress: float


def position(script: tuple[Step, ...], created_at: float, now: float) -> Position:
    """Return the step that a script is in at ``now``; a time before the start counts as the start.

    A step includes its first moment and excludes its last.
    """
    entered_at = created_at
    for index, step in enumerate(script[:-1]):
        left_at = entered_at + (step.seconds or 0.0)
        if now < left_at:
            total = sum(timed.seconds or 0.0 for timed in script[:-1])
            elapsed = max(0.0, now - created_at)
            return Position(index, step, entered_at, is_last=False, progress=elapsed / total)
        entered_at = left_at
    return Position(len(script) - 1, script[-1], entered_at, is_last=True, progress=1.0)


def cut(script: tuple[Step, ...], created_at: float, now: float, ending: Step) -> tuple[Step, ...]:
    """Return the script with its present step cut at ``now``, followed by ``ending``."""
    where = position(script, created_at, now)
    return (*script[: where.index], replace(where.step, seconds=max(0.0, now - where.entered_at)), ending)


def began_at(script: tuple[Step, ...], created_at: float, now: float, waiting: frozenset[str]) -> float | None:
    """Return when the first step began whose status is not in ``waiting``, or None if none has begun by ``now``."""
    at = created_at
    for step in script[: position(script, created_at, now).index + 1]:
        if step.status not in waiting:
            return at
        at += step.seconds or 0.0
    return None
