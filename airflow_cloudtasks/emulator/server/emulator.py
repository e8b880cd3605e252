"""Running the emulator: in this process for tests, and the parts that ``__main__`` shares."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import threading
from typing import TYPE_CHECKING, Any, TypedDict

import uvicorn
from uvicorn.config import LOGGING_CONFIG
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from airflow_cloudtasks.emulator.control import parsing, views
from airflow_cloudtasks.emulator.engine.keys import DEFAULT_KEY
from airflow_cloudtasks.emulator.engine.ledger import describe
from airflow_cloudtasks.emulator.engine.state import State
from airflow_cloudtasks.emulator.server.app import TRANSPORT, EmulatorApp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self, Unpack

    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _HttpTools

    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject
else:
    _HttpTools = asyncio.Protocol

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_BACKLOG = 2048
_CONNECTIONS = (
    ("AIRFLOW_CONN_ALIBABA_DEFAULT", "cloudtasks_alibaba", "cn-shanghai"),
    ("AIRFLOW_CONN_TENCENT_DEFAULT", "cloudtasks_tencent", "ap-guangzhou"),
)


class StsChanges(TypedDict, total=False):
    """What :meth:`Emulator.sts` takes."""

    seconds: float | None
    valid_seconds: float | None
    external_id: str | None
    oidc_token: str | None
    role: str | None
    imds_v1: bool | None
    roles: Sequence[str] | None


class _SharesTransport(asyncio.Protocol):
    """Lets the application get at its connection's transport, which ASGI itself does not offer."""

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # uvicorn copies app_state into every request's scope["state"].
        self.app_state = {**self.app_state, TRANSPORT: transport}


class _KeepsTarget(_HttpTools):
    """Hands over the whole URL that a client sends to a proxy.

    uvicorn's protocol for h11 does so by itself; the one for httptools, which alone calls this, drops scheme and host.
    """

    def on_headers_complete(self) -> None:
        if self.parser.get_method() == b"CONNECT":
            # It names a host and a port only, which uvicorn cannot read.
            self.url = b"http://" + self.url + b"/"
        super().on_headers_complete()
        # The application does not run before this returns.
        if not self.url.startswith(b"/"):
            self.scope["raw_path"] = self.url.partition(b"?")[0]


