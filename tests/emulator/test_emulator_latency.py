"""Delayed answers, as a client sees them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from alibabacloud_bdrc20230808.client import Client as BdrcClient
from alibabacloud_bdrc20230808.models import DescribeTasksRequest
from alibabacloud_tea_openapi.models import Config

from airflow_cloudtasks.emulator.control.errors import BadInputError
from airflow_cloudtasks.emulator.engine.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Client


def seconds_of(call: Callable[[], Any]) -> float:
    start = time.monotonic()
    call()
    return time.monotonic() - start


def test_delays_every_answer_of_the_clouds_but_not_the_control_plane(client: Client) -> None:
    client.emulator.latency(0.3)
    late: tuple[Callable[[], Any], ...] = (
        client.ice,
        client.wedata,
        lambda: client.rpc("GetCallerIdentity"),
        lambda: client.plain("GET", "/latest/meta-data/ram/security-credentials/"),
    )
    assert [seconds_of(call) >= 0.3 for call in late] == [True] * len(late)
    assert seconds_of(lambda: client.control("GET", "tasks")) < 0.3
    client.emulator.latency(None)
    assert seconds_of(client.ice) < 0.3


def test_alibabas_sdk_waits_for_a_delayed_list(client: Client) -> None:
    client.emulator.latency((0.2, 0.25))
    config = Config(
        access_key_id="emulator-id",
        access_key_secret="emulator-secret",
        protocol="HTTP",
        endpoint=f"127.0.0.1:{client.emulator.port}",
        region_id="cn-shanghai",
    )
    assert seconds_of(lambda: BdrcClient(config).describe_tasks(DescribeTasksRequest())) >= 0.2


def test_delays_concurrent_answers_concurrently(client: Client) -> None:
    client.emulator.latency(0.5)
    threads = [threading.Thread(target=client.ice) for _ in range(10)]

    def ask_all() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert 0.5 <= seconds_of(ask_all) < 2.5
    assert client.emulator.totals()["ice.workflow_task"]["peak_concurrency"] == 10


def test_delays_an_injected_fault_too(client: Client) -> None:
    client.emulator.latency(0.2)
    client.emulator.fault("throttle", count=1)
    assert seconds_of(lambda: client.ice().code) >= 0.2


def test_draws_the_delay_evenly_from_a_range() -> None:
    drawn = iter([0.0, 0.5, 0.75])
    state = State(random_number=lambda: next(drawn), latency=(1.0, 3.0))
    assert [state.draw_latency() for _ in range(3)] == [1.0, 2.0, 2.5]


def test_reset_restores_the_initial_latency() -> None:
    state = State(latency=(1.0, 2.0))
    state.latency = (0.0, 0.0)
    state.reset()
    assert state.latency == (1.0, 2.0)


def test_the_control_plane_sets_and_returns_the_latency(client: Client) -> None:
    assert client.control("GET", "latency").json == {"seconds": [0, 0]}
    assert client.control("POST", "latency", {"seconds": [0.2, 0.3]}).json == {"seconds": [0.2, 0.3]}
    assert seconds_of(client.ice) >= 0.2
    assert client.control("POST", "latency", {"seconds": 0.1}).json == {"seconds": [0.1, 0.1]}
    client.control("POST", "reset")
    assert client.control("GET", "latency").json == {"seconds": [0, 0]}
    client.control("POST", "latency", {"seconds": 0.1})
    assert client.control("POST", "latency", {"seconds": None}).json == {"seconds": [0, 0]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, "seconds is missing"),
        ({"seconds": -1}, "from 0, got -1"),
        ({"seconds": "1"}, "expected a number, got '1'"),
        ({"seconds": [0.2, 0.1]}, "the least before the most, got 0.2 and 0.1"),
        ({"seconds": [1, 2, 3]}, "a number or the least and the most, got 3 values"),
        ({"seconds": []}, "got 0 values"),
    ],
)
def test_the_control_plane_refuses_an_invalid_latency(client: Client, value: Any, expected: str) -> None:
    answer = client.control("POST", "latency", value)
    assert answer.status == 400
    assert expected in answer.json["error"]


def test_the_method_refuses_an_invalid_latency(client: Client) -> None:
    with pytest.raises(BadInputError, match="from 0"):
        client.emulator.latency(-1)
