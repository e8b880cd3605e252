"""What should have come of each Airflow task, and what came. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from chaotic.cases import Case
from chaotic.clouds import Remote

# Seconds in which a user's kill must have reached the cloud, the retries of a failing cloud included.
KILL_SECONDS = 90
# The times of Airflow and of the emulator's record are taken by different steps.
TOLERANCE_SECONDS = 3


@dataclass(frozen=True)
class Instance:
    """The Airflow task as it ended.

    Args:
        state: Its state; None if it has none.
        ended_at: When it ended, in Unix seconds.
        tries: How many tries it took.
        result: Its XCom.
        refused: Whether a log says that the operator refused to guess whether a start had arrived.
        unwatched: Whether the user killed it when no living triggerer had its wait.
    """

    state: str | None
    ended_at: float | None
    tries: int
    result: Any
    refused: bool = False
    unwatched: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether Airflow has ended it."""
        return self.state in ("success", "failed")


def problems(case: Case, instance: Instance, remotes: Sequence[Remote]) -> dict[str, str]:
    """Return what is wrong with a case, by kind: ``lost``, ``twice``, ``orphaned``, ``refused``, ``unwatched``.

    Args:
        case: The case.
        instance: The Airflow task.
        remotes: Its cloud tasks, oldest first.
    """
    found = {}
    if case.starts and (twice := _twice(remotes)):
        found["twice"] = twice
    if instance.refused and case.starts and case.startable.tells_nothing:
        return found | {"refused": "nothing tells whether a lost request started a task"}
    if case.is_killed and instance.state == "failed":
        kind = "unwatched" if instance.unwatched else "orphaned"
        return found | ({kind: late} if (late := _not_canceled(instance, remotes)) else {})
    if (lost := _lost(instance, remotes)) is not None:
        found["lost"] = lost
    if case.starts and (orphaned := _orphaned(instance, remotes)):
        found["orphaned"] = orphaned
    return found


def _lost(instance: Instance, remotes: Sequence[Remote]) -> str | None:
    """Return how the Airflow task's end disagrees with the cloud's; None if they agree."""
    if not instance.has_ended:
        return f"it is still {instance.state}"
    if not remotes:
        return f"it is {instance.state}, and no cloud task was ever started"
    last = remotes[-1]
    if last.ended_at is None:
        return f"it is {instance.state}, and its cloud task still runs"
    if (instance.state == "success") != (last.end == "succeeded" and not last.is_canceled):
        return f"it is {instance.state}, and its cloud task {'was canceled' if last.is_canceled else last.end}"
    result = instance.result or {}
    if instance.state == "success" and (result.get("id"), result.get("ok")) != (last.id, True):
        return f"its result is {result.get('id')!r}, ok={result.get('ok')}; expected {last.id!r}"
    return None


def _twice(remotes: Sequence[Remote]) -> str | None:
    """Return which cloud tasks were started although the one before them had not failed; None for none."""
    for earlier, later in pairwise(remotes):
        if earlier.ended_at is None or earlier.ended_at > later.started_at:
            return f"{later.id} was started while {earlier.id} ran"
        if earlier.end == "succeeded" and not earlier.is_canceled:
            return f"{later.id} was started after {earlier.id} had succeeded"
    return None


def _orphaned(instance: Instance, remotes: Sequence[Remote]) -> str | None:
    """Return which cloud tasks ran on after their Airflow task had ended; None for none."""
    if instance.ended_at is None:
        return None
    late = [
        remote.id
        for remote in remotes
        if remote.ended_at is None or remote.ended_at > instance.ended_at + TOLERANCE_SECONDS
    ]
    return f"{', '.join(late)} ran on after the Airflow task's end" if late else None


def _not_canceled(instance: Instance, remotes: Sequence[Remote]) -> str | None:
    """Return which cloud tasks went on after the user's kill; None for none."""
    late = [
        remote.id
        for remote in remotes
        if not remote.is_canceled or (remote.ended_at or 0) > (instance.ended_at or 0) + KILL_SECONDS
    ]
    return f"killed by the user, and {', '.join(late)} not canceled in {KILL_SECONDS} s" if late else None
