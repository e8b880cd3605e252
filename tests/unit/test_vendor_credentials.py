"""A refused key is replaced, also while a fetch is in progress."""

from __future__ import annotations

import threading

import pytest

from airflow_cloudtasks.clouds.credentials import source as module
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, VendorCredentials
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint
from airflow_cloudtasks.errors import CloudTasksError

SETTINGS = CredentialSettings(sts=Endpoint("https://sts.invalid"))
FIRST, SECOND = Credentials("first", "secret-1"), Credentials("second", "secret-2")


class Vendor:
    """Makes sources that return one key each, as the vendors' classes do until it is about to expire."""

    def __init__(self) -> None:
        self.keys = [FIRST, SECOND]
        self.slow = threading.Event()
        self.slow.set()
        self.asked = threading.Semaphore(0)

    def make(self, settings: CredentialSettings):
        key = self.keys.pop(0)

        def ask() -> Credentials:
            self.asked.release()
            assert self.slow.wait(10)
            return key

        return ask


def explain(error: Exception, endpoint: str) -> CloudTasksError:
    return CloudTasksError(f"{type(error).__name__} at {endpoint}")


def test_renews_a_refused_key_once() -> None:
    source = VendorCredentials(Vendor().make, SETTINGS, explain)
    assert source.get() == FIRST
    assert source.renew(FIRST)
    assert source.get() == SECOND
    assert source.renew(FIRST)
    assert source.get() == SECOND


def test_a_fetch_in_progress_does_not_restore_a_refused_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ASK_AGAIN_SECONDS", -1.0)
    vendor = Vendor()
    source = VendorCredentials(vendor.make, SETTINGS, explain)
    assert source.get() == FIRST
    assert vendor.asked.acquire(timeout=10)
    vendor.slow.clear()
    assert source.get() == FIRST
    assert vendor.asked.acquire(timeout=10), "the background fetch did not begin"
    assert source.renew(FIRST)
    vendor.slow.set()
    assert source.get() == SECOND
    assert source.get() == SECOND


def test_keeps_the_current_credentials_when_a_refresh_fails(monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    monkeypatch.setattr(module, "_ASK_AGAIN_SECONDS", -1.0)
    answers = iter([FIRST])
    source = VendorCredentials(lambda settings: lambda: next(answers), SETTINGS, explain)
    assert source.get() == FIRST
    assert source.get() == FIRST
    source._start().exception(timeout=10)
    assert source.get() == FIRST
    assert "Keeping the credentials held so far: StopIteration at https://sts.invalid" in caplog.text
