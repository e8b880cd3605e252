"""Measures how soon ends of ICE tasks are noticed by messages of a queue, what it costs, and what ill queues do.

The emulator runs in a process of its own, on loopback, and answers after 20 to 100 ms. The waits are the package's
triggers in one event loop of this process. Every tenth task fails. A task ends when its message is sent, so that
"noticed after" is the time from the message to the event of the trigger.

1. ``plain``: 2,000 waits with a ``poke_interval`` of 300 seconds on tasks that end within two minutes. ``hurt``: the
   same, while 10% of the messages are lost, 10% come twice and 10% are garbage. The requests are those of five minutes:
   to the queue, and to ICE beside one read of each task. The account allows 50 requests a second.
2. 600 waits with a ``poke_interval`` of 20 seconds on tasks that end within three minutes. In the middle minute, the
   queue is in trouble: ``killed`` (its connections are cut), ``silent`` (it does not answer), ``frozen`` (it is empty
   whatever is sent), or ``lying`` (its messages are about tasks that run). Beside them ``healthy``, and ``none``: no
   queue.

Exits with 1, and names the limit, if one is broken: all waits are right. ``plain``: 95% are noticed within a second,
by at most one request a second to the queue in the mean. In trouble, ends are noticed within 80 seconds, which
is what slow polls and the discovery of the trouble take, and 95% within two seconds from half a minute after it.

Set-up (in a separate virtual environment; Python 3.11 or newer)::

    pip install -e '.[emulator]'
    python benchmarks/doorbells.py                     # 35 minutes
    python benchmarks/doorbells.py --only plain        # 5 minutes
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

API, QUEUE = "ice.workflow_task", "ice-callback-airflow"
MANY = ("plain", "hurt")
TROUBLES = ("none", "healthy", "killed", "silent", "frozen", "lying")
FIRST_END = 30.0
IN_TROUBLE = (90.0, 150.0)
HEALED_AFTER = 30.0
LONGEST = 80.0
RATE = 50
HURT = {"lost": 0.1, "doubled": 0.1, "garbled": 0.1}


@dataclass
class Case:
    """One run.

    Args:
        name: Its name.
        waits: The number of waits.
        poke: Seconds between two polls.
        ends: First and last second at which tasks end, after the waits have begun.
        seconds: Seconds for which requests are counted.
        rung: Whether the connection has a queue.
        settings: Settings of the queue.
    """

    name: str
    waits: int
    poke: float
    ends: tuple[float, float]
    seconds: float
    rung: bool = True
    settings: dict[str, Any] = field(default_factory=dict)

    def end_of(self, number: int) -> float:
        first, last = self.ends
        return first + (last - first) * number / self.waits


@dataclass
class Seen:
    """What a run has shown: when each end was noticed, in seconds after it, by the task's number, and the requests."""

    lags: dict[int, float]
    wrong: int
    requests: dict[str, int]
    read_once: int
    seconds: float

    @property
    def to_queue(self) -> float:
        """Requests a second to the queue."""
        return sum(total for api, total in self.requests.items() if api.startswith("smq.")) / self.seconds

    @property
    def polls(self) -> float:
        """Requests a second to ICE beside one read of each task that ended."""
        to_ice = sum(total for api, total in self.requests.items() if api.startswith("ice."))
        return (to_ice - self.read_once) / self.seconds

    def lags_between(self, case: Case, first: float, last: float) -> list[float]:
        return [lag for number, lag in self.lags.items() if first <= case.end_of(number) < last]


