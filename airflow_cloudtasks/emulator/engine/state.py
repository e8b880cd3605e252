"""Everything the emulator remembers, behind one lock."""

from __future__ import annotations

import itertools
import random
import threading
import time
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.faults import Faults
from airflow_cloudtasks.emulator.engine.journal import Journal
from airflow_cloudtasks.emulator.engine.keys import KeyRing, Nonces
from airflow_cloudtasks.emulator.engine.ledger import Ledger
from airflow_cloudtasks.emulator.engine.limits import Limits
from airflow_cloudtasks.emulator.engine.metadata_tokens import MetadataTokens
from airflow_cloudtasks.emulator.engine.plans import Plans
from airflow_cloudtasks.emulator.engine.sts import StsSettings
from airflow_cloudtasks.emulator.engine.tasks import TaskStore

if TYPE_CHECKING:
    from collections.abc import Callable

NO_LATENCY = (0.0, 0.0)
# Above the numbers that people give to tasks of their own.
_FIRST_NUMBER = 100_001


class State:
    """The emulator's memory. The server's thread and a test's thread both use it: take ``lock`` around each use.

    Args:
        wall_clock: Gives Unix seconds. Signatures are held against it.
        dice: Gives a number from 0 up to, and without, 1: decides whether a fault strikes and how late an answer is.
        latency: Between how many seconds every answer is late at the start.

    Attributes:
        lock: Held while a request is decided, never while something is awaited.
        keys: The access keys.
        nonces: The nonces seen.
        tasks: The tasks.
        plans: How the tasks that requests start will go.
        ledger: Which tasks requests have started and canceled.
        tokens: The task that each client token stands for, by account, action and token.
        numbers: Ids for tasks of products that number them.
        limits: The request limits.
        faults: The injected faults.
        latency: Between how many seconds every answer of the clouds is late.
        journal: What came in.
        sts: What the token services and the metadata services demand and give.
        metadata_tokens: The tokens of Alibaba Cloud's metadata service.
    """

    def __init__(
        self,
        wall_clock: Callable[[], float] = time.time,
        dice: Callable[[], float] = random.random,
        latency: tuple[float, float] = NO_LATENCY,
    ) -> None:
        self.lock = threading.RLock()
        self.keys = KeyRing()
        self.nonces = Nonces()
        self.tasks = TaskStore()
        self.plans = Plans()
        self.ledger = Ledger()
        self.tokens: dict[tuple[str, str, str], str] = {}
        # Goes on after a reset: an id that a client still holds names no other task.
        self.numbers = itertools.count(_FIRST_NUMBER)
        self.limits = Limits()
        self.faults = Faults(dice)
        self.latency = self._first_latency = latency
        self.journal = Journal()
        self.sts = StsSettings()
        self.metadata_tokens = MetadataTokens()
        self._wall_clock = wall_clock
        self._dice = dice
        self._ahead = 0.0

    def now(self) -> float:
        """Tell the time that requests are dated by.

        Returns:
            Unix seconds.
        """
        return self._wall_clock()

    def task_now(self) -> float:
        """Tell the time that tasks live by, which a test may put forward without spoiling any signature.

        Returns:
            Unix seconds.
        """
        return self._wall_clock() + self._ahead

    def advance(self, seconds: float) -> None:
        """Put the tasks' clock forward.

        Args:
            seconds: By how much.
        """
        self._ahead += seconds

    def draw_latency(self) -> float:
        """Draw how late the next answer is.

        Returns:
            Seconds.
        """
        lowest, highest = self.latency
        return lowest + (highest - lowest) * self._dice()

    def reset(self) -> None:
        """Go back to how it was at the start: one key, the first settings, no tasks, limits, faults or requests."""
        self.keys.restore()
        self.nonces.clear()
        self.tasks.clear()
        self.plans.clear()
        self.ledger.clear()
        self.tokens.clear()
        self.limits.set(None)
        self.faults.clear()
        self.latency = self._first_latency
        self.journal.clear()
        self.sts = StsSettings()
        self.metadata_tokens.clear()
        self._ahead = 0.0
