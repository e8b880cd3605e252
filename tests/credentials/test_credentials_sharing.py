"""A thousand waits on one connection are one session at STS, and none of them holds the others up."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from kinds import ALIBABA_ASSUMES, ASSUMING, EITHER_WAY, KEY, Hook, Kind, Machine, aread, asked, read, signers

from airflow_cloudtasks.clouds.credentials import shared
from airflow_cloudtasks.errors import CloudTasksError, CredentialsError
from airflow_cloudtasks.hooks import calling
from airflow_cloudtasks.model import CloudTask

MANY = 50
Get = Callable[[Hook], CloudTask]
EACH = pytest.mark.parametrize("kind", ASSUMING, ids=str)


def sessions(machine: Machine) -> int:
    return asked(machine.emulator).count("sts.assume_role")


@EACH
def test_many_async_readers_share_a_session_and_the_next_one(machine: Machine, kind: Kind) -> None:
    kind.connect(machine)

    async def test() -> None:
        hooks = [kind.hook() for _ in range(MANY)]
        tasks = await asyncio.gather(*map(aread, hooks))
        assert {task.state for task in tasks} == {"succeeded"}
        assert sessions(machine) == 1
        assert machine.emulator.expire_issued() == 1
        tasks = await asyncio.gather(*map(aread, hooks))
        assert {task.state for task in tasks} == {"succeeded"}
        assert sessions(machine) == 2

    asyncio.run(test())
    assert len(set(signers(machine.emulator, kind))) == 2


@EACH
def test_many_threads_share_a_session_and_the_next_one(machine: Machine, kind: Kind) -> None:
    kind.connect(machine)
    hooks = [kind.hook() for _ in range(20)]
    for expected in (1, 2):
        with ThreadPoolExecutor(len(hooks)) as pool:
            assert {task.state for task in pool.map(read, hooks)} == {"succeeded"}
        assert sessions(machine) == expected
        machine.emulator.expire_issued()


@EACH
def test_threads_and_event_loops_share_a_session(machine: Machine, kind: Kind) -> None:
    kind.connect(machine)
    hooks = [kind.hook() for _ in range(6)]
    ways: list[Get] = [read, lambda hook: asyncio.run(aread(hook))] * 3
    with ThreadPoolExecutor(len(hooks)) as pool:
        assert {task.state for task in pool.map(lambda way, hook: way(hook), ways, hooks)} == {"succeeded"}
    assert sessions(machine) == 1


BEAT = 0.005


async def gaps_until(done: asyncio.Future[Any]) -> list[float]:
    """Return the seconds between the beats of the event loop, one every 5 ms if nothing blocks it."""
    last, gaps = time.perf_counter(), []
    while not done.done():
        await asyncio.sleep(BEAT)
        gaps.append(time.perf_counter() - last)
        last += gaps[-1]
    return gaps


@contextmanager
def thread_gaps() -> Iterator[list[float]]:
    """Measure the same in a thread: what delays both is the load of the machine, not a blocked event loop."""
    gaps, stop = [0.0], threading.Event()

    def beat() -> None:
        last = time.perf_counter()
        while not stop.wait(BEAT):
            gaps.append(time.perf_counter() - last)
            last += gaps[-1]

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield gaps
    finally:
        stop.set()
        thread.join()


@EACH
def test_event_loop_keeps_running_while_sts_hangs(machine: Machine, kind: Kind) -> None:
    async def test() -> None:
        hook = kind.connect(machine, read_timeout=1, connect_timeout=1)
        # Importing the vendor's package blocks every thread, so import it before measuring.
        await aread(hook)
        machine.emulator.expire_issued()
        machine.emulator.fault("hang", seconds=1)
        waits = asyncio.ensure_future(aread(kind.hook()))
        with thread_gaps() as delays:
            gaps = await gaps_until(waits)
        assert isinstance(waits.exception(), CloudTasksError)
        assert sum(gaps) > 0.5
        assert max(gaps) < 0.25 + max(delays)

    asyncio.run(test())


@EACH
def test_cancelled_reader_leaves_the_session_to_the_others(machine: Machine, kind: Kind) -> None:
    async def test() -> None:
        hooks = [kind.connect(machine) for _ in range(5)]
        source = hooks[0].get_conn().account.credentials
        fetch, go = source._fetch, threading.Event()
        source._fetch = lambda: fetch() if go.wait(10) else None
        readers = [asyncio.ensure_future(aread(hook)) for hook in hooks]
        await asyncio.sleep(0.1)
        readers[0].cancel()
        await asyncio.wait([readers[0]])
        assert readers[0].cancelled()
        assert not any(reader.done() for reader in readers[1:])
        go.set()
        assert {task.state for task in await asyncio.gather(*readers[1:])} == {"succeeded"}
        assert sessions(machine) == 1

    asyncio.run(test())


@EACH
def test_equal_settings_share_a_source_that_its_last_user_frees(machine: Machine, kind: Kind) -> None:
    one, other = kind.connect(machine), kind.hook()
    assert one.get_conn().account.credentials is other.get_conn().account.credentials
    different = kind.connect(machine, role_session_name="another")
    assert different.get_conn().account.credentials is not one.get_conn().account.credentials
    gc.collect()
    assert len(shared._shared) == 2
    del different
    gc.collect()
    assert len(shared._shared) == 1
    del one
    gc.collect()
    assert len(shared._shared) == 1
    del other
    gc.collect()
    assert len(shared._shared) == 0


def test_other_settings_use_another_session(machine: Machine) -> None:
    for name in ("one", "other", "one"):
        read(ALIBABA_ASSUMES.connect(machine, role_session_name=name))
    named = [call["parameters"]["RoleSessionName"] for call in machine.emulator.requests("sts.assume_role")]
    assert named[:2] == ["one", "other"]


# A connection that is edited

LASTING = Kind("alibaba", "access_key", key=KEY)


def new_key(machine: Machine) -> Kind:
    machine.emulator.add_key("next-id", "next-secret")
    return Kind("alibaba", "access_key", key=("next-id", "next-secret"))


@EITHER_WAY
def test_refused_key_picks_up_the_edited_connection(machine: Machine, get: Get) -> None:
    hook = LASTING.connect(machine)
    get(hook)
    new_key(machine).connect(machine)
    get(hook)
    machine.emulator.revoke_key("emulator-id")
    assert get(hook).state == "succeeded"
    assert signers(machine.emulator, LASTING)[:2] == [KEY[0]] * 2
    assert signers(machine.emulator, LASTING)[-1] == "next-id"


@EITHER_WAY
def test_refused_key_of_an_unedited_connection_fails(machine: Machine, get: Get) -> None:
    hook = LASTING.connect(machine)
    get(hook)
    machine.emulator.revoke_key("emulator-id")
    before = len(machine.emulator.requests())
    with pytest.raises(CredentialsError):
        get(hook)
    assert len(machine.emulator.requests()) == before + 1


@EITHER_WAY
def test_picks_up_an_edited_connection_after_a_while(
    machine: Machine, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = LASTING.connect(machine)
    get(hook)
    new_key(machine).connect(machine)
    get(hook)
    monkeypatch.setattr(calling, "_CONNECTION_SECONDS", 0.0)
    get(hook)
    assert signers(machine.emulator, LASTING) == [KEY[0], KEY[0], "next-id"]


@EITHER_WAY
@pytest.mark.parametrize("kind", [LASTING, *ASSUMING], ids=str)
def test_unedited_connection_keeps_its_client_and_session(
    machine: Machine, kind: Kind, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "_CONNECTION_SECONDS", 0.0)
    hook = kind.connect(machine)
    get(hook)
    client = hook.get_conn()
    get(hook)
    assert hook.get_conn() is client
    assert sessions(machine) == (kind in ASSUMING)


@EITHER_WAY
def test_edit_that_breaks_the_connection_keeps_the_working_client(
    machine: Machine, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = LASTING.connect(machine)
    get(hook)
    monkeypatch.setattr(calling, "_CONNECTION_SECONDS", 0.0)
    LASTING.connect(machine, auth_type="oauth")
    assert get(hook).state == "succeeded"


def test_open_hook_continues_with_the_edited_connection(machine: Machine) -> None:
    async def test() -> None:
        async with LASTING.connect(machine) as hook:
            await aread(hook)
            new_key(machine).connect(machine)
            machine.emulator.revoke_key("emulator-id")
            assert (await aread(hook)).state == "succeeded"
            assert (await aread(hook)).state == "succeeded"

    asyncio.run(test())
    assert signers(machine.emulator, LASTING)[-2:] == ["next-id"] * 2


def test_look_up_in_one_thread_serves_the_hook_in_others(machine: Machine) -> None:
    hook = ALIBABA_ASSUMES.connect(machine)
    threads = [threading.Thread(target=read, args=(hook,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signers(machine.emulator, ALIBABA_ASSUMES)) == 8
    assert sessions(machine) == 1
