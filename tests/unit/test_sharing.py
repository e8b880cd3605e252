"""Several triggerers on one account, in simulation; benchmarks/many_triggerers.py has all numbers and limiters."""

from __future__ import annotations

import asyncio
import random
from dataclasses import astuple
from statistics import fmean

import pytest
from sharing import Service, Shares, Triggerer, run, seconds_until, shares

from airflow_cloudtasks.emulator.engine.limits import WindowKind, make_limiter
from airflow_cloudtasks.errors import Throttled
from airflow_cloudtasks.waiting.triggerer.gate import Gate, Kind
from airflow_cloudtasks.waiting.triggerer.pace import Pace

from .simulated_time import run_simulated

ALLOWED = 20.0
# Seconds after a joint start until the shares have settled, and after which they are measured for four minutes.
SETTLED, END = 60.0, 300.0
FREE = Service(window="fixed")
COUNTED = Service(window="sliding", counts_refused=True)


def mean_shares(number: int, service: Service) -> Shares:
    """Return the means of three runs."""
    found = []
    for seed in range(3):
        triggerers = some(number)
        run(triggerers, service, END, seed)
        found.append(shares(triggerers, SETTLED, END, ALLOWED))
    return Shares(*(fmean(values) for values in zip(*map(astuple, found), strict=True)))


def some(number: int, allowed: float = ALLOWED, **more: float) -> list[Triggerer]:
    chance = random.Random(number)
    return [Triggerer(Pace(allowed), begins=chance.uniform(0, 2), **more) for _ in range(number)]


@pytest.mark.parametrize("number", [1, 4, 16, 32])
@pytest.mark.parametrize("service", [FREE, Service(window="bucket")], ids=["fixed", "bucket"])
def test_triggerers_share_an_account_where_refused_requests_are_free(number: int, service: Service) -> None:
    found = mean_shares(number, service)
    assert found.answered >= 0.95
    assert found.refused < (0.10 if number == 32 else 0.05)
    assert found.least >= 0.5


@pytest.mark.parametrize("number", [1, 4, 16, 32])
@pytest.mark.parametrize("service", [COUNTED, Service(window="bucket", counts_refused=True)], ids=["sliding", "bucket"])
def test_triggerers_share_an_account_where_refused_requests_count(number: int, service: Service) -> None:
    found = mean_shares(number, service)
    assert found.answered >= (0.70 if number == 32 else 0.75)
    assert found.refused < (0.10 if number == 32 else 0.05)
    assert found.least >= 0.5


@pytest.mark.parametrize("service", [FREE, COUNTED], ids=["free", "counted"])
def test_the_last_triggerer_left_of_32_has_the_whole_allowance_within_three_minutes(service: Service) -> None:
    last, *others = triggerers = some(32)
    for one in others:
        one.ends = 120.0
    run(triggerers, service, 320.0, seed=0)
    assert seconds_until(last, 0.95, 120.0, ALLOWED) <= 180.0


@pytest.mark.parametrize("service", [FREE, COUNTED], ids=["free", "counted"])
def test_a_newcomer_among_fifteen_gets_its_share_within_two_minutes(service: Service) -> None:
    newcomer, *_ = triggerers = some(16)
    newcomer.begins = 120.0
    run(triggerers, service, 360.0, seed=0)
    found = shares(triggerers, 240.0, 360.0, ALLOWED)
    assert found.least >= 0.4
    assert shares([newcomer], 240.0, 360.0, ALLOWED).answered >= 0.5 * found.answered / 16


def test_a_lone_triggerer_is_rarely_refused_even_with_a_varying_latency() -> None:
    triggerers = some(1)
    run(triggerers, Service(window="sliding", travel_jitter=0.05), END, seed=0)
    found = shares(triggerers, SETTLED, END, ALLOWED)
    assert found.refused < 0.01
    assert found.answered > 0.8


def test_adapts_to_a_smaller_allowance_than_configured() -> None:
    triggerers = some(1)
    run(triggerers, Service(requests_per_second=8, window="sliding"), END, seed=0)
    found = shares(triggerers, 30.0, END, 8.0)
    assert found.answered > 0.85
    assert found.refused < 0.05


