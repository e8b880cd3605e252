"""The gate of an account's requests, on a simulated clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest

from airflow_cloudtasks.errors import CloudApiError, NotFound, Throttled, TransientError
from airflow_cloudtasks.waiting.triggerer.gate import Gate, Kind

from .simulated_time import run_simulated


class Polls:
    """A source with polls that are due, each named by its due time."""

    def __init__(self, service: Service, *due: float) -> None:
        self.due = sorted(due)
        self._service = service

    def first_due_at(self) -> float | None:
        return self.due[0] if self.due else None

    def send_first(self, gate: Gate) -> bool:
        call = self._service.call(f"poll {self.due.pop(0):g}")
        task = asyncio.get_running_loop().create_task(gate.observe(call))
        task.add_done_callback(lambda ended: (ended.exception(), gate.release(Kind.POLL)))
        return True


class Service:
    """Notes when requests arrive; answers after 50 ms, or as the test sets it."""

    def __init__(self) -> None:
        self.arrived: list[tuple[float, str]] = []
        self.answers: dict[str, Any] = {}

    def call(self, name: str) -> Callable[[], Awaitable[Any]]:
        async def call() -> Any:
            self.arrived.append((asyncio.get_running_loop().time(), name))
            answer = self.answers.get(name)
            if answer == "hangs":
                await asyncio.sleep(3600)
            await asyncio.sleep(0.05)
            if isinstance(answer, Exception):
                raise answer
            return name

        return call

    @property
    def names(self) -> list[str]:
        return [name for _, name in self.arrived]

    def gaps(self) -> list[float]:
        return [later - earlier for (earlier, _), (later, _) in pairwise(self.arrived)]


def opened(allowance: float = 20.0) -> tuple[Gate, Service]:
    gate = Gate()
    gate.state("a connection", allowance)
    return gate, Service()


async def send(gate: Gate, service: Service, name: str, kind: Kind = Kind.REASON, **more: Any) -> Any:
    return await gate.send(service.call(name), kind=kind, **more)


async def all_sent(gate: Gate, service: Service, *names: str, kind: Kind = Kind.REASON) -> list[Any]:
    return await asyncio.gather(*(send(gate, service, name, kind) for name in names), return_exceptions=True)


def test_requests_leave_one_by_one_at_the_allowed_rate() -> None:
    async def body() -> None:
        gate, service = opened(20)
        assert await all_sent(gate, service, *map(str, range(300))) == [*map(str, range(300))]
        # The rate starts lower, and grows.
        assert min(service.gaps()[2:]) >= 0.99 / 20
        assert service.arrived[-1][0] < 300 / 20 * 1.2

    run_simulated(body())


def test_requests_leave_in_the_order_in_which_they_became_due() -> None:
    async def body() -> None:
        gate, service = opened(1)
        gate.join(Polls(service, 0.1, 0.2, 3.0))
        gate.join(Polls(service, 1.0))
        await asyncio.gather(
            send(gate, service, "reason 2", due=2.0),
            send(gate, service, "page 4", Kind.PAGE, due=4.0),
            send(gate, service, "page 4 for more waits", Kind.PAGE, due=4.0, waits=9),
        )
        await asyncio.sleep(30)
        # Two may leave at once at the beginning.
        assert service.names[2:] == [
            "poll 1",
            "reason 2",
            "poll 3",
            "page 4 for more waits",
            "page 4",
        ]

    run_simulated(body())


def test_cancels_leave_before_all_others_but_within_the_rate() -> None:
    async def body() -> None:
        gate, service = opened(20)
        polls = asyncio.create_task(all_sent(gate, service, *map(str, range(50))))
        await asyncio.sleep(1)
        sent = len(service.arrived)
        await all_sent(gate, service, "cancel 1", "cancel 2", kind=Kind.CANCEL)
        assert service.names[sent : sent + 2] == ["cancel 1", "cancel 2"]
        await polls
        assert min(service.gaps()[2:]) >= 0.99 / 20

    run_simulated(body())


def test_a_canceled_request_leaves_no_gap() -> None:
    async def body() -> None:
        gate, service = opened(1)
        requests = [asyncio.create_task(send(gate, service, str(number))) for number in range(100)]
        await asyncio.sleep(0)
        for request in requests[1:99]:
            request.cancel()
        await asyncio.gather(*requests, return_exceptions=True)
        assert service.names[-1] == "99"
        assert service.arrived[-1][0] < 10

    run_simulated(body())


def test_a_request_that_is_canceled_at_its_turn_frees_its_place() -> None:
    async def body() -> None:
        gate, service = opened(1000)
        for _ in range(3 * Kind.REASON.most):
            request = asyncio.create_task(send(gate, service, "canceled"))
            await asyncio.sleep(0)
            request.cancel()
            await asyncio.gather(request, return_exceptions=True)
        await asyncio.wait_for(send(gate, service, "last"), 5)

    run_simulated(body())


def test_honours_retry_after_for_all_requests() -> None:
    async def body() -> None:
        gate, service = opened(20)
        service.answers["refused"] = Throttled("slow down", retry_after=60.0)
        await all_sent(gate, service, "refused")
        await all_sent(gate, service, *map(str, range(5)))
        assert service.arrived[1][0] >= 60

    run_simulated(body())


def test_honours_the_retry_after_of_a_service_that_is_down() -> None:
    async def body() -> None:
        gate, service = opened(20)
        service.answers["down"] = TransientError("down", retry_after=40.0)
        await all_sent(gate, service, "down", "next")
        assert service.arrived[1][0] >= 40 or service.arrived[1][0] < 0.1 + 1 / 5
        await all_sent(gate, service, "later")
        assert service.arrived[2][0] >= 40

    run_simulated(body())


@pytest.mark.parametrize("error", [Throttled, TransientError])
@pytest.mark.parametrize("rest", [0.0, 40.0], ids=["queued during the pause", "queued at its end"])
def test_requests_leave_one_by_one_after_a_pause(error: type[CloudApiError], rest: float) -> None:
    async def body() -> None:
        gate, service = opened(20)
        service.answers["first"] = error("later", retry_after=40.0)
        await all_sent(gate, service, "first")
        await asyncio.sleep(rest)
        await all_sent(gate, service, *map(str, range(5)))
        assert service.arrived[1][0] >= 40
        assert min(service.gaps()) > 1 / 20 - 1e-9

    run_simulated(body())


def test_a_request_that_alone_is_refused_again_does_not_slow_the_others_down() -> None:
    async def body() -> None:
        gate, service = opened(20)
        service.answers["bad"] = Throttled("slow down", retry_after=60.0)
        earlier = None
        for number in range(5):
            began, rate = asyncio.get_running_loop().time(), gate.rate
            with pytest.raises(Throttled):
                await send(gate, service, "bad", earlier=earlier)
            assert gate.refuses_only(earlier) is (number > 0)
            earlier = gate.tally
            if number:
                assert gate.rate >= rate
            await all_sent(gate, service, *map(str, range(20)))
            if number:
                assert asyncio.get_running_loop().time() - began < 30

    run_simulated(body())


def test_requests_without_an_answer_do_not_block_those_of_another_kind() -> None:
    async def body() -> None:
        gate, service = opened(100)
        service.answers["page"] = service.answers["reason"] = "hangs"
        hanging = [asyncio.create_task(send(gate, service, "page", Kind.PAGE)) for _ in range(50)]
        hanging += [asyncio.create_task(send(gate, service, "reason")) for _ in range(50)]
        await asyncio.sleep(10)
        gate.join(Polls(service, *range(20)))
        await asyncio.sleep(5)
        assert sum(name.startswith("poll") for name in service.names) == 20
        assert service.names.count("page") == Kind.PAGE.most

    run_simulated(body())


def test_the_smallest_current_statement_of_the_allowance_counts() -> None:
    async def body() -> None:
        gate, service = opened(20)
        await all_sent(gate, service, *map(str, range(100)))
        assert 10 < gate.rate <= 20
        gate.state("another connection", 5)
        assert gate.rate <= 5
        gate.state("another connection", 8)
        assert 5 <= gate.rate <= 8, "a raised allowance works at once"
        gate.withdraw("another connection")
        assert 10 < gate.rate <= 20
        gate.withdraw("a connection")
        assert 10 < gate.rate <= 20, "the last statement stays in force"
        gate.state("a third one", 2)
        assert gate.rate <= 2

    run_simulated(body())


def test_a_refusal_for_another_reason_tells_nothing_about_the_rate() -> None:
    async def body() -> None:
        gate, service = opened(20)
        await all_sent(gate, service, *map(str, range(100)))
        rate = gate.rate
        service.answers["missing"] = NotFound("no such task")
        await all_sent(gate, service, "missing")
        assert gate.rate >= rate

    run_simulated(body())
