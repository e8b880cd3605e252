"""Serves the APIs that dbt Cloud's and Databricks' triggers and the ADB operator read, with the emulator's limits.

Run it by ``python -m waiting.jobs_server``. Its control plane has those operations of the emulator's that the benchmark
needs.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import sys
import time
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from airflow_cloudtasks.emulator.engine.limits import Limits

_LONGEST_BODY = 64 * 2**20


class Jobs:
    """The jobs of the three APIs, and how often they were read."""

    def __init__(self) -> None:
        self.limits = Limits()
        self.latency = (0.0, 0.0)
        self._jobs: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        self._totals: dict[str, dict[str, int]] = {}

    def add(self, task: dict[str, Any]) -> dict[str, Any]:
        now = time.time()
        self._jobs[task["api"], task["id"]] = (now, task)
        return {**task, "created_at": now}

    def totals(self) -> dict[str, Any]:
        return {"totals": self._totals}

    def clear_totals(self) -> None:
        self._totals = {}

    def status(self, api: str, job: str) -> Any:
        """Return the status of a job.

        Raises:
            HTTPTooManyRequests: There were too many requests within a second.
        """
        totals = self._totals.setdefault(api, {"total": 0, "refused": 0})
        totals["total"] += 1
        if not self.limits.admit(api, time.time()):
            totals["refused"] += 1
            raise web.HTTPTooManyRequests(text="{}", content_type="application/json")
        created_at, task = self._jobs[api, job]
        running, end = task["script"]
        return (running if time.time() < created_at + running["seconds"] else end)["status"]


def make_app(jobs: Jobs) -> web.Application:
    """Return the application with the vendors' APIs and the control plane."""

    async def dbt_run(request: web.Request) -> web.Response:
        run = request.match_info["run"]
        return web.json_response({"data": {"id": int(run), "status": jobs.status("dbt", run)}})

    async def databricks_run(request: web.Request) -> web.Response:
        run = str((await request.json())["run_id"])
        status = jobs.status("databricks", run)
        state = {"life_cycle_state": "RUNNING", "state_message": ""}
        if status != "RUNNING":
            state |= {"life_cycle_state": "TERMINATED", "result_state": status}
        return web.json_response({"run_id": int(run), "state": state})

    async def adb_app(request: web.Request) -> web.Response:
        app = str((await request.post())["AppId"])
        if request.headers["x-acs-action"] != "GetSparkAppState":  # the address and the log of an ended application
            return web.json_response({"Data": {"AppId": app, "WebUiAddress": "", "LogContent": ""}})
        try:
            return web.json_response({"Data": {"AppId": app, "State": jobs.status("adb", app)}})
        except web.HTTPTooManyRequests:
            refusal = {"Code": "Throttling.User", "Message": "Request was denied due to user flow control."}
            return web.json_response(refusal, status=400)

    async def add_tasks(request: web.Request) -> web.Response:
        return web.json_response({"tasks": [jobs.add(task) for task in await request.json()]})

    async def set_limit(request: web.Request) -> web.Response:
        jobs.limits.set((await request.json())["requests_per_second"])
        return web.json_response({})

    async def set_latency(request: web.Request) -> web.Response:
        jobs.latency = (await request.json())["seconds"]
        return web.json_response({})

    async def totals(request: web.Request) -> web.Response:
        return web.json_response(jobs.totals())

    async def clear_totals(request: web.Request) -> web.Response:
        jobs.clear_totals()
        return web.json_response({})

    @web.middleware
    async def answer_late(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        finally:
            if not request.path.startswith("/_control/"):
                await asyncio.sleep(random.uniform(*jobs.latency))

    app = web.Application(client_max_size=_LONGEST_BODY, middlewares=[answer_late])
    app.add_routes(
        [
            web.get("/api/v2/accounts/{account}/runs/{run}/", dbt_run),
            web.get("/api/{version}/jobs/runs/get", databricks_run),
            web.post("/", adb_app),
            web.post("/_control/tasks", add_tasks),
            web.post("/_control/limits", set_limit),
            web.post("/_control/latency", set_latency),
            web.get("/_control/requests", totals),
            web.delete("/_control/requests", clear_totals),
        ]
    )
    return app


async def main() -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(sys.argv[1])
    runner = web.AppRunner(make_app(Jobs()), access_log=None)
    await runner.setup()
    # The same backlog as the emulator's, so that the network refuses no client of either side.
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048, ssl_context=tls).start()
    plain, secure = (port for _, port in runner.addresses)
    print(f"on http://127.0.0.1:{plain} and https://127.0.0.1:{secure}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
