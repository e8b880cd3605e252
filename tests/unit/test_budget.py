"""The budget of requests, against a service with a limit per second, on a simulated clock."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from itertools import count, pairwise

import pytest

from airflow_cloudtasks.emulator.engine.limits import SlidingWindow
from airflow_cloudtasks.waiting.triggerer.budget import Budget

ALLOWED = 20.0


@dataclass
class Client:
    """A process that sends as fast as its budget allows."""

    begins: float = 0.0
    allowance: float = ALLOWED
    budget: Budget = field(init=False)
    sent: int = 0
    refused: int = 0
    admitted: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.budget = Budget(self.allowance)

    def share(self, since: float, seconds: float) -> float:
        """Return the admitted requests as a fraction of the allowance."""
        return sum(at >= since for at in self.admitted) / (ALLOWED * seconds)


def run(*clients: Client, seconds: float, allowed: float = ALLOWED, travel: float = 0.05) -> float:
    """Run clients that share one allowance, and return the fraction of requests that was refused."""
    chance = random.Random(0)  # seeded, so that every run is the same
    window, number = SlidingWindow(allowed), count()
    events = [(client.begins, next(number), "ask", client, 0.0) for client in clients]
    heapq.heapify(events)

    def then(at: float, what: str, client: Client, sent_at: float) -> None:
        heapq.heappush(events, (at, next(number), what, client, sent_at))

    while events[0][0] < seconds:
        now, _, what, client, sent_at = heapq.heappop(events)
        if what == "ask":
            then(at := client.budget.reserve(now), "send", client, at)
        elif what == "send":
            client.sent += 1
            then(now + chance.uniform(0, travel), "arrive", client, now)
            then(now, "ask", client, 0.0)
        elif what == "arrive":
            admitted = window.admit(now)
            if admitted:
                client.admitted.append(now)
            client.refused += not admitted
            then(now + chance.uniform(0, travel), "answered" if admitted else "throttled", client, sent_at)
        elif what == "answered":
            client.budget.succeeded()
        else:
            client.budget.throttled(sent_at, now)
    return sum(client.refused for client in clients) / sum(client.sent for client in clients)


@pytest.mark.parametrize("travel", [0.001, 0.02, 0.05])
def test_a_single_client_uses_its_allowance_without_a_refusal(travel: float) -> None:
    client = Client()
    assert run(client, seconds=60, travel=travel) == 0
    assert client.share(0, 60) > 0.93


def test_varying_latency_causes_few_refusals() -> None:
    client = Client()
    assert run(client, seconds=300, travel=0.4) < 0.01
    assert client.share(0, 300) > 0.7


@pytest.mark.parametrize("second_begins", [0.0, 40.0])
def test_two_independent_clients_converge_on_fair_shares(second_begins: float) -> None:
    clients = (Client(), Client(begins=second_begins))
    assert run(*clients, seconds=300) < 0.03
    shares = [client.share(100, 200) for client in clients]
    assert sum(shares) > 0.8
    assert all(0.35 < share / sum(shares) < 0.65 for share in shares)


def test_adapts_quickly_to_a_smaller_allowance_than_configured() -> None:
    client = Client()
    assert run(client, seconds=300, allowed=8) < 0.05
    assert client.share(30, 270) > 0.8 * 8 / ALLOWED


def test_spaces_requests_evenly() -> None:
    budget = Budget(20)
    places = [budget.reserve(0.0) for _ in range(20)]
    gaps = [later - earlier for earlier, later in pairwise(places[1:])]
    assert min(gaps) == pytest.approx(max(gaps)) == pytest.approx(1 / budget.rate)


def test_idle_time_earns_no_burst() -> None:
    budget = Budget(20)
    budget.reserve(0.0)
    places = [budget.reserve(1000.0) for _ in range(10)]
    assert places[:2] == [1000.0, 1000.0]
    assert places[-1] > 1000.0 + 8 / 20


def test_requests_sent_before_a_cut_do_not_cut_the_rate_again() -> None:
    budget = Budget(20)
    before = budget.rate
    for _ in range(5):
        budget.throttled(sent_at=1.0, now=1.2)
    assert budget.rate == pytest.approx(before * 0.75)
    budget.throttled(sent_at=1.3, now=1.5)
    assert budget.rate == pytest.approx(before * 0.75**2)


def test_success_restores_the_rate_up_to_the_allowance() -> None:
    budget = Budget(20)
    most = budget.rate
    budget.throttled(1.0, 1.0)
    for _ in range(100_000):
        budget.succeeded()
    assert budget.rate == most


def test_a_hundred_cuts_leave_a_usable_rate() -> None:
    budget = Budget(20)
    for number in range(100):
        budget.throttled(number, number)
    assert budget.rate > 1


def test_honours_the_retry_after_of_the_service() -> None:
    budget = Budget(20)
    budget.throttled(1.0, 1.0, retry_after=30)
    assert budget.reserve(1.0) == 31.0


def test_keeps_to_the_smaller_of_two_allowances_for_one_account() -> None:
    budget = Budget(20)
    budget.keep_to(5)
    assert budget.rate < 5
    budget.keep_to(20)
    for _ in range(10_000):
        budget.succeeded()
    assert budget.rate < 5
