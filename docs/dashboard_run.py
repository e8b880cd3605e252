"""The run that docs/images/dashboard.png shows: waits and starts against the emulator, for a minute.

``python docs/dashboard_run.py SECONDS`` sends its metrics where Airflow's configuration says. It is a triggerer and a
worker in one process: the triggers run in its event loop, and starts in threads.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))

from airflow_metrics import airflow_metrics  # noqa: E402 - a module of the tests

from airflow_cloudtasks.catalog import APIS  # noqa: E402
from airflow_cloudtasks.emulator import Emulator  # noqa: E402
from airflow_cloudtasks.errors import CloudTasksError  # noqa: E402
from airflow_cloudtasks.hooks.any_cloud import hook_for  # noqa: E402
from airflow_cloudtasks.starting.counted import counted  # noqa: E402
from airflow_cloudtasks.starting.starter import Starter  # noqa: E402
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger  # noqa: E402
from airflow_cloudtasks.waiting.triggerer import dispatcher  # noqa: E402

# A gauge every second in place of every minute: the run is short.
REPORT_SECONDS = 1.0
PROJECT, BOT, QUEUE = "24173", "1", "ice-callback-airflow"
# The number of waits on each API, and what identifies their tasks besides the id.
WAITS: dict[str, tuple[int, dict[str, Any]]] = {
    "wedata.workflow_run": (400, {"ProjectId": PROJECT}),
    "lke.task": (60, {"TaskType": "ExportQA", "BotBizId": BOT}),
    "ice.workflow_task": (100, {}),
}
FAILED_SHARE = 0.06
# What starts a task. The number tells starts apart, so that a look-up finds the one whose answer was lost.
STARTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "wedata.workflow_run": lambda number: {"ProjectId": PROJECT, "WorkflowId": f"w-{number}"},
    "lke.task": lambda number: {"BotBizId": BOT, "AttributeBizId": "1", "AttrName": f"n-{number}"},
}


class Forgetful:
    """The memory of a start that no retry follows."""

    def get(self) -> None:
        """Return what is stored: nothing."""

    def keep(self, value: Any) -> None:
        """Store nothing."""

    def forget(self) -> None:
        """Forget nothing."""


async def wait(emulator: Emulator, api: str, task_id: str, api_params: dict[str, Any], seconds: float) -> None:
    """Wait for a new task that runs for some seconds."""
    end = "failed" if random.random() < FAILED_SHARE else "succeeded"
    emulator.add_running(api, task_id, seconds, end, api_params or None)
    trigger = CloudTaskTrigger(
        api=api, cloud_task_id=task_id, api_params=api_params, poke_interval=4.0, deadline=time.time() + 3600
    )
    async for _ in trigger.run():
        return


def start(api: str, number: int) -> None:
    """Try once to start a task."""
    hook = hook_for(APIS[api], None, None)
    starter = Starter(hook, APIS[api], APIS[api].start(None), STARTS[api](number), Forgetful(), run=1)
    with suppress(CloudTasksError):
        counted(starter, api, hook.conn_id)


async def run(emulator: Emulator, seconds: float) -> None:
    """Begin waits over the first third of the time, with ends over all of it, and starts all the time."""
    began = time.monotonic()
    waits: list[asyncio.Task[None]] = []

    async def begin(api: str, number: int, api_params: dict[str, Any]) -> None:
        for each in range(number):
            await asyncio.sleep(seconds / 3 / number)
            left = seconds - (time.monotonic() - began)
            lasts = random.uniform(0.1, 0.85) * left
            waits.append(asyncio.create_task(wait(emulator, api, f"{api}-{each}", api_params, lasts)))

    async def begin_starts() -> None:
        for number in range(int(seconds)):
            await asyncio.to_thread(start, random.choice(list(STARTS)), number)
            if number % 6 == 5:
                emulator.fault("lost_answer", count=1, api=f"{random.choice(list(STARTS))}_start")
            if number % 16 == 8:
                emulator.fault("http_500", count=6)
            await asyncio.sleep(1)

    async def disturb() -> None:
        """Let somebody else use half of the account's allowance for a while, and then the queue show no messages."""
        await asyncio.sleep(seconds * 0.4)
        emulator.limit(10.0)
        await asyncio.sleep(seconds * 0.2)
        emulator.limit(20.0)
        emulator.queue(QUEUE, frozen=True)
        await asyncio.sleep(seconds * 0.2)
        emulator.queue(QUEUE, frozen=False)

    await asyncio.gather(*(begin(api, *many) for api, many in WAITS.items()), begin_starts(), disturb())
    await asyncio.wait(waits, timeout=seconds)


def main() -> None:
    """Run for so many seconds."""
    random.seed(7)
    dispatcher._REPORT_SECONDS = REPORT_SECONDS
    with Emulator() as emulator:
        connections = emulator.connections()
        alibaba = json.loads(connections["AIRFLOW_CONN_ALIBABA_DEFAULT"])
        alibaba["extra"]["notify_queue"] = QUEUE
        os.environ |= connections | {"AIRFLOW_CONN_ALIBABA_DEFAULT": json.dumps(alibaba)}
        emulator.queue(QUEUE)
        emulator.event_callback(QUEUE)
        emulator.latency((0.02, 0.1))
        emulator.limit(20.0)
        with airflow_metrics("triggerer", "statsd"), airflow_metrics("worker", "statsd"):
            asyncio.run(run(emulator, float(sys.argv[1])))


if __name__ == "__main__":
    main()
