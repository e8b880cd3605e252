"""How every request is handled on either cloud: identify it, authenticate it, check it, answer it."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from airflow_cloudtasks.emulator.engine.faults import Hit
from airflow_cloudtasks.emulator.engine.keys import Key
from airflow_cloudtasks.emulator.vendor.contract import Call
from airflow_cloudtasks.emulator.vendor.wire import EmptyQueue, Reply, Request, VendorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_cloudtasks.emulator.engine.journal import Exchange
    from airflow_cloudtasks.emulator.engine.queues import Queue
    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Action

OK = "ok"
HIDDEN = "***"
ANONYMOUS = Key("", "", account="anonymous")
"""The caller of an action that needs no signature."""
HTML = "text/html"
# Faults that change only the answer: the request itself is carried out.
_AFTER_THE_WORK = ("bad_json", "lost_answer", "html", "bad_utf8", "stale")
# What a load balancer or a proxy in front of a service answers, in no vendor's envelope.
_OF_A_PROXY = {
    "http_429": Reply(429, b"", "text/plain"),
    "http_503": Reply(503, b"", "text/plain"),
}
_HTML_PAGE = b"<html><head><title>%b</title></head><body><center><h1>%b</h1></center></body></html>\n"
# The vendors' usual limit, in requests a second, for an injected refusal where no limit is set.
_USUAL_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Identified:
    """What a request asks for.

    Attributes:
        exchange: The journal's record of it.
        action: The action; None if it cannot be identified.
        refusal: How the request is refused without an action, once its signature has been checked.
        parameters: The action's own parameters as sent, including those that the journal hides.
    """

    exchange: Exchange
    action: Action | None = None
    refusal: VendorError | None = None
    parameters: JsonObject = field(default_factory=dict)

    @classmethod
    def of(cls, exchange: Exchange, action: Action, parameters: JsonObject) -> Identified:
        """Complete an exchange with its action and its parameters, and hide the secret ones from the journal."""
        hidden = {parameter.name for parameter in action.parameters if parameter.secret}
        exchange.api, exchange.service, exchange.action = action.api, action.service, action.name
        exchange.parameters = {name: HIDDEN if name in hidden else value for name, value in parameters.items()}
        return cls(exchange, action, parameters=parameters)


class Gateway(Protocol):
    """What differs between the clouds."""

    cloud: Cloud

    def identify(self, request: Request) -> Identified:
        """Return what a request asks for, without refusing it yet."""

    def authenticate(self, request: Request, action: Action | None, state: State, now: float) -> Key:
        """Return the key that signed a request, or ANONYMOUS for an unsigned action; raise VendorError to refuse."""

    def check_parameters(self, request: Request, action: Action, sent: Mapping[str, object]) -> JsonObject:
        """Return an action's parameters as sent, or raise VendorError if they do not fit its declaration."""

    def success(self, body: JsonObject, request_id: str) -> Reply:
        """Return an answer in the cloud's envelope."""

    def failure(self, error: VendorError, request: Request, request_id: str) -> Reply:
        """Return a refusal in the cloud's envelope."""

    def new_request_id(self) -> str:
        """Return a new request id, spelled as the cloud spells it."""

    def throttled(self, requests_per_second: float) -> VendorError:
        """Return the refusal of a request that exceeds a rate limit."""

    def denied(self, permission: str) -> VendorError:
        """Return the refusal of a key whose policies do not allow an action."""

    def token_expired(self) -> VendorError:
        """Return the refusal of an expired security token."""

    def breakdown(self, request: Request, request_id: str) -> Reply:
        """Return an answer of HTTP 500."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to a request.

    Attributes:
        outcome: ``ok``, a vendor's error code, or the kind of the fault that hit it.
        reply: The answer; None if none is sent.
        hang_seconds: How long the client waits before the connection is cut without an answer.
        throttled: Whether the request is refused by a rate limit.
        ended: Tasks that the reply is the first to show in their last step.
        poll: For a long poll without a result: how it goes on.
    """

    outcome: str
    reply: Reply | None
    hang_seconds: float = 0.0
    throttled: bool = False
    ended: Sequence[Task] = ()
    poll: LongPoll | None = None


@dataclass(frozen=True, slots=True)
class LongPoll:
    """A request that waits for its result.

    Attributes:
        queue: The queue that it waits at.
        until: How long it waits, in Unix seconds of the clouds' clock.
        again: Returns the decision of this moment; the caller holds the state's lock.
    """

    queue: Queue
    until: float
    again: Callable[[], Decision]


