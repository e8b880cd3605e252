"""The operations of the control plane, each once: the Python API inherits them, and ``routes`` serves them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

from airflow_cloudtasks.emulator.control import parsing, views
from airflow_cloudtasks.emulator.control.errors import BadInputError, NotThereError
from airflow_cloudtasks.emulator.engine.ledger import describe
from airflow_cloudtasks.emulator.engine.limits import WINDOW_KINDS
from airflow_cloudtasks.emulator.engine.plans import Plan
from airflow_cloudtasks.emulator.engine.queues import Message
from airflow_cloudtasks.emulator.engine.state import State
from airflow_cloudtasks.emulator.products.discovery import find_actions
from airflow_cloudtasks.emulator.vendor.metadata import METADATA_ACTIONS
from airflow_cloudtasks.emulator.vendor.registry import Registry
from airflow_cloudtasks.emulator.vendor.smq import SMQ_APIS, announce_ends

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from airflow_cloudtasks.emulator.engine.scripts import Step
    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject
    from airflow_cloudtasks.emulator.products.shared.product import Product

# Both clouds have some of these actions under one name.
_METADATA_APIS = tuple(dict.fromkeys(action.api for action in METADATA_ACTIONS))


class StsChanges(TypedDict, total=False):
    """The arguments of :meth:`ControlPlane.sts`."""

    seconds: float | None
    valid_seconds: float | None
    external_id: str | None
    oidc_token: str | None
    role: str | None
    imds_v1: bool | None
    roles: Sequence[str] | None


class QueueChanges(TypedDict, total=False):
    """The arguments of :meth:`ControlPlane.queue`."""

    visibility: float | None
    long_polls: int | None
    lost: float | None
    doubled: float | None
    garbled: float | None
    delay: float | None
    frozen: bool | None
    base64: bool | None
    flat: bool | None


class ControlPlane:
    """Prepare an emulator, and read what it was asked. Every method may be called from any thread at any time.

    A method raises :class:`BadInputError`, a ``ValueError``, if an argument is not valid.

    Args:
        state: The emulator's memory; None for a new one.

    Attributes:
        state: The emulator's memory.
        registry: The actions that the emulator serves.
    """

    def __init__(self, state: State | None = None) -> None:
        self.state = State() if state is None else state
        self.registry = Registry(find_actions())

    def add_task(
        self,
        api: str,
        task_id: str,
        *steps: Any,
        script: Sequence[Any] | str | None = None,
        fields: JsonObject | None = None,
    ) -> None:
        """Add a task that goes through its statuses by the clock, from now.

        ``add_task("ice.workflow_task", "t1", ("Processing", 2), "Succeed")`` is processing for two seconds, and
        succeeded after that.

        Args:
            api: The API that reads it, e.g. ``ice.workflow_task``; docs/reference/emulator.md lists all of them.
            task_id: The task's id.
            *steps: Its steps in order: a pair of status and seconds; an object with ``status``, ``seconds`` and
                ``fields``; a bare status; or one list of these. The last step has no seconds and lasts for ever.
            script: The steps as one value instead.
            fields: Fields of the task's object. For WeData ``ProjectId``, and for LKE ``TaskType`` and ``BotBizId``
                are the task's scope: a request with other values does not find it. A ``wedata.task_run`` belongs to
                the workflow run that its ``WorkflowExecutionId`` names.
        """
        self.add_tasks([{"api": api, "id": task_id, "script": _script(steps, script), "fields": fields or {}}])

    def add_tasks(self, tasks: Sequence[JsonObject]) -> list[JsonObject]:
        """Add several tasks, or none if any of them is not valid.

        Args:
            tasks: For each task, an object with ``api``, ``id``, ``script`` and, optionally, ``fields``, as in
                :meth:`add_task`.

        Returns:
            The tasks, as :meth:`tasks` returns them.
        """
        with self.state.lock:
            now = self.state.task_now()
            parsed = [parsing.parse_task(task, self.registry, now) for task in tasks]
            for task in parsed:
                self.state.tasks.add(task)
            return [views.show_task_entry(task, now) for task in parsed]

    def add_running(
        self,
        api: str,
        task_id: str,
        seconds: float | None = None,
        end: str = "succeeded",
        fields: JsonObject | None = None,
    ) -> None:
        """Add a task that is running, in its product's own words.

        Args:
            api: The API that reads it.
            task_id: The task's id.
            seconds: How long it runs; None to run until :meth:`finish`.
            end: How it ends after these seconds: ``succeeded``, ``failed`` or ``canceled``.
            fields: Fields of the task's object, as in :meth:`add_task`.
        """
        self._add(api, task_id, self._running_script(api, seconds, end), fields)

    def add_finished(self, api: str, task_id: str, end: str = "succeeded", fields: JsonObject | None = None) -> None:
        """Add a task that has ended, in its product's own words.

        Args:
            api: The API that reads it.
            task_id: The task's id.
            end: How it ended: ``succeeded``, ``failed`` or ``canceled``.
            fields: Fields of the task's object, as in :meth:`add_task`.
        """
        self._add(api, task_id, (self._ending(api, end),), fields)

    def finish(
        self, task_id: str, end: str = "succeeded", api: str | None = None, fields: JsonObject | None = None
    ) -> None:
        """Let a task end now, in its product's own words.

        Args:
            task_id: The task's id. Tasks of this id in several scopes all end.
            end: How it ends: ``succeeded``, ``failed`` or ``canceled``.
            api: The API that reads it; needed only if tasks of several APIs have the id.
            fields: Fields of the task's object that change with the end.

        Raises:
            NotThereError: (a KeyError) There is no such task.
        """
        only = self._task_api(api)
        with self.state.lock:
            tasks = self.state.tasks.of_id(task_id, self.registry.task_apis if only is None else (only,))
            apis = sorted({task.api for task in tasks})
            if not apis:
                raise NotThereError(f"There is no task {task_id!r}")
            if len(apis) > 1:
                raise BadInputError(f"api: expected one of {', '.join(apis)}, since each has a task {task_id!r}")
            ending = self._ending(apis[0], end, fields)
            for task in tasks:
                task.end(ending, self.state.task_now())
                self.state.queues.watch(task)

    def tasks(self) -> list[JsonObject]:
        """Return every task as an object with its present ``status``."""
        with self.state.lock:
            now = self.state.task_now()
            return [views.show_task_entry(task, now) for task in self.state.tasks]

    def clear_tasks(self) -> None:
        """Remove every task."""
        with self.state.lock:
            self.state.tasks.clear()

    def next_script(
        self,
        api: str,
        *steps: Any,
        script: Sequence[Any] | str | None = None,
        fields: JsonObject | None = None,
        for_all: bool = False,
    ) -> None:
        """Plan how the next task goes that a request starts. Without a plan, it succeeds after some seconds.

        Another call plans the task after that one: plans are used up in order.

        Args:
            api: The API that reads the task, e.g. ``wedata.workflow_run``.
            *steps: Its steps, as in :meth:`add_task`.
            script: The steps as one value instead.
            fields: Fields of the task's object that the request does not set.
            for_all: Plan every task that has no plan of its own instead.
        """
        self.plan({"api": api, "script": _script(steps, script), "fields": fields or {}, "for_all": for_all})

    def plan(self, plan: JsonObject) -> None:
        """Plan how the next task goes that a request starts; the members are the arguments of :meth:`next_script`."""
        api, parsed, for_all = parsing.parse_plan(plan, self.registry)
        self._plan(api, parsed, for_all=for_all)

    def next_running(
        self,
        api: str,
        seconds: float | None = None,
        end: str = "succeeded",
        fields: JsonObject | None = None,
        for_all: bool = False,
    ) -> None:
        """Plan that the next task that a request starts is running, in its product's own words.

        Args:
            api: The API that reads the task.
            seconds: How long it runs; None to run until :meth:`finish`.
            end: How it ends after these seconds: ``succeeded``, ``failed`` or ``canceled``.
            fields: Fields of the task's object that the request does not set.
            for_all: Plan every task that has no plan of its own instead.
        """
        parsing.parse_choice("api", api, self.registry.started_apis)
        plan = Plan(self._running_script(api, seconds, end), parsing.parse_fields("fields", fields))
        self._plan(api, plan, for_all=parsing.parse_boolean("for_all", for_all))

    def scripts(self) -> list[JsonObject]:
        """Return the plans of :meth:`next_script` that are not used up."""
        with self.state.lock:
            return views.show_plans(self.state)

    def clear_scripts(self) -> None:
        """Remove every plan of :meth:`next_script`."""
        with self.state.lock:
            self.state.plans.clear()

    def started(self, api: str | None = None) -> list[JsonObject]:
        """Return the tasks that requests have started, oldest first; tasks of :meth:`add_task` are not among them.

        Args:
            api: The API that reads them; None for all.

        Returns:
            For each start: ``api``, ``id``, the vendor's ``action``, its ``parameters`` and ``time`` in Unix seconds.
            A start whose answer was lost is among them.
        """
        with self.state.lock:
            return describe(self.state.ledger.started, self._task_api(api))

    def canceled(self, api: str | None = None) -> list[JsonObject]:
        """Return the cancellations that requests asked for, one by one, whether they ended a task or not.

        Args:
            api: The API that reads the tasks; None for all.

        Returns:
            For each task and request, oldest first: ``api``, ``id``, the vendor's ``action``, its ``parameters``,
            ``time`` in Unix seconds, the task's ``status`` before it (None if there is no such task), and ``ended``,
            whether the request ended the task.
        """
        with self.state.lock:
            return describe(self.state.ledger.canceled, self._task_api(api))

    def noticed(self, api: str | None = None) -> list[JsonObject]:
        """Return the tasks that an answer has shown in their last step, by a single read or in a list.

        Args:
            api: The API that reads them; None for all.

        Returns:
            For each task: ``api``, ``id``, ``ended_at``, when its last step began, and ``noticed_at``, when the first
            answer was sent that showed it. Both are Unix seconds of the tasks' clock, which is the real one unless
            :meth:`advance` has moved it.
        """
        with self.state.lock:
            return views.show_noticed(self.state, self._task_api(api))

    def advance(self, seconds: float) -> None:
        """Move the tasks' clock forward, so that a test need not wait. Signatures are still checked by the real time.

        Args:
            seconds: By how many seconds.
        """
        with self.state.lock:
            self.state.advance(parsing.parse_number("seconds", seconds))

    def clock(self, seconds: float) -> float:
        """Set the clouds' clock wrong, by which signatures are checked and answers are dated.

        Args:
            seconds: By how many seconds it is ahead of this machine's clock; negative if it is behind.

        Returns:
            The seconds.
        """
        with self.state.lock:
            self.state.skew = parsing.parse_number("seconds", seconds)
            return self.state.skew

    def current_clock(self) -> float:
        """Return the seconds of :meth:`clock`."""
        return self.state.skew

    def regions(self, regions: Sequence[str] | None) -> list[str] | None:
        """Set which regions Tencent Cloud has; it refuses requests to any other one.

        Args:
            regions: The regions; None for any.

        Returns:
            The regions.
        """
        with self.state.lock:
            self.state.regions = parsing.parse_regions(regions)
            return self.current_regions()

    def current_regions(self) -> list[str] | None:
        """Return the regions of :meth:`regions`."""
        return None if self.state.regions is None else list(self.state.regions)

    def limit(
        self,
        requests_per_second: float | None,
        window: str = "sliding",
        counts_refused: bool = False,
        retry_after: int | None = None,
    ) -> float | None:
        """Refuse requests above a rate as the vendors do, for each account and action.

        Args:
            requests_per_second: The rate; None for no limit.
            window: How requests are counted. ``sliding`` admits so many in any second, ``fixed`` in each second of the
                clock, and ``bucket`` one for each token of a bucket that is filled at the rate.
            counts_refused: Whether refused requests count too, as some services count them.
            retry_after: The seconds in the ``Retry-After`` header of a refusal; None for no such header.

        Returns:
            The rate.
        """
        with self.state.lock:
            self.state.limits.set(
                parsing.parse_limit(requests_per_second),
                parsing.parse_choice("window", window, WINDOW_KINDS),
                parsing.parse_boolean("counts_refused", counts_refused),
                parsing.parse_retry_after(retry_after),
            )
            return self.current_limit()

    def current_limit(self) -> float | None:
        """Return the rate of :meth:`limit`, in requests a second, or None."""
        return self.state.limits.requests_per_second

    def fault(
        self,
        kind: str | Sequence[str],
        rate: float | None = 1.0,
        count: int | None = None,
        seconds: float | None = None,
        api: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        """Make coming requests fail. Several faults may be set; a request fails by the first one that applies to it.

        Args:
            kind: ``throttle``, ``http_500``, ``reset``, ``hang``, ``bad_json``, ``expired_token`` or ``lost_answer``;
                or several, which take turns. A ``reset`` request is not carried out. A ``lost_answer`` looks the same
                to the client, but the request is carried out. ``http_502`` (a page), ``http_503`` and ``http_429``
                (empty) are answers of a load balancer. ``html`` is a page with HTTP 200, ``bad_utf8`` an answer with
                bytes that are no UTF-8 in its texts. ``stale`` is an answer that shows the tasks as they were.
            rate: The share of requests that fail, 0 to 1.
            count: How many requests fail; None for any number.
            seconds: How long a hang lasts before the connection is cut, or how long ago a stale answer shows the tasks;
                60 by default.
            api: The only API whose requests fail, as :meth:`requests` names it, e.g. ``wedata.workflow_run_start``.
            retry_after: The seconds in the ``Retry-After`` header of ``throttle`` and the ``http_…`` kinds; None for
                no header.
        """
        fault = parsing.parse_fault(kind, rate, count, seconds, self._any_api(api), retry_after)
        with self.state.lock:
            self.state.faults.add(fault)

    def faults(self) -> list[JsonObject]:
        """Return the faults that can still make requests fail."""
        with self.state.lock:
            return self.state.faults.describe()

    def clear_faults(self) -> None:
        """Remove all faults."""
        with self.state.lock:
            self.state.faults.clear()

    def latency(self, seconds: float | tuple[float, float] | None) -> tuple[float, float]:
        """Delay every answer of the clouds. Requests that wait do not hold up others.

        Args:
            seconds: The delay; a pair for a random delay between the two; None for none.

        Returns:
            The least and the most seconds.
        """
        with self.state.lock:
            self.state.latency = parsing.parse_latency(seconds)
            return self.state.latency

    def current_latency(self) -> tuple[float, float]:
        """Return the least and the most seconds of :meth:`latency`."""
        return self.state.latency

    def add_key(
        self,
        key_id: str,
        secret: str,
        token: str | None = None,
        cloud: Cloud | None = None,
        account: str | None = None,
        actions: Sequence[str] | None = None,
    ) -> None:
        """Accept an access key; it replaces the key with its id.

        Args:
            key_id: AccessKey ID or SecretId.
            secret: AccessKey secret or SecretKey.
            token: The security token that a request must have too; None for a permanent key. Adding the key again
                with another token makes the old one an expired one.
            cloud: ``alibaba`` or ``tencent``; None for both.
            account: The account that it belongs to, since limits count by account; None for the default key's.
            actions: The actions that its policies allow, e.g. ``["wedata:GetTask", "ice:*"]``; None for all.
        """
        key, only = parsing.parse_key(key_id, secret, token, cloud, account, actions)
        with self.state.lock:
            self.state.keys.add(key, only)

    def keys(self) -> list[JsonObject]:
        """Return the keys of each cloud, without secrets and tokens."""
        with self.state.lock:
            return views.show_keys(self.state)

    def revoke_key(self, key_id: str) -> None:
        """Accept an access key no longer. The default key's id is ``emulator-id``.

        Args:
            key_id: The key's id.

        Raises:
            NotThereError: (a KeyError) There is no such key.
        """
        with self.state.lock:
            if not self.state.keys.revoke(key_id):
                raise NotThereError(f"There is no key {key_id!r}")

    def sts(self, /, **settings: Unpack[StsChanges]) -> JsonObject:
        """Change settings of the token services and the metadata services, and return all of them.

        Args:
            **settings: Any of these; None restores a default.
                ``seconds``: the stated lifetime of keys issued from now on; by default the one asked for.
                ``valid_seconds``: their real lifetime; by default the stated one.
                ``external_id``: the external id that AssumeRole requires; by default none.
                ``oidc_token``: the only identity provider's token that is accepted; by default any.
                ``role``: the role that the metadata services return; by default ``emulator-role``.
                ``imds_v1``: whether Alibaba Cloud's metadata service answers without a token; by default not.
                ``roles``: the ARNs of the roles that exist; by default any that is well formed.

        Returns:
            The settings, with ``oidc_token`` hidden, and in ``issued`` the number of issued keys that are valid.
        """
        with self.state.lock:
            self.state.sts = parsing.parse_sts(settings, self.state.sts)
            return views.show_sts(self.state)

    def expire_issued(self) -> int:
        """Expire every temporary key issued so far, and return how many had not expired before."""
        with self.state.lock:
            return self.state.keys.expire_issued(self.state.now())

    def queue(self, name: str, **changes: Unpack[QueueChanges]) -> JsonObject:
        """Create a message queue, or change one; null restores a setting's default.

        Tasks whose ends are announced to a queue have to be added after it. ICE announces the end of a workflow task
        to the queue that ``NotifyAddress`` in its ``UserData`` names, else to the account's (:meth:`event_callback`).
        To let its requests fail or hang, use :meth:`fault` with ``api="smq.receive"``, ``smq.delete``,
        ``smq.change_visibility`` or ``smq.send``.

        Args:
            name: The queue's name.
            **changes: ``visibility``: seconds for which a received message is hidden. ``long_polls``: how many long
                polls may wait at once; further ones are answered at once; by default any number. ``lost``,
                ``doubled``, ``garbled``: the share of events that never arrive, arrive twice, or hold garbage.
                ``delay``: seconds by which events are late. ``frozen``: whether the queue shows no messages.
                ``base64``: whether events are in Base64. ``flat``: whether events have no ``MessageBody``.

        Returns:
            The queue, as :meth:`queues` returns it.
        """
        with self.state.lock:
            found = self.state.queues.find(parsing.parse_text("name", name))
            settings = parsing.parse_queue(changes, None if found is None else found.settings)
            return self.state.queues.set(name, settings).describe(self.state.task_now())

    def queues(self) -> list[JsonObject]:
        """Return every message queue as an object with its settings, and its numbers of messages.

        ``sent``, ``received`` and ``deleted`` count since its creation, ``visible`` and ``hidden`` are those in it,
        and ``waiting_polls`` the long polls that are waiting.
        """
        with self.state.lock:
            announce_ends(self.state, self.registry)
            return [queue.describe(self.state.task_now()) for queue in self.state.queues]

    def clear_queues(self) -> None:
        """Remove every message queue."""
        with self.state.lock:
            self.state.queues.clear()

    def send_message(self, queue: str, text: str, delay: float = 0.0) -> None:
        """Send a message to a queue.

        Args:
            queue: The queue's name.
            text: The message's text.
            delay: Seconds after which it can be received.

        Raises:
            NotThereError: (a KeyError) There is no such queue.
        """
        with self.state.lock:
            found = self.state.queues.find(parsing.parse_text("queue", queue))
            if found is None:
                raise NotThereError(f"There is no queue {queue!r}")
            now = self.state.task_now()
            found.send(Message(parsing.parse_text("text", text), now, now + parsing.parse_seconds("delay", delay)))

    def event_callback(self, queue: str | None) -> str | None:
        """Set the queue that the events of the account go to, unless a task names another one.

        Args:
            queue: The queue's name; None for none.

        Returns:
            The name.
        """
        with self.state.lock:
            self.state.queues.callback = None if queue is None else parsing.parse_text("queue", queue)
            return self.state.queues.callback

    def current_event_callback(self) -> str | None:
        """Return the queue of :meth:`event_callback`."""
        return self.state.queues.callback

    def requests(self, api: str | None = None, since: int = 0) -> list[JsonObject]:
        """Return the requests that came in, oldest first, without secrets, tokens or signatures.

        Args:
            api: The API; None for all.
            since: Return only requests with a higher ``sequence``.

        Returns:
            For each request: ``sequence``, ``time`` in Unix seconds, ``cloud``, ``api``, ``service``, ``action``,
            ``version``, ``region``, ``key_id``, ``parameters``, ``outcome`` (``ok``, a vendor's error code or a
            fault's kind) and the HTTP ``status``. The action that starts tasks of an API is ``API_start``, the one
            that cancels them ``API_cancel`` and the one that lists them ``API_list``, e.g.
            ``wedata.workflow_run_start``. The token services are ``sts.assume_role``, ``sts.assume_role_with_oidc``
            (Alibaba Cloud), ``sts.assume_role_with_web_identity`` (Tencent Cloud) and ``sts.get_caller_identity``,
            the metadata services ``metadata.token`` (Alibaba Cloud), ``metadata.role`` and ``metadata.credentials``,
            and the message queues ``smq.receive``, ``smq.delete``, ``smq.change_visibility`` and ``smq.send``.
        """
        with self.state.lock:
            return self.state.journal.requests(self._any_api(api), since)

    def totals(self) -> dict[str, JsonObject]:
        """Return ``total``, ``refused`` (throttled) and ``peak_concurrency`` of the requests by API."""
        with self.state.lock:
            return self.state.journal.totals()

    def clear_requests(self) -> None:
        """Forget the requests and their totals."""
        with self.state.lock:
            self.state.journal.clear()

    def serve(self, product: Product) -> None:
        """Serve a product that the emulator does not have, until :meth:`reset`.

        Args:
            product: The product with its actions.
        """
        with self.state.lock:
            self.registry.add(product.actions)

    def reset(self) -> None:
        """Restore the initial state: default key, settings and products; no tasks, limits, faults or requests."""
        with self.state.lock:
            self.state.reset()
            self.registry.restore()

    def _add(self, api: str, task_id: str, script: tuple[Step, ...], fields: JsonObject | None) -> None:
        with self.state.lock:
            now = self.state.task_now()
            shape = self.registry.shape(api)
            self.state.tasks.add(parsing.make_task(shape, api, task_id, script, fields, now))

    def _plan(self, api: str, plan: Plan, *, for_all: bool) -> None:
        with self.state.lock:
            (self.state.plans.set if for_all else self.state.plans.add)(api, plan)

    def _running_script(self, api: str, seconds: float | None, end: str) -> tuple[Step, ...]:
        ending = self._ending(api, end)
        running = self.registry.shape(api).running
        if seconds is None:
            return (replace(running, seconds=None),)
        return (replace(running, seconds=parsing.parse_seconds("seconds", seconds)), ending)

    def _ending(self, api: str, end: str, fields: JsonObject | None = None) -> Step:
        shape = self.registry.shape(parsing.parse_choice("api", api, self.registry.task_apis))
        return parsing.parse_ending(api, shape, end, fields)

    def _any_api(self, api: str | None) -> str | None:
        return parsing.parse_api(api, (*self.registry.apis, *_METADATA_APIS, *SMQ_APIS))

    def _task_api(self, api: str | None) -> str | None:
        return parsing.parse_api(api, self.registry.task_apis)


def _script(steps: tuple[Any, ...], script: Sequence[Any] | str | None) -> Any:
    if (script is None) == (not steps):
        raise BadInputError("expected steps or script, and not both")
    if len(steps) == 1 and isinstance(steps[0], list):
        return steps[0]
    return steps if script is None else script
