"""Measures how long an event loop is blocked when many waits start at once on a connection that assumes a role.

The emulator runs in its own process, over TLS, and issues real sessions. A relay delays the traffic to its STS by
``--distance``. Both clouds are measured, each in three ways:

- ``cloudtasks``: 200 :class:`CloudTaskTrigger`, rebuilt from what ``serialize()`` returned, start at once, as after a
  restart of the triggerer. Each one resolves the Airflow connection, gets credentials, and reads its task, which has
  ended.
- ``cloudtasks, cold``: the same in a process that has loaded nothing but Airflow. Imports and TLS contexts count.
- ``SDK``: coroutines share one object of the vendor's own class and call it in the event loop: Alibaba's
  ``get_credentials_async``, and Tencent's ``get_credential_info``, as Tencent offers nothing asynchronous. Tencent's
  class uses plain http, because it cannot trust the emulator's certificate. The coroutines read no task.
  Only ``--alibaba-callers`` coroutines call Alibaba's class. Every one after the first waits 5 seconds for a lock, and
  blocks the event loop that the lock's holder needs to continue. By then, the first one's request has timed out.

Every figure comes from a fresh process. Unless it is ``cold``, the process first does the same with other settings and
one wait. The stall is the longest delay of a task that wakes up every millisecond. The emulator counts the AssumeRole
calls.

Exits with 1 unless each round of ``cloudtasks`` made exactly one AssumeRole call and every wait got its answer, and the
median of the longest stalls is below ``--limit``.

Set-up (in a separate virtual environment; Python 3.11 or newer)::

    pip install -e '.[emulator]' -r benchmarks/requirements.txt
    python benchmarks/credentials.py
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
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from async_read_cpu import _certificates

ROLES = {
    "alibaba": {"auth_type": "ram_role_arn", "role_arn": "acs:ram::1234567890123456:role/adminrole"},
    "tencent": {"auth_type": "role_arn", "role_arn": "qcs::cam::uin/100015158414:roleName/readOnlyRole"},
}
# API, the parameters that identify a task besides its id, and a status that counts as success.
APIS: dict[str, tuple[str, dict[str, str], str]] = {
    "alibaba": ("ice.workflow_task", {}, "Succeed"),
    "tencent": ("wedata.task", {"ProjectId": "1"}, "Y"),
}
WAYS = ("cloudtasks", "cloudtasks, cold", "SDK")
KEY = ("emulator-id", "emulator-secret")


def main() -> int:
    options = _options()
    if options.child:
        print(json.dumps(asyncio.run(_measure(**json.loads(options.child)))))
        return 0
    found: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as directory:
        certificate, bundle = _certificates(Path(directory))
        command = [sys.executable, "-m", "airflow_cloudtasks.emulator", "--port", "0", "--tls-port", "0"]
        command += ["--tls-cert", str(certificate), "--tls-key", str(certificate)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as emulator:
            try:
                url, tls_url = re.findall(r"https?://[\d.:]+", emulator.stdout.readline() if emulator.stdout else "")
                sts, plain_sts = (_start_relay(one, options.distance / 2000) for one in (tls_url, url))
                for _ in range(options.rounds):
                    for cloud in ROLES:
                        for way in WAYS:
                            callers = options.alibaba_callers if (cloud, way) == ("alibaba", "SDK") else options.waits
                            at = plain_sts if (cloud, way) == ("tencent", "SDK") else sts
                            task = {"cloud": cloud, "way": way, "callers": callers, "url": url, "sts": at}
                            found[cloud, way].append(_in_a_process(task, directory, bundle))
            finally:
                emulator.terminate()
    return _report(found, options.limit)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds over everything (default: 5)")
    parser.add_argument("--waits", type=int, default=200, help="waits that start at once (default: 200)")
    parser.add_argument("--alibaba-callers", type=int, default=2, help="callers of Alibaba's class (default: 2)")
    parser.add_argument("--distance", type=float, default=20, help="milliseconds to STS and back (default: 20)")
    parser.add_argument("--limit", type=float, default=50, help="milliseconds of stall allowed (default: 50)")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_a_process(task: dict[str, Any], directory: str, bundle: Path) -> dict[str, float]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("ALIBABA_CLOUD_", "TENCENTCLOUD_"))
    } | {
        # Alibaba's class reads only the first variable. The environment may already set the second one.
        "SSL_CERT_FILE": str(bundle),
        "REQUESTS_CA_BUNDLE": str(bundle),
        "NO_PROXY": "127.0.0.1",
        "AIRFLOW_HOME": directory,
    }
    command = [sys.executable, __file__, "--child", json.dumps(task)]
    # Alibaba's class writes its failures to stderr.
    quiet = subprocess.DEVNULL if task["way"] == "SDK" else None
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, stderr=quiet, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def _start_relay(url: str, seconds: float) -> str:
    """Start a relay that delays traffic to this URL by some seconds in each direction; return the relay's URL."""
    parts = urlsplit(url)
    ready: list[str] = []
    started = threading.Event()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while data := await reader.read(65536):
            loop.call_later(seconds, writer.write, data)
        loop.call_later(seconds, writer.close)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", parts.port)
        await asyncio.gather(forward(reader, far_writer), forward(far_reader, writer), return_exceptions=True)

    async def serve() -> None:
        server = await asyncio.start_server(relay, "127.0.0.1", 0)
        ready.append(f"{parts.scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        started.set()
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    started.wait()
    return ready[0]


# What follows runs in the child process.


async def _measure(cloud: str, way: str, callers: int, url: str, sts: str) -> dict[str, float]:
    # Every triggerer has loaded these long before the first trigger.
    import airflow.triggers.base  # noqa: F401
    from airflow.providers.common.compat.sdk import BaseHook  # noqa: F401

    make = _sdk_callers if way == "SDK" else _waits
    if way != "cloudtasks, cold":
        await asyncio.gather(*(call() for call in make(cloud, 1, url, sts, "warming-up")))
    calls = make(cloud, callers, url, sts, "measured")
    _control(url, "requests", "DELETE")
    stalls: list[float] = []
    ticker = asyncio.ensure_future(_tick(stalls))
    await asyncio.sleep(0.1)
    stalls.clear()
    began = time.perf_counter()
    ended = await asyncio.gather(*(call() for call in calls), return_exceptions=True)
    seconds = time.perf_counter() - began
    # Let the ticker wake up once more, so that it records the last stall.
    await asyncio.sleep(0.01)
    ticker.cancel()
    totals = _control(url, "requests", "GET")["totals"]
    return {
        "callers": callers,
        "AssumeRole calls": totals["sts.assume_role"]["total"],
        "stall": max(stalls) * 1000,
        "seconds": seconds,
        "failed": sum(isinstance(end, Exception) for end in ended),
    }


async def _tick(stalls: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        stalls.append(time.perf_counter() - began - 0.001)


def _waits(cloud: str, count: int, url: str, sts: str, name: str) -> list[Callable[[], Awaitable[None]]]:
    from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger

    api, params, done = APIS[cloud]
    extra = {
        "region": "ap-guangzhou" if cloud == "tencent" else "cn-shanghai",
        "endpoints": {"*": url, "sts": sts},
        "role_session_name": name,
        **ROLES[cloud],
    }
    os.environ[f"AIRFLOW_CONN_{name.upper().replace('-', '_')}"] = json.dumps(
        {"conn_type": f"cloudtasks_{cloud}", "login": KEY[0], "password": KEY[1], "extra": extra}
    )
    tasks = [f"{name}-{number}" for number in range(count)]
    _control(
        url,
        "tasks",
        "POST",
        [{"api": api, "id": task, "script": [{"status": done}], "fields": params} for task in tasks],
    )

    def wait(task: str) -> Callable[[], Awaitable[None]]:
        _, stored = CloudTaskTrigger(
            api=api, cloud_task_id=task, api_params=params, conn_id=name.replace("-", "_"), poke_interval=0
        ).serialize()

        async def run() -> None:
            async for event in CloudTaskTrigger(**stored).run():
                if event.payload["task"]["state"] != "succeeded":
                    raise AssertionError(event.payload)

        return run

    return list(map(wait, tasks))


def _sdk_callers(cloud: str, count: int, url: str, sts: str, name: str) -> list[Callable[[], Awaitable[None]]]:
    if cloud == "alibaba":
        from alibabacloud_credentials.provider import RamRoleArnCredentialsProvider

        provider = RamRoleArnCredentialsProvider(
            access_key_id=KEY[0],
            access_key_secret=KEY[1],
            role_arn=ROLES[cloud]["role_arn"],
            role_session_name=name,
            sts_endpoint=urlsplit(sts).netloc,
        )

        async def call() -> None:
            await provider.get_credentials_async()
    else:
        from tencentcloud.common.credential import STSAssumeRoleCredential

        credential = STSAssumeRoleCredential(KEY[0], KEY[1], ROLES[cloud]["role_arn"], name, endpoint=sts)

        async def call() -> None:
            credential.get_credential_info()

    return [call] * count


def _control(url: str, path: str, method: str, value: Any = None) -> Any:
    request = Request(
        f"{url}/_control/{path}", json.dumps(value).encode() if value else None, {"Content-Type": "application/json"}
    )
    request.method = method
    with build_opener(ProxyHandler({})).open(request) as answer:
        return json.load(answer)


# The report.


def _report(found: dict[tuple[str, str], list[dict[str, float]]], limit: float) -> int:
    print("| | at once | AssumeRole calls | failed | longest stall | of the rounds | all had ended after |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    failures = []
    for (cloud, way), rounds in found.items():
        calls = sorted({int(one["AssumeRole calls"]) for one in rounds})
        stalls = [one["stall"] for one in rounds]
        failed = sorted({int(one["failed"]) for one in rounds})
        print(
            f"| {cloud.capitalize()}: {way} | {rounds[0]['callers']} | {' or '.join(map(str, calls))} "
            f"| {' or '.join(map(str, failed))} "
            f"| **{median(stalls):.0f} ms** | {min(stalls):.0f} to {max(stalls):.0f} ms "
            f"| {median(one['seconds'] for one in rounds):.2f} s |"
        )
        if way == "cloudtasks":
            if calls != [1]:
                failures.append(f"{cloud}: AssumeRole was called {calls} times, not once")
            if median(stalls) >= limit:
                failures.append(f"{cloud}: the event loop stood still for {median(stalls):.0f} ms")
            if failed != [0]:
                failures.append(f"{cloud}: not every wait got its answer")
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
