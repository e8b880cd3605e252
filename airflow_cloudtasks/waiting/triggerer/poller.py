"""One poller for all waits of an event loop on the same API, connection and region. Thin: it sends, sleeps and tells.

Whom to ask next is decided in schedule.py, how fast in budget.py, whether by a list in listing.py, and what an answer
means to a wait in watch.py.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.clouds.event_loop import PerEventLoop
from airflow_cloudtasks.errors import CloudApiError, CredentialsError, InvalidConnection, Throttled
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.protocol.normalise import glance, normalise, normalise_object, task_object
from airflow_cloudtasks.waiting.triggerer.budget import Budget
from airflow_cloudtasks.waiting.triggerer.budgets import budget_of
from airflow_cloudtasks.waiting.triggerer.metrics import PollerMetrics
from airflow_cloudtasks.waiting.triggerer.schedule import Schedule, Subject
from airflow_cloudtasks.waiting.triggerer.sweep import ListCost, Sweep, since
from airflow_cloudtasks.waiting.triggerer.watch import Watch
from airflow_cloudtasks.waiting.verdicts import Outcome, Waiting, judge

if TYPE_CHECKING:
    from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
    from airflow_cloudtasks.spec import Action, TaskApi, TaskList

_log = logging.getLogger(__name__)

# Requests of one poller that may be under way at once, also when the service hangs.
_MAX_UNDER_WAY = 64

_REPORT_SECONDS = 60.0

_DEADLINES_SECONDS = 1.0

# Seconds for one page of a list, and how many refusals of its pages for being too many: while a list is read, its tasks
# are not asked for singly.
_PAGE_SECONDS = 10.0
_THROTTLED_PAGES = 3

# Seconds; the longest rest between two tries to look the Airflow connection up.
_LONGEST_REST = 60.0

# Seconds until it is looked again whether a list is worth it; a look takes a millisecond or two for ten thousand tasks.
_LOOK_AGAIN_SECONDS = 0.5

# Waits that are told of something in one go; the event loop is others' as well.
_AT_ONCE = 50


class Poller:
    """Asks for the tasks of all its waits, within what the account is allowed.

    Args:
        api: The API.
        conn_id: The Airflow connection; the cloud's default one if not given.
        region: The region, against the connection's own.
    """

    def __init__(self, api: TaskApi, conn_id: str | None, region: str | None) -> None:
        self.api = api
        self.named = (conn_id, region)
        self.users = 0
        self._hook = hook_for(api, conn_id, region)
        self._loop = asyncio.get_running_loop()
        self._schedule = Schedule()
        self._report = PollerMetrics(api.name, self._hook.conn_id)
        self._budgets: dict[str, Budget] = {}
        self._news = asyncio.Event()
        self._slots = asyncio.Semaphore(_MAX_UNDER_WAY)
        self._under_way: set[asyncio.Task[None]] = set()
        self._lists: dict[tuple[str, ...], ListCost] = {}
        self._sweeping: set[tuple[str, ...]] = set()
        self._looked_in_vain_at: dict[tuple[str, ...], float] = {}
        self._lookups_failed = 0
        self._refused_at = float("-inf")
        self._start(self._run())
        self._start(self._keep_deadlines())
        self._start(self._tell_every_minute())

    def parameters(self, cloud_task_id: str, api_params: Mapping[str, Any] | None) -> dict[str, Any]:
        """Give the parameters that name a task.

        Raises:
            InvalidArguments: They cannot name one.
        """
        return self._hook.parameters(self.api, cloud_task_id, api_params)

    def add(self, parameters: Mapping[str, Any], watch: Watch) -> None:
        """Take up a wait.

        Args:
            parameters: What :meth:`parameters` gave.
            watch: The wait, on the clock of the event loop.
        """
        self._schedule.add(parameters, watch, self._loop.time())
        self._news.set()

    def remove(self, watch: Watch) -> None:
        """Let go of a wait; it may be over already."""
        self._schedule.remove(watch)

    async def close(self) -> None:
        """Stop, and free everything."""
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        async with self._hook:
            while True:
                await self._next_turn()

    async def _next_turn(self) -> None:
        """Send what is due, or sleep until something is."""
        now = self._loop.time()
        subject = self._schedule.first_due(now)
        if subject is None:
            await self._sleep_until(self._schedule.next_at())
            return
        if subject.listed is not False and self._starts_sweep(subject, now):
            return
        await self._slots.acquire()
        due, subject = now, None
        try:
            budget = await self._place(self.api.read)
            now, self._lookups_failed = self._loop.time(), 0
            # Another one may have come to be due first meanwhile.
            if (subject := self._schedule.first_due(now)) is not None:
                due = self._schedule.begin(subject, now)
                self._start(self._poll(subject, due, budget))
        except InvalidConnection as error:
            await self._hand_to_all(error)
        except CloudApiError as error:  # the Airflow connection could not be looked up, for the moment
            rest = min(2.0**self._lookups_failed, _LONGEST_REST)
            self._lookups_failed += 1
            _log.warning("%s: looking again in %.0f s. %s", self.api.name, rest, error)
            await asyncio.sleep(rest)
        finally:
            if subject is None:
                self._slots.release()

    async def _sleep_until(self, moment: float | None) -> None:
        self._news.clear()
        try:
            async with asyncio.timeout_at(moment):
                await self._news.wait()
        except TimeoutError:
            return

    async def _place(self, action: Action) -> Budget:
        """Wait for a place in the row of requests."""
        client = await self._hook.aget_conn()
        budget = self._budgets[action.name] = budget_of(client, self.api, action)
        await asyncio.sleep(budget.reserve(self._loop.time()) - self._loop.time())
        return budget

    async def _call(
        self, action: Action, parameters: Mapping[str, Any], budget: Budget, *, is_news: bool = True
    ) -> dict[str, Any]:
        """Send a request; ``is_news`` tells whether its being throttled says something of the rate."""
        sent_at = self._loop.time()
        self._report.polled()
        try:
            answer = await self._hook.acall_once(self.api.service, action, parameters)
        except Throttled as error:
            self._report.throttled()
            if is_news:
                budget.throttled(sent_at, self._loop.time(), error.retry_after)
            raise
        budget.succeeded()
        return answer

    async def _poll(self, subject: Subject, due: float, budget: Budget) -> None:
        """Read one task, and hand the answer to those who wait for it."""
        sent_at = self._loop.time()
        try:
            answer = await self._call(self.api.read, subject.parameters, budget, is_news=not subject.throttled)
            region = (await self._hook.aget_conn()).region
        except Throttled:
            # No outcome at all: it is asked again as soon as the budget allows.
            self._schedule.put_back_throttled(subject, due, self._loop.time())
        except (CredentialsError, InvalidConnection) as error:
            if sent_at > self._refused_at:
                # All of them have the same key: it need not be refused to each of them.
                self._refused_at = self._loop.time()
                await self._hand_to_all(error)
            self._settle(subject, _always(error))
        except CloudApiError as error:
            self._settle(subject, _always(error))
        except Exception as error:  # a defect, or parameters that no request can hold: none of the others' business
            _crash(subject, error)
        else:
            self._settle(
                subject,
                lambda overrides: normalise(
                    self.api, answer, parameters=subject.parameters, region=region, overrides=overrides
                ),
            )
            subject.glance = glance(self.api, task_object(self.api, answer))
        finally:
            self._slots.release()
            self._news.set()

    def _settle(self, subject: Subject, read: Callable[[StatusOverrides], Outcome]) -> None:
        """Hand an answer to those who wait for it; what it says may depend on the statuses that they know."""
        outcomes: dict[StatusOverrides, Outcome] = {}
        for watch in subject.watches:
            if watch.overrides not in outcomes:
                try:
                    outcomes[watch.overrides] = read(watch.overrides)
                except CloudApiError as error:
                    outcomes[watch.overrides] = error
        for outcome in outcomes.values():
            if isinstance(outcome, CloudTask) and outcome.done:
                self._report.noticed(outcome)
        self._schedule.settle(
            subject, {watch: outcomes[watch.overrides] for watch in subject.watches}, self._loop.time()
        )

    async def _hand_to_all(self, error: CloudApiError | InvalidConnection) -> None:
        """Let everyone know of an error that is everyone's."""
        await self._hand_to([subject for subject in self._schedule if subject.due is not None], error)

    async def _hand_to(self, subjects: Sequence[Subject], error: CloudApiError | InvalidConnection) -> None:
        for number, subject in enumerate(subjects):
            self._settle(subject, _always(error))
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)

    def _starts_sweep(self, due: Subject, now: float) -> bool:
        """Read a list instead, if there is one and it costs less."""
        if (listing := self.api.list_tasks) is None:
            return False
        scope = self._scope(due)
        looked_at = self._looked_in_vain_at.get(scope, float("-inf"))
        if scope in self._sweeping or now - looked_at < _LOOK_AGAIN_SECONDS:
            return False
        ripe = [
            subject
            for subject in self._schedule
            if subject.listed is not False and subject.is_ripe(now) and self._scope(subject) == scope
        ]
        if listing.since_param:
            # Without the time from which on to list, the list is as long as the account is old.
            ripe = [subject for subject in ripe if _created(subject)] or ripe
        cost = self._lists.setdefault(scope, ListCost(listing.page_size))
        if not cost.is_worth_it(len(ripe), now):
            self._looked_in_vain_at[scope] = now
            return False
        self._sweeping.add(scope)
        wanted = {str(subject.parameters[self.api.id_param]): subject for subject in ripe}
        for subject in wanted.values():
            self._schedule.begin(subject, now)
        self._start(self._sweep(listing, scope, wanted, cost))
        return True

    async def _sweep(
        self, listing: TaskList, scope: tuple[str, ...], wanted: dict[str, Subject], cost: ListCost
    ) -> None:
        """Read a list until all that are wanted are found, or it is not worth going on."""
        found_in = dict(zip(listing.action.params, scope, strict=True))
        asked, throttled = len(wanted), 0
        sweep = Sweep(self.api, found_in, wanted, since([_created(subject) for subject in wanted.values()]))
        try:
            while sweep.next_page is not None:
                budget = await self._place(listing.action)
                try:
                    async with asyncio.timeout(_PAGE_SECONDS):
                        answer = await self._call(listing.action, sweep.next_page, budget)
                except Throttled:
                    throttled += 1
                    if throttled >= _THROTTLED_PAGES:
                        raise
                    continue
                region = (await self._hook.aget_conn()).region
                for number, (task_id, task) in enumerate(sweep.take(answer)):
                    if (subject := wanted.pop(task_id, None)) is not None:
                        self._take_listed(listing, subject, task, answer, region)
                    if number % _AT_ONCE == _AT_ONCE - 1:
                        await asyncio.sleep(0)
            if sweep.missing and not sweep.is_complete:
                # With a few more to look for, it would be as full of others as it is now.
                cost.learn_too_long(2 * asked, self._loop.time())
            else:
                cost.learn(sweep.pages, self._loop.time())
        except (CredentialsError, InvalidConnection) as error:
            refused = list(wanted.values())
            wanted.clear()
            await self._hand_to(refused, error)
            await self._hand_to_all(error)
        except (CloudApiError, TimeoutError) as error:
            if isinstance(error, TimeoutError) or error.retryable:
                cost.learn_failed(self._loop.time())
            else:
                _log.warning("%s: its tasks are read one by one for a while. %s", self.api.name, error)
                cost.learn_refused(self._loop.time())
        finally:
            self._sweeping.discard(scope)
            now = self._loop.time()
            for subject in wanted.values():
                subject.listed = False if sweep.is_complete else None
                self._schedule.put_back(subject, now)
            self._news.set()

    def _take_listed(
        self, listing: TaskList, subject: Subject, task: Mapping[str, Any], answer: Any, region: str | None
    ) -> None:
        """Take what a list says of a task: it goes on, or it has ended; whatever is not clear is read singly."""
        now = self._loop.time()
        subject.listed = True
        seen = glance(self.api, task)
        if subject.glance == seen:
            self._schedule.settle_same(subject, now)
            return

        def read(overrides: StatusOverrides) -> CloudTask:
            return normalise_object(
                self.api, task, answer, parameters=subject.parameters, region=region, overrides=overrides
            )

        if listing.complete or self._goes_on(subject, read):
            self._settle(subject, read)
            subject.glance = seen
        else:
            subject.listed = False
            self._schedule.put_back(subject, now)

    @staticmethod
    def _goes_on(subject: Subject, read: Callable[[StatusOverrides], CloudTask]) -> bool:
        try:
            return all(isinstance(judge(read(watch.overrides), watch.rules), Waiting) for watch in subject.watches)
        except CloudApiError:
            return False

    def _scope(self, subject: Subject) -> tuple[str, ...]:
        listing = self.api.list_tasks
        return tuple(str(subject.parameters[name]) for name in listing.action.params) if listing else ()

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        # Of no trigger's context: what a poller logs is no line of the task that happened to come first.
        task = self._loop.create_task(coroutine, context=contextvars.Context())
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A defect of this package: every wait ends by it, none hangs, and whoever comes later gets another poller.
            _forget(self)
            for subject in self._schedule:
                _crash(subject, error)

    async def _keep_deadlines(self) -> None:
        """End waits in time, also while a look-up hangs or the service asks for a pause."""
        while True:
            await asyncio.sleep(_DEADLINES_SECONDS)
            self._schedule.time_out(self._loop.time())

    async def _tell_every_minute(self) -> None:
        while True:
            began = self._loop.time()
            await asyncio.sleep(_REPORT_SECONDS)
            rates = {action: budget.rate for action, budget in self._budgets.items()}
            self._report.tell(self._schedule.waits, rates, self._loop.time() - began)


