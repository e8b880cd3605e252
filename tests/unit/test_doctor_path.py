"""The doctor's walk gives all addresses of a host the time that a request gives them."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_cloudtasks.clouds.network import Network, Timeouts
from airflow_cloudtasks.clouds.wire import Endpoint
from airflow_cloudtasks.doctor import path
from airflow_cloudtasks.doctor.report import Outcome


@pytest.mark.parametrize("count", [1, 2, 5])
def test_addresses_that_hang_share_the_connect_timeout(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    given: list[float] = []

    def hang(address: tuple[str, int], timeout: float) -> socket.socket:
        nonlocal now
        given.append(timeout)
        now += timeout
        raise TimeoutError("timed out")

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{number}", port)) for number in range(count)]

    clock = SimpleNamespace(monotonic=lambda: now, perf_counter=lambda: now, time=lambda: now)
    monkeypatch.setattr(path, "time", clock)
    monkeypatch.setattr(socket, "create_connection", hang)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    found = path.walk(Endpoint("http://cloud.invalid"), Network(Timeouts(connect=6, read=30), uses_proxies=False))
    assert found.failed is not None
    assert (found.failed.name, found.failed.outcome) == ("TCP", Outcome.FAILED)
    assert given == pytest.approx([6 / count] * count)
    assert found.failed.milliseconds == pytest.approx(6000)
