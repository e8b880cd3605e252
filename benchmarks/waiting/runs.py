"""Runs one side, in one or two processes, against a server, and returns its records."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from waiting.servers import BENCHMARKS, Server, World
from waiting.sides import SIDES, Side
from waiting.triggerer import WARM_UP

# The ids of a process begin at its number times this, so that the server's record shows which process asked.
PER_PROCESS = 1_000_000
_EVERY_TENTH = 10


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The settings of a run.

    Args:
        side: Name of the side, a key of ``SIDES``.
        waits: Number of waits in each process.
        processes: Number of processes.
        poke: Seconds between two polls.
        ends: First and last second after the start at which tasks end, spread evenly.
        seconds: Seconds after which the remaining waits are cut off.
        start_over: Seconds over which the starts of waits are spread.
        rate: Requests per second that the server admits.
        latency: Shortest and longest delay of an answer in seconds, like that of a distant server.
    """

    side: str
    waits: int
    processes: int = 1
    poke: float
    ends: tuple[float, float]
    seconds: float
    start_over: float = 0.0
    rate: float
    latency: tuple[float, float]


@dataclass(frozen=True)
class Seen:
    """The records of a run.

    Args:
        plan: The settings of the run.
        processes: The measurements of each process.
        tasks: When each task ended in Unix seconds, and whether it succeeded, by id.
        totals: The server's counts ``total`` and ``refused`` for each action.
        requests: The server's record of each request, if it keeps one.
    """

    plan: Plan
    processes: list[dict[str, Any]]
    tasks: dict[int, tuple[float, bool]]
    totals: dict[str, dict[str, int]]
    requests: list[dict[str, Any]]


def run(plan: Plan, world: World, on_start: Callable[[], object] = lambda: None) -> Seen:
    """Run the plan and return its records; start the processes first, so that loading Airflow does not count.

    Args:
        plan: The plan.
        world: The servers.
        on_start: Called when the tasks have been made.
    """
    side = SIDES[plan.side]
    server = world.servers[side.server]
    print(f"{time.strftime('%H:%M:%S')} {side.title}: {plan.processes} x {plan.waits} waits", file=sys.stderr)
    server.control("limits", "POST", {"requests_per_second": None})
    server.control("latency", "POST", {"seconds": plan.latency})
    server.control("tasks", "POST", [side.task(WARM_UP, 0.001, True)])
    command = [sys.executable, "-m", "waiting.triggerer", plan.side, str(plan.poke)]
    with ExitStack() as started:
        processes = [
            started.enter_context(
                subprocess.Popen(
                    command,
                    cwd=BENCHMARKS,
                    env=world.environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(plan.processes)
        ]
        for process in processes:
            started.callback(process.kill)
            if process.stdout.readline() != "ready\n":
                raise SystemExit(f"{' '.join(command)} did not get ready")
        server.control("requests", "DELETE")
        server.control("limits", "POST", {"requests_per_second": plan.rate})
        made = server.control("tasks", "POST", _scripts(plan, side))["tasks"]
        on_start()
        for number, process in enumerate(processes, 1):
            ids = [int(task["id"]) for task in made if int(task["id"]) // PER_PROCESS == number]
            process.stdin.write(json.dumps({"ids": ids, "seconds": plan.seconds, "start_over": plan.start_over}) + "\n")
            process.stdin.flush()
        results = [json.loads(process.stdout.readline()) for process in processes]
    tasks = {
        int(task["id"]): (
            task["created_at"] + sum(step["seconds"] for step in task["script"][:-1]),
            _succeeds(task["id"]),
        )
        for task in made
    }
    return Seen(plan, results, tasks, **_record(server, side))


def _record(server: Server, side: Side) -> dict[str, Any]:
    record = server.control("requests")
    # A service may have several actions, such as a list, each with its own allowance.
    service = side.api.partition(".")[0]
    totals = {api: counts for api, counts in record["totals"].items() if api.partition(".")[0] == service}
    requests = [request for request in record.get("requests", []) if request["api"] in totals]
    return {"totals": totals, "requests": requests}


def _scripts(plan: Plan, side: Side) -> list[dict[str, Any]]:
    """Return the tasks of all processes in an order that is unrelated to their ends."""
    first, last = plan.ends
    scripts = []
    for process in range(1, plan.processes + 1):
        moments = [first + (last - first) * (number + 0.5) / plan.waits for number in range(plan.waits)]
        random.Random(process).shuffle(moments)
        ids = range(PER_PROCESS * process, PER_PROCESS * process + plan.waits)
        scripts += [
            side.task(task_id, seconds, _succeeds(task_id)) for task_id, seconds in zip(ids, moments, strict=True)
        ]
    return scripts


def _succeeds(task_id: int | str) -> bool:
    return int(task_id) % _EVERY_TENTH != 0