def _always(outcome: Outcome) -> Callable[[StatusOverrides], Outcome]:
    return lambda _: outcome


def _crash(subject: Subject, error: BaseException) -> None:
    for watch in subject.watches:
        watch.crash(error)


def _created(subject: Subject) -> Any:
    seen = (watch.last.created_at for watch in subject.watches if isinstance(watch.last, CloudTask))
    return next(seen, None)


_pollers: PerEventLoop[list[Poller]] = PerEventLoop(list)


def join_poller(api: TaskApi, conn_id: str | None, region: str | None) -> Poller:
    """Find, or start, the poller of an API, a connection and a region; :func:`leave_poller` ends its use.

    Args:
        api: The API.
        conn_id: The Airflow connection; the cloud's default one if not given.
        region: The region, against the connection's own.
    """
    pollers = _pollers.get()
    poller = next((other for other in pollers if other.named == (conn_id, region) and other.api == api), None)
    if poller is None:
        poller = Poller(api, conn_id, region)
        pollers.append(poller)
    poller.users += 1
    return poller


async def leave_poller(poller: Poller) -> None:
    """End the use of a poller; the last user stops it."""
    poller.users -= 1
    if not poller.users:
        _forget(poller)
        await poller.close()


def _forget(poller: Poller) -> None:
    pollers = _pollers.get()
    if poller in pollers:
        pollers.remove(poller)