def protocol_over(base: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
    """Build the server's HTTP protocol, by hand because what it extends depends on what is installed.

    Args:
        base: One of uvicorn's two HTTP protocols.

    Returns:
        It with what the application needs besides.
    """
    return type("EmulatorProtocol", (_SharesTransport, _KeepsTarget, base), {})


_PROTOCOL = protocol_over(AutoHTTPProtocol)


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def check_loopback(host: str) -> str:
    """Refuse to serve anyone but this machine: the emulator's keys are public and its control plane is open.

    Args:
        host: ``localhost`` or an IP address.

    Returns:
        The host.

    Raises:
        ValueError: It is not a loopback address.
    """
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError(f"host: expected a loopback address such as 127.0.0.1, got {host!r}")
    return host


def bind(host: str, port: int) -> socket.socket:
    """Open the socket to serve on.

    Args:
        host: A loopback address.
        port: The port; 0 for any free one.

    Returns:
        The listening socket.

    Raises:
        ValueError: The host is not a loopback address.
        OSError: The port is taken.
    """
    family = socket.AF_INET6 if ":" in check_loopback(host) else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only for sockets that say they are TCP; left on,
    # an answer in two writes waits 40 ms for the client's delayed acknowledgement.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        # From here on clients queue up instead of being refused, so that the URL may be told before the server runs.
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def url_of(sock: socket.socket, *, tls: bool) -> str:
    """Tell the URL of a bound socket.

    Args:
        sock: The socket.
        tls: Whether it is served over TLS.

    Returns:
        The URL, without a slash at its end.
    """
    host, port = sock.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"


def make_server(
    state: State, *, tls_cert: str | None = None, tls_key: str | None = None, access_log: bool = False
) -> _Server:
    """Build the server, which is then run on a socket of :func:`bind`.

    Args:
        state: The emulator's memory.
        tls_cert: A PEM file with the certificate, to serve over TLS.
        tls_key: A PEM file with its key.
        access_log: Whether every request is logged.

    Returns:
        The server.
    """
    return _Server(
        uvicorn.Config(
            EmulatorApp(state),
            http=_PROTOCOL,
            lifespan="off",
            ws="none",
            access_log=access_log,
            log_level="info" if access_log else "warning",
            # A process that runs the emulator in a thread keeps its own logging.
            log_config=LOGGING_CONFIG if access_log else None,
            server_header=False,
            ssl_certfile=tls_cert,
            ssl_keyfile=tls_key,
            # A hang fault in progress must not hold up the end.
            timeout_graceful_shutdown=1,
        )
    )


class Listener:
    """A server of its own on one port, in a thread of this process.

    Args:
        server: The server.
        sock: The socket it serves on.
        tls: Whether over TLS.
    """

    def __init__(self, server: _Server, sock: socket.socket, *, tls: bool) -> None:
        self.sock = sock
        self.url = url_of(sock, tls=tls)
        self._server = server
        self._thread = threading.Thread(
            target=server.run, kwargs={"sockets": [sock]}, name="cloudtasks-emulator", daemon=True
        )

    def start(self) -> None:
        """Start serving, and return once it does.

        Raises:
            RuntimeError: It does not start.
        """
        self._thread.start()
        if not self._server.ready.wait(_START_SECONDS):
            self.stop()
            raise RuntimeError(f"The emulator did not start within {_START_SECONDS:g} seconds")

    def stop(self) -> None:
        """Stop serving, and return once it has."""
        self._server.should_exit = True
        self._thread.join(_STOP_SECONDS)
        self.sock.close()


def _script_of(steps: tuple[Any, ...], script: Sequence[Any] | str | None) -> Any:
    if (script is None) == (not steps):
        raise parsing.BadInputError("expected steps or script, and not both")
    if len(steps) == 1 and isinstance(steps[0], list):
        return steps[0]
    return steps if script is None else script


class Emulator:
    """Both clouds, in a thread of this process.

    ``with Emulator() as emulator:`` starts it on a free port and stops it at the end. Its methods may be called from
    any thread at any time.

    Args:
        host: The loopback address to serve on.
        port: The port; 0 for any free one.
        tls_cert: A PEM file with a certificate, to serve over TLS.
        tls_key: A PEM file with its key.
        tls_port: A port of its own for TLS, 0 for any free one, so that ``port`` stays plain http; None to serve
            over TLS alone, on ``port``. The Alibaba Cloud library's STS clients speak https only.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        tls_port: int | None = None,
    ) -> None:
        if tls_port is not None and (tls_cert is None or tls_key is None):
            raise ValueError("tls_port: expected tls_cert and tls_key with it")
        self._address = (check_loopback(host), port)
        self._tls = (tls_cert, tls_key)
        self._tls_port = tls_port
        self._state = State()
        self._listeners: list[Listener] = []

    def start(self) -> Self:
        """Start serving, and return once it does.

        Returns:
            The emulator itself.

        Raises:
            RuntimeError: It is running already, or does not start.
            OSError: A port is taken.
        """
        if self._listeners:
            raise RuntimeError("The emulator is running already")
        host, port = self._address
        try:
            if self._tls_port is None:
                self._listen(host, port, tls=self._tls[0] is not None)
            else:
                self._listen(host, port, tls=False)
                self._listen(host, self._tls_port, tls=True)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop serving, and return once it has; what it remembers stays. Stopping twice does no harm."""
        while self._listeners:
            self._listeners.pop().stop()

    def _listen(self, host: str, port: int, *, tls: bool) -> None:
        tls_cert, tls_key = self._tls if tls else (None, None)
        server = make_server(self._state, tls_cert=tls_cert, tls_key=tls_key)
        listener = Listener(server, bind(host, port), tls=tls)
        listener.start()
        self._listeners.append(listener)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it is, e.g. ``http://127.0.0.1:38211``.

        Raises:
            RuntimeError: It is not running.
        """
        return self._running()[0].url

    @property
    def port(self) -> int:
        """The port it serves on.

        Raises:
            RuntimeError: It is not running.
        """
        port: int = self._running()[0].sock.getsockname()[1]
        return port

    @property
    def tls_url(self) -> str:
        """Where it is over TLS, e.g. ``https://127.0.0.1:38212``.

        Raises:
            RuntimeError: It is not running, or has no certificate.
        """
        url = self._running()[-1].url
        if not url.startswith("https:"):
            raise RuntimeError("The emulator does not serve over TLS: give it tls_cert, tls_key and tls_port")
        return url

    @property
    def tls_port(self) -> int:
        """The port it serves on over TLS.

        Raises:
            RuntimeError: It is not running, or has no certificate.
        """
        return int(self.tls_url.rpartition(":")[2])

    def add_task(
        self,
        api: str,
        task_id: str,
        *steps: Any,
        script: Sequence[Any] | str | None = None,
        fields: JsonObject | None = None,
    ) -> None:
        """Make a task that walks through its statuses by the clock, from now.

        ``add_task("ice.workflow_task", "t1", ("Processing", 2), "Succeed")`` is processing for two seconds and then a
        success for ever.

        Args:
            api: The API that reads it, e.g. ``ice.workflow_task``; docs/emulator.md lists them all.
            task_id: The task's id.
            *steps: Its steps in order: a pair of status and seconds; an object with ``status``, ``seconds`` and
                ``fields``; a bare status; or one list of these. The last step has no seconds and lasts for ever.
            script: The steps as one value instead.
            fields: What the task's object shows besides. For WeData ``ProjectId``, for LKE ``TaskType`` and
                ``BotBizId``, say where the task belongs: a request with other values does not find it. A
                ``wedata.task_run`` is one of the workflow run that its ``WorkflowExecutionId`` names.

        Raises:
            BadInputError: (a ValueError) Something of it makes no sense.
        """
        value = {"api": api, "id": task_id, "script": _script_of(steps, script), "fields": fields or {}}
        with self._state.lock:
            self._state.tasks.add(parsing.parse_task(value, self._state.task_now()))

    def next_script(
        self,
        api: str,
        *steps: Any,
        script: Sequence[Any] | str | None = None,
        fields: JsonObject | None = None,
        for_all: bool = False,
    ) -> None:
        """Say how the next task goes that a request starts, instead of the usual short way to a success.

        Called again, it says so of the one after it: plans are used up in order.

        Args:
            api: The API that reads the task, e.g. ``wedata.workflow_run``.
            *steps: Its steps, as in :meth:`add_task`.
            script: The steps as one value instead.
            fields: What the task's object shows besides what the request says.
            for_all: Say it of all tasks that nothing else is said of instead.

        Raises:
            BadInputError: (a ValueError) Something of it makes no sense.
        """
        value = {"api": api, "script": _script_of(steps, script), "fields": fields or {}, "for_all": for_all}
        named, plan, _ = parsing.parse_plan(value)
        with self._state.lock:
            (self._state.plans.set if for_all else self._state.plans.add)(named, plan)

    def started(self, api: str | None = None) -> list[JsonObject]:
        """Tell which tasks requests have started. What :meth:`add_task` made is not among them.

        Args:
            api: Only those that this API reads; None for all.

        Returns:
            One object a start, the oldest first: ``api``, ``id``, the vendor's ``action``, its ``parameters`` and
            ``time`` in Unix seconds. A start whose answer was lost is among them.

        Raises:
            BadInputError: (a ValueError) There is no such API.
        """
        with self._state.lock:
            return describe(self._state.ledger.started, parsing.parse_api(api, parsing.TASK_APIS))

    def canceled(self, api: str | None = None) -> list[JsonObject]:
        """Tell which tasks requests wanted canceled, one by one, whether that ended them or not.

        Args:
            api: Only those that this API reads; None for all.

        Returns:
            One object a task and request, the oldest first: ``api``, ``id``, the vendor's ``action``, its
            ``parameters``, ``time`` in Unix seconds, the ``status`` until then (None where there is no such task),
            and ``ended``, whether it was this request that ended the task.

        Raises:
            BadInputError: (a ValueError) There is no such API.
        """
        with self._state.lock:
            return describe(self._state.ledger.canceled, parsing.parse_api(api, parsing.TASK_APIS))

    def tasks(self) -> list[JsonObject]:
        """Tell the tasks and where they stand.

        Returns:
            One object a task, with its present ``status``.
        """
        with self._state.lock:
            return views.show_tasks(self._state)

    def noticed(self, api: str | None = None) -> list[JsonObject]:
        """Tell which tasks an answer has shown in their last step, by a single read or in a list, and when.

        Args:
            api: Only those of this API; None for all.

        Returns:
            One object a task: ``api``, ``id``, ``ended_at``, when its last step began, and ``noticed_at``, when the
            first answer went out that showed it. Both are Unix seconds of the tasks' clock, which is the real one as
            long as :meth:`advance` has not put it forward.

        Raises:
            BadInputError: (a ValueError) There is no such API.
        """
        with self._state.lock:
            return views.show_noticed(self._state, parsing.parse_api(api, parsing.TASK_APIS))

    def advance(self, seconds: float) -> None:
        """Put the tasks' clock forward, so that a test need not wait. Signatures go by the real time all the same.

        Args:
            seconds: By how much.
        """
        with self._state.lock:
            self._state.advance(seconds)

    def limit(self, requests_per_second: float | None) -> None:
        """Throttle as the vendors do: so many requests a second for one account and one action.

        Args:
            requests_per_second: The limit; None lifts it.

        Raises:
            BadInputError: (a ValueError) It is not a number above 0.
        """
        with self._state.lock:
            self._state.limits.set(parsing.parse_limit({"requests_per_second": requests_per_second}))

    def fault(
        self,
        kind: str | Sequence[str],
        rate: float = 1.0,
        count: int | None = None,
        seconds: float | None = None,
        api: str | None = None,
    ) -> None:
        """Spoil the requests to come. Faults add up; the first that strikes a request settles it.

        Args:
            kind: ``throttle``, ``http_500``, ``reset``, ``hang``, ``bad_json``, ``expired_token`` or ``lost_answer``;
                or several, taken in turn. After a ``reset`` nothing has been done; after a ``lost_answer``, which looks
                the same to the client, all that the request asked for.
            rate: The share of requests it strikes, 0 to 1.
            count: How many requests it strikes before it is spent; None for no end.
            seconds: How long a hang lasts before the connection is cut; 60 unless told.
            api: Strike only requests of this API, as :meth:`requests` names it, e.g. ``wedata.workflow_run_start``.

        Raises:
            BadInputError: (a ValueError) Something of it makes no sense.
        """
        kinds = kind if isinstance(kind, str) else list(kind)
        with self._state.lock:
            self._state.faults.add(
                parsing.parse_fault({"kind": kinds, "rate": rate, "count": count, "seconds": seconds, "api": api})
            )

    def clear_faults(self) -> None:
        """Spoil no more requests."""
        with self._state.lock:
            self._state.faults.clear()

    def latency(self, seconds: float | tuple[float, float] | None) -> None:
        """Let every answer of the clouds be late. Others are not held up by one that waits.

        Args:
            seconds: By how long; a pair for anything between the two, evenly spread; None for not at all.

        Raises:
            BadInputError: (a ValueError) It makes no sense.
        """
        with self._state.lock:
            self._state.latency = parsing.parse_latency({"seconds": seconds})

    def add_key(
        self,
        key_id: str,
        secret: str,
        token: str | None = None,
        cloud: Cloud | None = None,
        account: str | None = None,
    ) -> None:
        """Accept an access key, in the place of one with its id.

        Args:
            key_id: AccessKey ID or SecretId.
            secret: AccessKey secret or SecretKey.
            token: The security token that has to come with it; None for a lasting key. Adding the key again with
                another token makes the old one an expired one.
            cloud: ``alibaba`` or ``tencent``; None for both.
            account: Whose key it is, since limits count by account; None for the default key's account.

        Raises:
            BadInputError: (a ValueError) Something of it makes no sense.
        """
        value = {"id": key_id, "secret": secret, "token": token, "cloud": cloud, "account": account}
        key, only = parsing.parse_key(value)
        with self._state.lock:
            self._state.keys.add(key, only)

    def revoke_key(self, key_id: str) -> None:
        """Accept an access key no longer. The default key's id is ``emulator-id``.

        Args:
            key_id: The key's id.

        Raises:
            KeyError: There is no such key.
        """
        with self._state.lock:
            if not self._state.keys.revoke(key_id):
                raise KeyError(key_id)

    def sts(self, **settings: Unpack[StsChanges]) -> JsonObject:
        """Set what the token services and the metadata services demand and give. What is left out stays as it is.

        Args:
            **settings: Any of these; None puts one back to its default.
                ``seconds``: how long the keys issued from now on are said to live; by default as long as was asked.
                ``valid_seconds``: how long they really live; by default as long as they are said to.
                ``external_id``: the external id that AssumeRole demands; by default none.
                ``oidc_token``: the identity provider's token that is accepted; by default any.
                ``role``: the role that the metadata services tell; by default ``emulator-role``.
                ``imds_v1``: whether Alibaba Cloud's metadata service answers without a token; by default not.
                ``roles``: the ARNs of the roles that exist; by default any that is well formed.

        Returns:
            The settings, with ``oidc_token`` hidden, and as ``issued`` how many issued keys are good at present.

        Raises:
            BadInputError: (a ValueError) Something of it makes no sense.
        """
        with self._state.lock:
            self._state.sts = parsing.parse_sts(settings, self._state.sts)
            return views.show_sts(self._state)

    def expire_issued(self) -> int:
        """End every temporary key issued so far, at once: from now on each is refused as an expired one.

        Returns:
            How many had not ended before.
        """
        with self._state.lock:
            return self._state.keys.expire_issued(self._state.now())

    def requests(self, api: str | None = None) -> list[JsonObject]:
        """Tell what came in, without secrets, tokens or signatures.

        Args:
            api: Only the requests of this API; None for all.

        Returns:
            One object a request, the oldest first: ``sequence``, ``time`` in Unix seconds, ``cloud``, ``api``,
            ``service``, ``action``, ``version``, ``region``, ``key_id``, ``parameters``, ``outcome`` (``ok``, a
            vendor's error code or a fault's kind) and the HTTP ``status``. What starts tasks of an API
            is ``API_start``, what cancels them ``API_cancel`` and what lists them ``API_list``, e.g.
            ``wedata.workflow_run_start``. The token services are ``sts.assume_role``,
            ``sts.assume_role_with_oidc`` (Alibaba Cloud), ``sts.assume_role_with_web_identity`` (Tencent Cloud) and
            ``sts.get_caller_identity``, the metadata services ``metadata.token`` (Alibaba Cloud), ``metadata.role``
            and ``metadata.credentials``.

        Raises:
            BadInputError: (a ValueError) There is no such API.
        """
        with self._state.lock:
            return self._state.journal.requests(parsing.parse_api(api))

    def totals(self) -> dict[str, JsonObject]:
        """Tell the counts of each API.

        Returns:
            ``total``, ``refused`` (throttled) and ``peak_concurrency`` by API.
        """
        with self._state.lock:
            return self._state.journal.totals()

    def reset(self) -> None:
        """Go back to how it started: the default key and settings, and no tasks, limits, faults or requests."""
        with self._state.lock:
            self._state.reset()

    def connections(self, region: str | None = None) -> dict[str, str]:
        """Give Airflow connections to it, by the environment variables that Airflow reads them from.

        Args:
            region: The region of both; None for ``cn-shanghai`` and ``ap-guangzhou``.

        Returns:
            ``AIRFLOW_CONN_ALIBABA_DEFAULT`` and ``AIRFLOW_CONN_TENCENT_DEFAULT`` with their JSON values.

        Raises:
            RuntimeError: The emulator is not running.
        """
        return {
            variable: json.dumps(
                {
                    "conn_type": conn_type,
                    "login": DEFAULT_KEY.id,
                    "password": DEFAULT_KEY.secret,
                    "host": self.url,
                    "extra": {"region": region or default_region},
                }
            )
            for variable, conn_type, default_region in _CONNECTIONS
        }

    def _running(self) -> list[Listener]:
        if not self._listeners:
            raise RuntimeError("The emulator is not running: use it in a with statement, or call start()")
        return self._listeners
