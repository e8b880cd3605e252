"""A task's script: which status it shows when. A pure function of the script, its start and the time asked about."""

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
        seconds: How long it lasts; None for the last step, which lasts for ever.
        fields: What the task's object shows in this step besides.
    """

    status: str | None
    seconds: float | None = None
    fields: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a task stands in its script.

    Attributes:
        index: The step's place in the script, from 0.
        step: The step itself.
        entered_at: When the step began, in Unix seconds.
        is_last: Whether nothing comes after it.
        progress: How much of the timed part has gone by, 0 to 1.
    """

    index: int
    step: Step
    entered_at: float
    is_last: bool
    progress: float


def position(script: tuple[Step, ...], created_at: float, now: float) -> Position:
    """Find the step a task is in.

    Args:
        script: The steps; every one but the last has its seconds.
        created_at: When the script began, in Unix seconds.
        now: The time asked about, in Unix seconds; a time before the start counts as the start.

    Returns:
        The position at that time. A step holds from its first moment up to, and without, its last.
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
    """End a script before its time.

    Args:
        script: The steps.
        created_at: When the script began, in Unix seconds.
        now: When it ends, in Unix seconds.
        ending: The step it ends on.

    Returns:
        The steps so far, with the present one as long as it has lasted, and the ending.
    """
    where = position(script, created_at, now)
    return (*script[: where.index], replace(where.step, seconds=max(0.0, now - where.entered_at)), ending)


def began_at(script: tuple[Step, ...], created_at: float, now: float, waiting: frozenset[str]) -> float | None:
    """Tell when a task stopped waiting.

    Args:
        script: The steps.
        created_at: When the script began, in Unix seconds.
        now: The time asked about, in Unix seconds.
        waiting: Statuses in which a task has not begun to run.

    Returns:
        When the first step of another status began, in Unix seconds; None when none has by then.
    """
    at = created_at
    for step in script[: position(script, created_at, now).index + 1]:
        if step.status not in waiting:
            return at
        at += step.seconds or 0.0
    return None
