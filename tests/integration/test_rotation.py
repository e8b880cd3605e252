"""Twenty deferred waits continue when their key is rotated or their session ends."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator
from importlib import import_module
from typing import Any

import pytest
from secure_cloud import ROLES, SecureCloud, secure_cloud

from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger
from airflow_cloudtasks.waiting.verdicts import CredentialsGrace

WAITS = 20
# APIs without a list, so that the polls of each wait are separate requests.
# By cloud: the API, and the fields of its tasks.
APIS: dict[str, tuple[str, dict[str, str]]] = {
    "alibaba": ("bpstudio.task", {"ErrorMessage": ""}),
    "tencent": ("wedata.task", {"ProjectId": "1"}),
}
# By API: the parameters that identify a task besides its id.
PARAMS = {"wedata.task": {"ProjectId": "1"}}
POLL = 0.2
# Longer than any test takes. A test ends the tasks by moving the emulator's clock.
RUNNING_SECONDS = 3600


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureCloud]:
    with secure_cloud(tmp_path_factory.mktemp("certificates")) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(cloud: SecureCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.emulator.reset()
    for name in APIS:
        # After the test, monkeypatch restores the variable, which the test sets in os.environ.
        monkeypatch.setenv(_variable(name), "")
    for name, (api, params) in APIS.items():
        for number in range(0, WAITS, len(APIS)):
            cloud.emulator.add_running(api, f"{name}-{number}", RUNNING_SECONDS, fields=params)


def _variable(name: str) -> str:
    return f"AIRFLOW_CONN_ROTATING_{name.upper()}"


def _edit_connections(cloud: SecureCloud, key_id: str, secret: str, *, role: bool = False) -> None:
    for name in APIS:
        os.environ[_variable(name)] = cloud.connection(name, key_id, secret, **(ROLES[name] if role else {}))


async def _payload(stored: str) -> dict[str, Any]:
    """Rebuild a trigger from its row as the triggerer does, run it, and return the payload of its event."""
    path, arguments = json.loads(stored)
    module, _, name = path.rpartition(".")
    async for event in getattr(import_module(module), name)(**arguments).run():
        return event.payload
    raise AssertionError("the trigger fired no event")


async def _run_triggers(meanwhile: Callable[[], Awaitable[None]]) -> list[dict[str, Any]]:
    """Run all triggers at once and ``meanwhile`` beside them; return the payloads of their events."""
    rows = [
        json.dumps(
            CloudTaskTrigger(
                api=api,
                cloud_task_id=f"{name}-{number}",
                api_params=PARAMS.get(api),
                conn_id=f"rotating_{name}",
                poke_interval=POLL,
                deadline=time.time() + 120,
            ).serialize()
        )
        for name, (api, *_) in APIS.items()
        for number in range(0, WAITS, len(APIS))
    ]
    waits = [asyncio.ensure_future(_payload(row)) for row in rows]
    await meanwhile()
    return await asyncio.gather(*waits)


def _polls(cloud: SecureCloud) -> list[dict[str, Any]]:
    return [request for api, *_ in APIS.values() for request in cloud.emulator.requests(api)]


def _refused(cloud: SecureCloud) -> int:
    return sum(request["outcome"] != "ok" for request in _polls(cloud))


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the emulator has no event to wait for
            await asyncio.sleep(POLL / 4)


async def _until_all_have_polled(cloud: SecureCloud, other_than: Collection[str] = ()) -> None:
    """Return when each wait has received an answer to a poll with a key that is not in ``other_than``."""

    def all_have_polled() -> bool:
        answered = [
            request["parameters"]["TaskId"]
            for request in _polls(cloud)
            if request["outcome"] == "ok" and request["key_id"] not in other_than
        ]
        return len(set(answered)) == WAITS

    await _until(all_have_polled)


def _all_succeeded(payloads: list[dict[str, Any]]) -> bool:
    return [payload.get("task", payload).get("state") for payload in payloads] == ["succeeded"] * WAITS


@pytest.mark.parametrize("edited", ["before", "after"])
def test_twenty_waits_survive_the_rotation_of_their_key(cloud: SecureCloud, edited: str) -> None:
    emulator = cloud.emulator
    _edit_connections(cloud, "emulator-id", "emulator-secret")

    async def rotate() -> None:
        await _until_all_have_polled(cloud)
        emulator.add_key("new-id", "new-secret")
        if edited == "before":
            _edit_connections(cloud, "new-id", "new-secret")
        emulator.revoke_key("emulator-id")
        if edited == "after":
            # The connection is edited only after several refusals. Each refusal counts for all waits of a cloud.
            await _until(lambda: _refused(cloud) > 5 * len(APIS))
            _edit_connections(cloud, "new-id", "new-secret")
        await _until_all_have_polled(cloud, other_than={"emulator-id"})
        emulator.advance(RUNNING_SECONDS)

    assert _all_succeeded(asyncio.run(_run_triggers(rotate)))
    if edited == "before":
        # For each cloud, only the polls that are under way together are refused. They are repeated with the new key.
        assert len(APIS) <= _refused(cloud) < WAITS


def test_twenty_waits_fail_after_the_grace_if_their_key_is_never_replaced(
    cloud: SecureCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CredentialsGrace, "SECONDS", 2.0)
    _edit_connections(cloud, "emulator-id", "emulator-secret")
    revoked_at = 0.0

    async def revoke() -> None:
        nonlocal revoked_at
        await _until_all_have_polled(cloud)
        cloud.emulator.revoke_key("emulator-id")
        revoked_at = time.monotonic()

    payloads = asyncio.run(_run_triggers(revoke))

    assert time.monotonic() - revoked_at > CredentialsGrace.SECONDS
    assert [payload.get("error", payload).get("kind") for payload in payloads] == ["CredentialsError"] * WAITS


def test_twenty_waits_survive_the_end_of_their_shared_session(cloud: SecureCloud) -> None:
    _edit_connections(cloud, "emulator-id", "emulator-secret", role=True)

    async def expire() -> None:
        await _until_all_have_polled(cloud)
        ended_keys = {request["key_id"] for request in _polls(cloud)}
        assert cloud.emulator.expire_issued() == len(APIS)
        await _until_all_have_polled(cloud, other_than=ended_keys)
        cloud.emulator.advance(RUNNING_SECONDS)

    assert _all_succeeded(asyncio.run(_run_triggers(expire)))
    sessions = Counter(request["cloud"] for request in cloud.emulator.requests("sts.assume_role"))
    assert sessions == {"alibaba": 2, "tencent": 2}, (
        "each cloud's connection has one session before the end and one after it"
    )
