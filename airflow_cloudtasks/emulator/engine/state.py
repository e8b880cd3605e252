"""Everything the emulator remembers, behind one lock."""

from __future__ import annotations

import itertools
import random
import threading
import time
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.faults import Faults
from airflow_cloudtasks.emulator.engine.journal import Journal
from airflow_cloudtasks.emulator.engine.keys import KeyRing
from airflow_cloudtasks.emulator.engine.ledger import Ledger
from airflow_cloudtasks.emulator.engine.limits import Limits
from airflow_cloudtasks.emulator.engine.metadata_tokens import MetadataTokens
from airflow_cloudtasks.emulator.engine.nonces import Nonces
from airflow_cloudtasks.emulator.engine.plans import Plans
from airflow_cloudtasks.emulator.engine.queues import Queues
from airflow_cloudtasks.emulator.engine.sts import StsSettings, issue
from airflow_cloudtasks.emulator.engine.tasks import TaskStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_cloudtasks.emulator.engine.keys import Session
    from airflow_cloudtasks.emulator.engine.queues import Queues
from airflow_cloudtasks.emulator.engine.sts import Issued

NO_LATENCY = (0.0, 0.0)
# Higher than the numbers that tests give to their own tasks.
_FIRST_NUMBER = 100_001


class State:
    """The emulator's memory. The server's thread and a test's thread share it: hold ``lock`` for each use.

    Args:
        wall_clock: Returns Unix seconds. Signatures are checked against it.
        random_number: Returns a number in [0, 1). It decides whether a request fails, how late an answer is, and which
            events are lost.
        latency: The initial least and most seconds by which every answer is late.

    Attributes:
        lock: Held while a request is decided, never during an await.
        keys: The access keys.
        nonces: The used nonces.
        queues: The message queues.
        tasks: The tasks.
        plans: The scripts and fields of the tasks that later requests start.
        ledger: The tasks that requests have started and canceled.
        tokens: The id of the task that each client token stands for, by account, action and token.
        numbers: Ids for tasks of products that number them.
        limits: The request limits.
        faults: The injected faults.
        latency: The least and most seconds by which every answer of the clouds is late.
        journal: The requests that came in.
        sts: The settings of the token services and the metadata services.
        metadata_tokens: The tokens of Alibaba Cloud's metadata service.
        regions: The regions that Tencent Cloud has; None for any.
        skew: By how many seconds the clouds' clock is ahead of this machine's.
    """

    def __init__(
        self,
        wall_clock: Callable[[], float] = time.time,
        random_number: Callable[[], float] = random.random,
        latency: tuple[float, float] = NO_LATENCY,
    ) -> None:
        self.lock = threading.RLock()
        self.keys = KeyRing()
        self.nonces = Nonces()
        self.queues = Queues(random_number)
        self.tasks = TaskStore(self.queues.watch)
        self.plans = Plans()
        self.ledger = Ledger()
        self.tokens: dict[tuple[str, str, str], str] = {}
        # Not reset, so that an id that a client still holds never names another task.
        self.numbers = itertools.count(_FIRST_NUMBER)
        self.limits = Limits()
        self.faults = Faults(random_number)
        self.latency = self._first_latency = latency
        self.journal = Journal()
        self.sts = StsSettings()
        self.metadata_tokens = MetadataTokens()
        self._wall_clock = wall_clock
        self._random_number = random_number
        self._ahead = 0.0
        self.skew = 0.0
        self.regions: tuple[str, ...] | None = None

    def now(self) -> float:
        """Return the clouds' time in Unix seconds, by which requests and answers are dated."""
        return self._wall_clock() + self.skew

    def task_now(self) -> float:
        """Return the time of the tasks in Unix seconds, which :meth:`advance` moves without affecting signatures."""
        return self.now() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move the tasks' clock forward."""
        self._ahead += seconds

    def draw_latency(self) -> float:
        """Return by how many seconds the next answer is late."""
        lowest, highest = self.latency
        return lowest + (highest - lowest) * self._random_number()

    def issue_key(self, session: Session, asked_seconds: float) -> Issued:
        """Return a new temporary key of a session, accepted from now on; the STS settings may change its lifetime."""
        issued = issue(session, self.sts, asked_seconds, self.now())
        self.keys.add_issued(issued.key, session.cloud)
        return issued

    def reset(self) -> None:
        """Restore the initial state: one key, the first settings, and no tasks, limits, faults or requests."""
        self.keys.restore()
        self.nonces.clear()
        self.tasks.clear()
        self.queues.clear()
        self.plans.clear()
        self.ledger.clear()
        self.tokens.clear()
        self.limits.set(None)
        self.faults.clear()
        self.latency = self._first_latency
        self.journal.clear()
        self.sts = StsSettings()
        self.metadata_tokens.clear()
        self._ahead = self.skew = 0.0
        self.regions = None
