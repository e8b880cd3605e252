"""When a hook looks its Airflow connection up again, on a simulated clock."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_cloudtasks.errors import CredentialsError, TransientError
from airflow_cloudtasks.hooks import calling
from airflow_cloudtasks.hooks.tencent import TencentCloudHook

from .simulated_time import run_simulated


class Client(SimpleNamespace):
    """A client with an account."""

    def close(self) -> None:
        return None


class Hook(TencentCloudHook):
    """A hook whose look-ups end as the test says."""

    def __init__(self, *look_ups: Any) -> None:
        super().__init__("a")
        self.look_ups = [*look_ups]
        self.requests = 0

    async def _aresolve(self) -> Any:
        look_up = self.look_ups.pop(0)
        if look_up == "hangs":
            await asyncio.sleep(30)
            raise TransientError("hangs")
        if isinstance(look_up, Exception):
            raise look_up
        return Client(account=look_up)

    async def _asend(self, client: Any, *_: Any) -> Any:
        self.requests += 1
        raise CredentialsError("refused")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hook read the clock of the event loop."""
    monkeypatch.setattr(calling, "time", SimpleNamespace(monotonic=lambda: asyncio.get_running_loop().time()))


def test_a_look_up_that_hangs_delays_one_call_by_a_second() -> None:
    async def body() -> tuple[list[float], list[str]]:
        loop, hook = asyncio.get_running_loop(), Hook("old", "hangs", "new")
        async with hook:
            await hook.aget_conn()
            await asyncio.sleep(301)
            delays, accounts = [], []
            for _ in range(400):
                began = loop.time()
                accounts.append((await hook.aget_conn()).account)
                delays.append(loop.time() - began)
                await asyncio.sleep(1)
        return delays, accounts

    delays, accounts = run_simulated(body())
    assert sum(delays) == pytest.approx(1.0)
    # The next look-up comes five minutes later.
    assert accounts == ["old"] * accounts.count("old") + ["new"] * accounts.count("new")
    assert 300 < accounts.count("old") < 340


def test_the_call_that_looks_the_connection_up_again_uses_its_new_values() -> None:
    async def body() -> list[str]:
        hook = Hook("old", "new")
        found = [(await hook.aget_conn()).account]
        await asyncio.sleep(301)
        return [*found, (await hook.aget_conn()).account]  # type: ignore[list-item]

    assert run_simulated(body()) == ["old", "new"]


def test_an_unexpected_error_of_a_look_up_is_not_repeated_at_each_call() -> None:
    async def body() -> int:
        hook = Hook("old", RuntimeError("a defect"), RuntimeError("not asked for"))
        await hook.aget_conn()
        await asyncio.sleep(301)
        for _ in range(10):
            await hook.aget_conn()
        return len(hook.look_ups)

    assert run_simulated(body()) == 1


def test_closing_the_hook_ends_a_look_up() -> None:
    async def body() -> set[asyncio.Task[Any]]:
        async with Hook("old", "hangs") as hook:
            await hook.aget_conn()
            await asyncio.sleep(301)
            await hook.aget_conn()
        await asyncio.sleep(0)
        return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]

    assert run_simulated(body()) == set()


@pytest.mark.parametrize(("looked_up", "is_replaced"), [("same", False), ("other", True)])
def test_a_refused_key_is_sent_once_and_the_error_says_whether_another_one_can_be_used(
    looked_up: str, is_replaced: bool
) -> None:
    hook = Hook("same", looked_up)

    async def body() -> None:
        with pytest.raises(CredentialsError) as caught:
            await hook.acall_once(None, None, {})  # type: ignore[arg-type]
        assert caught.value.is_replaced is is_replaced

    run_simulated(body())
    assert hook.requests == 1
