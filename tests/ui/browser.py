"""Starts a real Chromium: Debian's (``apt-get install chromium``), or what the environment variable CHROMIUM names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

PAGE_MILLISECONDS = 60_000
_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Run a browser for the length of the block."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        pytest.fail("install Chromium: apt-get install chromium, or set CHROMIUM to its path", pytrace=False)
    expect.set_options(timeout=PAGE_MILLISECONDS)
    with sync_playwright() as playwright:
        # Without a user data folder of ours, Playwright makes an empty one.
        running = playwright.chromium.launch(
            executable_path=chromium, headless=True, args=_ARGUMENTS, timeout=PAGE_MILLISECONDS
        )
        yield running
        running.close()
