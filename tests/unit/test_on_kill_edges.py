"""Waiting for the work that a kill begins."""

from __future__ import annotations

import asyncio

import pytest

from airflow_cloudtasks.starting.on_kill import wait_until_done


def test_stops_waiting_for_the_work_on_a_kill_if_the_work_is_cancelled() -> None:
    async def wait() -> None:
        loop = asyncio.get_running_loop()
        work = loop.create_future()
        loop.call_soon(work.cancel)
        with pytest.raises(asyncio.CancelledError):
            await wait_until_done(work)

    asyncio.run(wait())