class Control:
    """The emulator's control plane."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, path: str, body: Any = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_control/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def main() -> int:
    options = _options()
    broken: list[str] = []
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as home, _emulator() as control:
        os.environ |= {"AIRFLOW_HOME": home, "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING"}
        for name in options.only:
            case = _case(name, options)
            seen = asyncio.run(_Run(case, control).measure())
            results[name] = _print(case, seen)
            broken += _broken(case, seen)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)
    print(*broken, sep="\n", file=sys.stderr)
    return bool(broken)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    every = (*MANY, *TROUBLES)
    parser.add_argument("--only", nargs="+", choices=every, default=every, help="these cases only")
    parser.add_argument("--waits", type=int, default=2000, help="part 1: how many (%(default)s)")
    parser.add_argument("--spread", type=float, default=120.0, help="part 1: seconds in which tasks end (%(default)g)")
    parser.add_argument("--seconds", type=float, default=300.0, help="part 1: seconds of a run (%(default)g)")
    parser.add_argument("--poke", type=float, default=300.0, help="part 1: seconds between two polls (%(default)g)")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    return parser.parse_args()


def _case(name: str, options: argparse.Namespace) -> Case:
    if name in MANY:
        ends = (FIRST_END, FIRST_END + options.spread)
        # Messages that were lost are made up for by the polls.
        seconds = options.seconds if name == "plain" else FIRST_END + options.spread + options.poke + 60
        settings = HURT if name == "hurt" else {}
        return Case(name, options.waits, options.poke, ends, seconds, settings=settings)
    return Case(name, 600, 20.0, (FIRST_END, 210.0), 280.0, rung=name != "none")


@contextmanager
def _emulator() -> Iterator[Control]:
    command = [sys.executable, "-m", "airflow_cloudtasks.emulator", "--port", "0", "--latency", "0.02", "0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert found is not None
        try:
            yield Control(found[0])
        finally:
            process.terminate()


class _Run:
    """The waits of one case."""

    def __init__(self, case: Case, control: Control) -> None:
        self._case = case
        self._control = control
        self._lags: dict[int, float] = {}
        self._wrong = 0
        self._began = 0.0

    async def measure(self) -> Seen:
        case = self._case
        await asyncio.to_thread(self._prepare)
        waits = [asyncio.create_task(self._wait(number)) for number in range(case.waits)]
        # It keeps the dispatcher alive until the end.
        staying = asyncio.create_task(self._fired("stays"))
        trouble = asyncio.create_task(self._trouble())
        await asyncio.sleep(max(self._began + case.seconds - time.time(), 0))
        requests = await asyncio.to_thread(self._requests)
        unfinished = sum(not wait.done() for wait in waits)
        for task in (*waits, staying, trouble):
            task.cancel()
        await asyncio.gather(*waits, staying, trouble, return_exceptions=True)
        return Seen(self._lags, self._wrong + unfinished, requests, len(self._lags), case.seconds)

    def _prepare(self) -> None:
        case, control = self._case, self._control
        control("reset", {})
        control("latency", {"seconds": [0.02, 0.1]})
        control("limits", {"requests_per_second": RATE})
        control("queues", {"name": QUEUE, **case.settings})
        control("event_callback", {"queue": QUEUE})
        extra: dict[str, Any] = {"region": "cn-shanghai", "requests_per_second": RATE}
        extra |= {"notify_queue": QUEUE} if case.rung else {}
        os.environ["AIRFLOW_CONN_ALIBABA_DEFAULT"] = json.dumps(
            {
                "conn_type": "cloudtasks_alibaba",
                "login": "emulator-id",
                "password": "emulator-secret",
                "host": control.url,
                "extra": extra,
            }
        )
        control("tasks", {"api": API, "id": "stays", "script": [["Processing", 10_000], "Succeed"]})
        tasks = [
            {"api": API, "id": f"task-{number}", "script": [["Processing", case.end_of(number)], _status(number)]}
            for number in range(case.waits)
        ]
        for task in control("tasks", tasks)["tasks"]:
            self._began = self._began or task["created_at"]
        print(f"{time.strftime('%H:%M:%S')} {case.name}: {case.waits:,} waits", file=sys.stderr)

    async def _wait(self, number: int) -> None:
        event = await self._fired(f"task-{number}")
        self._lags[number] = time.time() - self._began - self._case.end_of(number)
        state = "failed" if _status(number) == "Failed" else "succeeded"
        self._wrong += event["task"]["state"] != state

    async def _fired(self, task_id: str) -> Any:
        from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger

        trigger = CloudTaskTrigger(
            api=API, cloud_task_id=task_id, poke_interval=self._case.poke, deadline=time.time() + 10_000
        )
        async for event in trigger.run():
            return event.payload
        raise AssertionError("the trigger fired no event")

    async def _trouble(self) -> None:
        """Make the trouble of the case, and end it."""
        name = self._case.name
        if name in (*MANY, "none", "healthy"):
            return
        first, last = IN_TROUBLE
        await self._sleep_until(first)
        match name:
            case "killed":
                await self._do("faults", *({"kind": "reset", "api": api} for api in ("smq.receive", "smq.delete")))
            case "silent":
                await self._do("faults", {"kind": "hang", "seconds": 60, "api": "smq.receive"})
            case "frozen":
                await self._do("queues", {"name": QUEUE, "frozen": True})
            case "lying":
                await self._do("queues", {"name": QUEUE, "lost": 1.0})
                for second in range(int(last - first)):
                    await self._sleep_until(first + second)
                    lies = (json.dumps({"TaskId": f"task-{number}"}) for number in range(590 - second, 594 - second))
                    await self._do("queues/messages", *({"queue": QUEUE, "text": lie} for lie in lies))
        await self._sleep_until(last)
        await asyncio.to_thread(self._control, "faults", None, "DELETE")
        await self._do("queues", {"name": QUEUE, "frozen": False, "lost": 0.0})

    async def _do(self, path: str, *bodies: Any) -> None:
        for body in bodies:
            await asyncio.to_thread(self._control, path, body)

    async def _sleep_until(self, seconds: float) -> None:
        await asyncio.sleep(max(self._began + seconds - time.time(), 0))

    def _requests(self) -> dict[str, int]:
        return {api: totals["total"] for api, totals in self._control("requests?since=999999999")["totals"].items()}


def _status(number: int) -> str:
    return "Failed" if number % 10 == 0 else "Succeed"


def _percentile(lags: list[float], share: float) -> float:
    return sorted(lags)[min(int(len(lags) * share), len(lags) - 1)] if lags else float("nan")


def _print(case: Case, seen: Seen) -> dict[str, Any]:
    lags = list(seen.lags.values())
    figures = {
        "waits": case.waits,
        "wrong or lost": seen.wrong,
        "median": median(lags) if lags else None,
        "95%": _percentile(lags, 0.95),
        "longest": max(lags, default=None),
        "requests a second to the queue": seen.to_queue,
        "polls a second": seen.polls,
        "requests": seen.requests,
    }
    if case.name in TROUBLES:
        first, last = IN_TROUBLE
        figures["in trouble, longest"] = max(seen.lags_between(case, first, last), default=None)
        figures["healed, 95%"] = _percentile(seen.lags_between(case, last + HEALED_AFTER, 1e9), 0.95)
    print(f"{case.name}: " + ", ".join(f"{name} {_shown(value)}" for name, value in figures.items()), flush=True)
    return figures


def _shown(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _broken(case: Case, seen: Seen) -> Iterator[str]:
    """Yield a line for each limit that is broken."""
    if seen.wrong:
        yield f"{case.name}: {seen.wrong} waits are wrong or have not ended"
    if case.name == "plain":
        if (lag := _percentile(list(seen.lags.values()), 0.95)) > 1.0:
            yield f"plain: 95% are noticed within {lag:.2f} s; the limit is 1 s"
        if seen.to_queue > 1.0:
            yield f"plain: {seen.to_queue:.2f} requests a second to the queue; the limit is 1"
    if case.name in TROUBLES and case.rung:
        _, last = IN_TROUBLE
        if (lag := max(seen.lags.values(), default=0.0)) > LONGEST:
            yield f"{case.name}: an end is noticed after {lag:.1f} s; the limit is {LONGEST:g} s"
        if (lag := _percentile(seen.lags_between(case, last + HEALED_AFTER, 1e9), 0.95)) > 2.0:
            yield f"{case.name}: once healed, 95% are noticed within {lag:.2f} s; the limit is 2 s"


if __name__ == "__main__":
    sys.exit(main())
