"""What happens at the clouds: the emulator's tasks, how each of them ends, and the record of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_cloudtasks.emulator import Emulator
from chaotic.cases import STARTABLE, WAITABLE, Case


@dataclass
class Remote:
    """A cloud task: the case that it belongs to, its id, its times in Unix seconds, and how it ended."""

    case: Case
    id: str
    started_at: float
    ends_at: float
    end: str
    ended_at: float | None = None
    is_canceled: bool = False

    def __str__(self) -> str:
        ended = "never" if self.ended_at is None else f"{self.ended_at - self.started_at:.1f} s later"
        how = "canceled" if self.is_canceled else self.end
        return f"{self.case.api} {self.id} started at {clock(self.started_at)}, {how}: {ended}"


class Clouds:
    """Ends the emulator's tasks at their times.

    Args:
        emulator: The emulator.
        cases: The cases.

    Attributes:
        remotes: The cloud tasks by API and id.
        outcomes: How many requests had which outcome: ``ok``, a vendor's error code, or a fault.
    """

    def __init__(self, emulator: Emulator, cases: Sequence[Case]) -> None:
        self._emulator = emulator
        self._by_mark = {case.mark: case for case in cases if case.starts}
        self._waited_for = [case for case in cases if not case.starts]
        self.remotes: dict[tuple[str, str], Remote] = {}
        self.outcomes: Counter[str] = Counter()
        self._last_request = 0

    def prepare(self) -> None:
        """Add the tasks that are waited for, and let those that are started run until they are ended."""
        for startable in STARTABLE:
            self._emulator.next_running(startable.api, for_all=True)
        now = time.time()
        for case in self._waited_for:
            self._emulator.add_running(case.api, case.mark, fields=dict(WAITABLE[case.api]))
            end = "failed" if case.failures else "succeeded"
            self._keep(Remote(case, case.mark, now, now + case.seconds, end))

    def step(self) -> None:
        """Record new requests, tasks and cancellations, and end the tasks whose time has come."""
        for request in self._emulator.requests(since=self._last_request):
            self.outcomes[request["outcome"]] += 1
            self._last_request = request["sequence"]
        for started in self._emulator.started():
            if (started["api"], started["id"]) not in self.remotes:
                self._take(started)
        for canceled in self._emulator.canceled():
            remote = self.remotes.get((canceled["api"], canceled["id"]))
            if canceled["ended"] and remote is not None:
                remote.ended_at, remote.is_canceled = canceled["time"], True
        now = time.time()
        for (api, id_), remote in self.remotes.items():
            if remote.ended_at is None and remote.ends_at <= now:
                self._emulator.finish(id_, remote.end, api=api)
                remote.ended_at = now

    def of(self, case: Case) -> list[Remote]:
        """Return the cloud tasks of a case, oldest first."""
        return sorted((one for one in self.remotes.values() if one.case is case), key=lambda one: one.started_at)

    def _take(self, started: dict[str, Any]) -> None:
        marks = [value for value in _values(started["parameters"]) if value in self._by_mark]
        case = self._by_mark[marks[0]]
        end = "failed" if len(self.of(case)) < case.failures else "succeeded"
        self._keep(Remote(case, started["id"], started["time"], started["time"] + case.seconds, end))

    def _keep(self, remote: Remote) -> None:
        self.remotes[remote.case.api, remote.id] = remote


def _values(data: Any) -> Iterator[str]:
    """Yield each text and number inside a JSON value, as text."""
    if isinstance(data, dict):
        for value in data.values():
            yield from _values(value)
    elif isinstance(data, list):
        for value in data:
            yield from _values(value)
    else:
        yield str(data)


def clock(moment: float) -> str:
    """Return the time of day of a moment in Unix seconds, in UTC as Airflow's logs have it."""
    return time.strftime("%H:%M:%S", time.gmtime(moment))
