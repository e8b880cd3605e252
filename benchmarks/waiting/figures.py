"""Computes figures from the records of a run. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import Any

from waiting.runs import PER_PROCESS, Seen

# Seconds until shares count: a gate begins slowly, to find out what others leave of the allowance.
SETTLING = 15.0


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of one run.

    Args:
        waits: Number of waits.
        right: Waits that reported how their task ended, and not before it ended.
        wrong: Waits that reported anything else.
        failed: Waits that failed themselves.
        unfinished: Waits that were cut off.
        why: Errors of the failed waits with their counts, the most frequent first.
        requests: Number of requests sent.
        refused: Number of requests that the server refused.
        noticed: Seconds from the end of a task to its event: median, 95th percentile, longest; of the right waits.
        cpu: CPU seconds of the process per second.
        stalls: The longest stalls of the event loop, the longest first: seconds, the part of them in which the thread
            ran (in the rest it had no processor), the part in which Python collected garbage, and seconds since the
            start.
        memory_peak: Most memory that the process held, in bytes.
    """

    waits: int
    right: int
    wrong: int
    failed: int
    unfinished: int
    why: list[tuple[str, int]]
    requests: int
    refused: int
    noticed: tuple[float, float, float] | None
    cpu: float
    stalls: list[tuple[float, float, float, float]]
    memory_peak: int

    @property
    def stall(self) -> float:
        return self.stalls[0][0]

    @property
    def own_stall(self) -> float:
        return max(seconds - collecting for seconds, _, collecting, _ in self.stalls)

    @property
    def refused_share(self) -> float:
        return self.refused / self.requests if self.requests else 0.0


def figures(seen: Seen) -> Figures:
    """Return the figures of a run."""
    events = [event for process in seen.processes for event in process["events"]]
    reported = [event for event in events if event["outcome"]]
    late = {event["id"]: event["at"] - seen.tasks[event["id"]][0] for event in reported}
    right = [late[event["id"]] for event in reported if _is_right(event, seen, late)]
    cancelled = seen.plan.processes * seen.plan.waits - len(events)
    stalls = [
        (seconds, worked, collecting, at - process["began"])
        for process in seen.processes
        for seconds, worked, collecting, at in process["stalls"]
    ]
    return Figures(
        waits=seen.plan.processes * seen.plan.waits,
        right=len(right),
        wrong=len(reported) - len(right),
        failed=len(events) - len(reported),
        unfinished=cancelled,
        # Ignore ids and the like, which differ between waits with the same error.
        why=Counter(_without_digits(event["why"]) for event in events if not event["outcome"]).most_common(3),
        requests=sum(counts["total"] for counts in seen.totals.values()),
        refused=sum(counts["refused"] for counts in seen.totals.values()),
        noticed=(median(right), percentile(right, 0.95), max(right)) if right else None,
        cpu=sum(process["cpu"] / (process["ended"] - process["began"]) for process in seen.processes),
        stalls=sorted(stalls, reverse=True),
        memory_peak=max(process["memory_peak"] for process in seen.processes),
    )


def percentile(values: list[float], share: float) -> float:
    """Return the smallest value that this share of the values does not exceed."""
    return sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]


def steady_cpu(seen: Seen) -> tuple[float, float]:
    """Return the CPU seconds per second, first while nothing ends, then until the last event.

    Both begin two poll intervals after the last wait has started.
    """
    process = seen.processes[0]
    begin = process["started"] + 2 * seen.plan.poke
    first_end = min(ended_at for ended_at, _ in seen.tasks.values())
    last = max((event["at"] for event in process["events"]), default=process["ended"])
    return _cpu_between(process["samples"], begin, first_end), _cpu_between(process["samples"], begin, last)


def memory_of_a_wait(seen: Seen) -> float:
    """Return how many bytes more than before the process holds for each wait, just before the first wait ends."""
    process = seen.processes[0]
    first_end = min(ended_at for ended_at, _ in seen.tasks.values())
    held = [memory for at, _, memory in process["samples"] if at < min(first_end, process["cut_off"])][-1]
    return float(held - process["memory_before"]) / seen.plan.waits


def shares(seen: Seen) -> list[float]:
    """Return the share of the allowance that each process got after settling.

    The ids of the requested tasks show which process sent a request.
    """
    begin = max(process["began"] for process in seen.processes) + SETTLING
    end = min(process["ended"] for process in seen.processes)
    admitted = Counter(
        int(request["parameters"]["TaskId"]) // PER_PROCESS
        for request in seen.requests
        if request["outcome"] == "ok" and begin <= request["time"] < end
    )
    return [admitted[number] / (end - begin) / seen.plan.rate for number in range(1, seen.plan.processes + 1)]


def _is_right(event: dict[str, Any], seen: Seen, late: dict[int, float]) -> bool:
    expected = "success" if seen.tasks[event["id"]][1] else "failure"
    return bool(event["outcome"] == expected and late[event["id"]] >= 0)


def _cpu_between(samples: list[tuple[float, float, int]], begin: float, end: float) -> float:
    between = [(at, cpu) for at, cpu, _ in samples if begin <= at <= end]
    if len(between) < 2:
        return float("nan")
    return (between[-1][1] - between[0][1]) / (between[-1][0] - between[0][0])


def _without_digits(text: str) -> str:
    return "".join("#" if letter.isdigit() else letter for letter in text)[:150]
