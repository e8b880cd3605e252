"""Fetched credentials are shared, renewed before they expire, and kept while a renewal fails. The time is simulated."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from airflow_cloudtasks.clouds.credentials import source as module
from airflow_cloudtasks.clouds.credentials.fetching import fetch_error
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, Fetched, FetchedCredentials
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint
from airflow_cloudtasks.errors import (
    BadRequest,
    CloudApiError,
    CloudTasksError,
    CredentialsError,
    NotFound,
    Throttled,
    TransientError,
)

SETTINGS = CredentialSettings(cloud="alibaba", sts=Endpoint("https://sts.invalid"))
FIRST, SECOND = Credentials("first", "secret-1"), Credentials("second", "secret-2")
HOUR = 3600.0


class Clock:
    """A steady clock and a clock of the day that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def read(self) -> float:
        return self.now


class Service:
    """Answers each fetch with the next of its answers, and the last one again and again."""

    def __init__(self, clock: Clock, *answers: Credentials | CloudTasksError, lifetime: float | None = HOUR) -> None:
        self.clock = clock
        self.answers = list(answers)
        self.lifetime = lifetime
        self.fetches = 0

    def fetch(self) -> Fetched:
        self.fetches += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, CloudTasksError):
            raise answer
        return Fetched(answer, None if self.lifetime is None else self.clock.now + self.lifetime)


class AtOnce:
    """Runs what it is given at once, in the thread of the caller."""

    def submit(self, function: Callable[..., Credentials], *arguments: object) -> Future[Credentials]:
        future: Future[Credentials] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.read, time=clock.read))
    return clock


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # The lock is not held while a fetch runs in another thread; here the fetch needs it again.
    monkeypatch.setattr(module, "Lock", threading.RLock)
    monkeypatch.setattr(module, "_executor", lambda _: AtOnce())


def source_of(service: Service) -> FetchedCredentials:
    return FetchedCredentials(service.fetch, SETTINGS)


def current(source: FetchedCredentials) -> Credentials:
    """The credentials after a renewal in the background, if one is due."""
    source.get()
    source._running = None
    return source.get()


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize(
    ("lifetime", "renewed_after"),
    [(HOUR, HOUR - 900), (2 * HOUR, 2 * HOUR - 900), (900.0, 675.0), (100.0, 75.0), (1.0, 30.0), (-5.0, 30.0)],
)
def test_renews_credentials_minutes_before_they_expire(clock: Clock, lifetime: float, renewed_after: float) -> None:
    service = Service(clock, FIRST, SECOND, lifetime=lifetime)
    source = source_of(service)
    source.get()
    source._running = None
    clock.now += renewed_after - 0.1
    assert (current(source), service.fetches) == (FIRST, 1)
    clock.now += 0.2
    assert (current(source), service.fetches) == (SECOND, 2)


@pytest.mark.usefixtures("_at_once")
def test_never_renews_a_key_that_does_not_expire(clock: Clock) -> None:
    service = Service(clock, FIRST, SECOND, lifetime=None)
    source = source_of(service)
    source.get()
    source._running = None
    clock.now += 1e9
    assert (current(source), service.fetches) == (FIRST, 1)