@pytest.mark.parametrize(("number", "allowed"), [(1, 0.5), (1, 1.0), (8, 0.5), (8, 1.0)])
@pytest.mark.parametrize(
    ("window", "counts_refused", "answered"), [("fixed", False, 0.5), ("bucket", False, 0.5), ("sliding", True, 0.3)]
)
def test_a_very_low_allowance_is_used_and_no_triggerer_is_silenced(
    number: int, allowed: float, window: WindowKind, counts_refused: bool, answered: float
) -> None:
    triggerers = some(number, allowed)
    run(triggerers, Service(allowed, window, counts_refused), 3000.0, seed=0)
    found = shares(triggerers, 300.0, 3000.0, allowed)
    # Windows of one or two requests are rarely free when eight ask at moments of their own.
    assert found.answered > (0.75 if number == 1 else answered)
    assert found.least > 0.0


def test_little_demand_is_met_beside_triggerers_that_send_as_much_as_they_may() -> None:
    busy, little = some(4), some(4, demand=0.5)
    run([*busy, *little], FREE, END, seed=0)
    assert shares(little, SETTLED, END, 4 * 0.5).answered > 0.85
    assert shares([*busy, *little], SETTLED, END, ALLOWED).answered >= 0.88
    assert shares(busy, SETTLED, END, ALLOWED).least >= 0.5


def test_shares_what_a_stranger_leaves() -> None:
    triggerers = some(4)
    run(triggerers, Service(window="fixed", stranger=ALLOWED / 2), END, seed=0)
    found = shares(triggerers, SETTLED, END, ALLOWED / 2)
    assert found.answered >= 0.9
    assert found.refused < 0.05
    assert found.least >= 0.5


@pytest.mark.parametrize("refused", [0.05, 0.3, 0.9])
def test_random_refusals_never_silence_a_triggerer(refused: float) -> None:
    triggerers = some(1)
    run(triggerers, Service(refuses_at_random=refused), 600.0, seed=0)
    assert shares(triggerers, 300.0, 600.0, ALLOWED).answered >= 0.9 * (1 - refused) / 64


@pytest.mark.parametrize("number", [1, 4, 32])
def test_triggerers_share_an_account_that_asks_them_to_wait_a_second(number: int) -> None:
    triggerers = some(number)
    run(triggerers, Service(window="fixed", retry_after=1.0), 420.0, seed=0)
    found = shares(triggerers, 120.0, 420.0, ALLOWED)
    assert found.answered >= 0.9
    assert found.refused < 0.1
    assert found.least >= 0.4


@pytest.mark.parametrize("number", [4, 16])
@pytest.mark.parametrize(("service", "answered"), [(FREE, 0.95), (COUNTED, 0.75)], ids=["free", "counted"])
def test_gates_that_always_have_requests_to_send_share_an_account(
    number: int, service: Service, answered: float
) -> None:
    """The same as above with the gates themselves, each with 20 senders, in one event loop on a simulated clock."""
    limiter = make_limiter(service.window, ALLOWED, service.counts_refused)
    chance = random.Random(0)
    counted: list[tuple[int, bool]] = []

    async def request(of: int) -> None:
        now = asyncio.get_running_loop().time
        await asyncio.sleep(0.01 + chance.expovariate(200))
        admitted = limiter.admit(now())
        if SETTLED <= now() < END:
            counted.append((of, admitted))
        await asyncio.sleep(chance.uniform(0.02, 0.1))
        if not admitted:
            raise Throttled("one too many", code="Throttling")

    async def send_for_ever(gate: Gate, of: int) -> None:
        earlier = None
        while True:
            try:
                await gate.send(lambda: request(of), kind=Kind.POLL, earlier=earlier)
                earlier = None
            except Throttled:
                earlier = gate.tally

    async def body() -> None:
        gates = [Gate() for _ in range(number)]
        for gate in gates:
            gate.state("a connection", ALLOWED)
        senders = [asyncio.create_task(send_for_ever(gate, of)) for of, gate in enumerate(gates) for _ in range(20)]
        await asyncio.sleep(END)
        for sender in senders:
            sender.cancel()

    run_simulated(body())
    each = [counted.count((of, True)) for of in range(number)]
    assert sum(each) >= answered * ALLOWED * (END - SETTLED)
    assert 1 - sum(each) / len(counted) < 0.05
    assert min(each) >= 0.5 * sum(each) / number