def decide(gateway: Gateway, request: Request, identified: Identified, state: State) -> Decision:
    """Decide what happens to a request, while the caller holds the state's lock.

    The signature check comes first, so that an injected fault never hides a client that signs wrongly. Faults come
    before limits, so that a request that fails by a fault does not count.
    """
    request_id = gateway.new_request_id()
    now = state.now()
    hit: Hit | None = None
    try:
        action = identified.action
        key = gateway.authenticate(request, action, state, now)
        if action is None:
            raise identified.refusal or VendorError("InvalidAction", "There is no such action.")
        hit = state.faults.strike(action.api)
        limit = state.limits.requests_per_second
        if hit is not None and hit.kind not in _AFTER_THE_WORK:
            return _fail_by_fault(gateway, request, request_id, hit, limit)
        if limit is not None and not state.limits.admit((gateway.cloud, key.account, action.service, action.name), now):
            error = gateway.throttled(limit)
            reply = _with_retry_after(gateway.failure(error, request, request_id), state.limits.retry_after)
            return Decision(error.code, reply, throttled=True)
        if not key.may_call(f"{action.service}:{action.name}"):
            raise gateway.denied(f"{action.service}:{action.name}")
        region = identified.exchange.region
        if action.needs_region and region and state.regions is not None and region not in state.regions:
            raise VendorError("UnsupportedRegion", f"The region `{region}` is not supported.")
        parameters = gateway.check_parameters(request, action, identified.parameters)
        behind = hit.seconds if hit is not None and hit.kind == "stale" else 0.0
        call = Call(action, parameters, state, state.task_now() - behind, key)
        return _carry_out(gateway, request, request_id, call, hit)
    except VendorError as error:
        decision = Decision(error.code, gateway.failure(error, request, request_id))
    return decision if hit is None else _change_answer(decision, hit)


def _carry_out(gateway: Gateway, request: Request, request_id: str, call: Call, hit: Hit | None) -> Decision:
    """Answer a call that passed every check."""
    poll: LongPoll | None = None
    try:
        decision = Decision(OK, gateway.success(call.action.answer(call), request_id), ended=call.ended)
    except EmptyQueue as empty:
        decision = Decision(empty.code, gateway.failure(empty, request, request_id))
        if empty.wait:

            def again() -> Decision:
                return _carry_out(gateway, request, request_id, replace(call, now=call.state.task_now()), hit)

            poll = LongPoll(empty.queue, call.state.now() + empty.wait, again)
    if hit is not None:
        decision = _change_answer(decision, hit)
    return decision if decision.reply is None else replace(decision, poll=poll)


def html_page(text: str) -> bytes:
    """Return a page such as a load balancer answers with when its backend does not."""
    return _HTML_PAGE % (text.encode(), text.encode())


def random_request_id() -> str:
    """Return a new UUID in lower case."""
    return str(uuid.uuid4())


def _fail_by_fault(gateway: Gateway, request: Request, request_id: str, hit: Hit, limit: float | None) -> Decision:
    match hit.kind:
        case "throttle":
            reply = gateway.failure(gateway.throttled(limit or _USUAL_LIMIT), request, request_id)
            return Decision(hit.kind, _with_retry_after(reply, hit.retry_after), throttled=True)
        case "expired_token":
            return Decision(hit.kind, gateway.failure(gateway.token_expired(), request, request_id))
        case "http_500":
            return Decision(hit.kind, _with_retry_after(gateway.breakdown(request, request_id), hit.retry_after))
        case "http_502":
            return Decision(
                hit.kind, _with_retry_after(Reply(502, html_page("502 Bad Gateway"), HTML), hit.retry_after)
            )
        case "http_429" | "http_503":
            return Decision(hit.kind, _with_retry_after(_OF_A_PROXY[hit.kind], hit.retry_after))
        case "hang":
            return Decision(hit.kind, None, hang_seconds=hit.seconds)
        case _:
            return Decision(hit.kind, None)


def _with_retry_after(reply: Reply, seconds: int | None) -> Reply:
    return reply if seconds is None else replace(reply, headers={"retry-after": str(seconds)})


def _change_answer(decision: Decision, hit: Hit) -> Decision:
    if hit.kind == "lost_answer":
        return Decision(hit.kind, None)
    if decision.outcome != OK or decision.reply is None:
        return decision
    if hit.kind == "stale":
        return replace(decision, outcome=hit.kind)
    return Decision(hit.kind, _DAMAGES[hit.kind](decision.reply, hit.ordinal))


def _garble(reply: Reply, ordinal: int) -> Reply:
    # Alternates the two forms that occur in practice: a truncated answer, and a page instead of an answer.
    if ordinal % 2:
        return _page(reply, ordinal)
    return Reply(200, reply.body[: len(reply.body) // 2], reply.content_type)


def _page(reply: Reply, ordinal: int) -> Reply:
    return Reply(200, html_page("200 OK"), HTML)


def _damage(reply: Reply, ordinal: int) -> Reply:
    """Put a byte that is no UTF-8 into an answer: at the end of every text of JSON, or into the only text."""
    if reply.content_type.startswith("application/json"):
        return replace(reply, body=re.sub(rb'(?<=[^":,{\[\\])(?="[,}\]])', b"\xfd", reply.body))
    return replace(reply, body=reply.body[:-1] + b"\xfd" + reply.body[-1:])


_DAMAGES = {"bad_json": _garble, "html": _page, "bad_utf8": _damage}