@pytest.mark.usefixtures("_at_once")
def test_keeps_the_current_credentials_when_a_renewal_fails(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    failure = TransientError("the connection failed", code="ConnectionError")
    service = Service(clock, FIRST, failure, SECOND)
    source = source_of(service)
    source.get()
    source._running = None
    clock.now += HOUR - 899
    assert current(source) == FIRST
    assert "Keeping the credentials held so far: The call failed: ConnectionError" in caplog.text
    # Not before half a minute is over.
    clock.now += 29
    assert (current(source), service.fetches) == (FIRST, 2)
    clock.now += 2
    assert (current(source), service.fetches) == (SECOND, 3)


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize(
    ("failure", "pause"),
    [
        (TransientError("busy"), 1.0),
        (TransientError("busy", retry_after=20.0), 20.0),
        (Throttled("busy", retry_after=86_400.0), 300.0),
        (CredentialsError("refused"), 0.0),
    ],
)
def test_a_failed_fetch_answers_for_all_who_ask_at_the_same_time(
    clock: Clock, failure: CloudTasksError, pause: float
) -> None:
    service = Service(clock, failure, FIRST)
    source = source_of(service)
    for _ in range(3 if pause else 1):
        with pytest.raises(type(failure)):
            source.get()
        source._running = None
    assert service.fetches == 1
    clock.now += pause
    assert source.get() == FIRST


@pytest.mark.usefixtures("_at_once")
def test_renews_refused_credentials_once(clock: Clock) -> None:
    source = source_of(Service(clock, FIRST, SECOND))
    assert source.get() == FIRST
    assert source.renew(FIRST)
    assert source.get() == SECOND
    assert source.renew(FIRST)
    assert source.get() == SECOND


@pytest.mark.usefixtures("_at_once")
def test_a_caller_that_comes_as_a_fetch_ends_does_not_fetch_again(clock: Clock) -> None:
    service = Service(clock, FIRST, SECOND)
    source = source_of(service)
    source.get()
    source._running = None
    # It saw no credentials, and then lost the processor until the fetch of another thread had ended.
    assert source._start().result() == FIRST
    assert service.fetches == 1


def test_a_fetch_in_progress_does_not_restore_refused_credentials(clock: Clock) -> None:
    slow, asked = threading.Event(), threading.Semaphore(0)
    slow.set()
    keys = [FIRST, FIRST, SECOND]

    def fetch() -> Fetched:
        key = keys.pop(0)
        asked.release()
        assert slow.wait(10)
        return Fetched(key, clock.now + HOUR)

    source = FetchedCredentials(fetch, SETTINGS)
    assert source.get() == FIRST
    assert asked.acquire(timeout=10)
    slow.clear()
    clock.now += HOUR
    assert source.get() == FIRST
    assert asked.acquire(timeout=10), "the background fetch did not begin"
    assert source.renew(FIRST)
    slow.set()
    assert source.get() == SECOND
    assert source.get() == SECOND


def test_a_bug_in_a_fetch_is_raised_and_the_next_caller_fetches_again(clock: Clock) -> None:
    answers: list[Exception | Fetched] = [KeyError("bug"), Fetched(FIRST)]

    def fetch() -> Fetched:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    source = FetchedCredentials(fetch, SETTINGS)
    with pytest.raises(KeyError):
        source.get()
    assert source.get() == FIRST


def test_a_forked_process_waits_for_no_thread_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    parent, asked, ended = os.getpid(), threading.Event(), threading.Event()

    def fetch() -> Fetched:
        if os.getpid() != parent:
            return Fetched(SECOND)
        asked.set()
        ended.wait()  # as a thread that the fork does not copy
        return Fetched(FIRST)

    source = FetchedCredentials(fetch, SETTINGS)
    with ThreadPoolExecutor() as callers:
        in_parent = callers.submit(source.get)
        asked.wait()
        with monkeypatch.context() as forked:
            forked.setattr(os, "getpid", lambda: parent + 1)
            in_child = callers.submit(source.get)
            try:
                assert in_child.result(timeout=10) == SECOND
            finally:
                ended.set()
        assert in_parent.result() == FIRST


@pytest.mark.parametrize("kind", [NotFound, BadRequest])
def test_a_refusal_of_a_session_says_nothing_about_a_task(kind: type[CloudApiError]) -> None:
    """After a clear, a task whose read is a BadRequest is started anew, although it may still run."""
    error = fetch_error(kind("no such duration", code="InvalidParameter"), "STS AssumeRole")
    assert type(error) is CredentialsError
    assert (error.code, error.unsent, error.message) == ("InvalidParameter", True, "no such duration")
