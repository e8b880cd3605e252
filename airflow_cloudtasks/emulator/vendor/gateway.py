"""The way every request goes, whichever the cloud: who is it, may it pass, what is the answer."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from airflow_cloudtasks.emulator.engine.faults import Hit
from airflow_cloudtasks.emulator.engine.journal import Exchange
from airflow_cloudtasks.emulator.engine.keys import Key
from airflow_cloudtasks.emulator.engine.values import JsonObject
from airflow_cloudtasks.emulator.vendor.contract import Call
from airflow_cloudtasks.emulator.vendor.wire import Reply, Request, VendorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import Cloud
    from airflow_cloudtasks.emulator.vendor.contract import Action

OK = "ok"
HIDDEN = "***"
ANONYMOUS = Key("", "", account="anonymous")
"""Whoever calls an action that needs no signature."""
HTML = "text/html"
# Faults that spoil only the answer: what the request asks for is done.
_AFTER_THE_WORK = ("bad_json", "lost_answer")
_HTML_PAGE = b"<html><head><title>%b</title></head><body><center><h1>%b</h1></center></body></html>\n"


@dataclass(frozen=True, slots=True)
class Identified:
    """What a request turned out to ask for.

    Attributes:
        exchange: What the journal will say of it.
        action: The action, or None.
        refusal: What is answered when there is no such action, once the signature has been checked.
        parameters: The action's own parameters as sent, those included that the journal must not know.
    """

    exchange: Exchange
    action: Action | None = None
    refusal: VendorError | None = None
    parameters: JsonObject = field(default_factory=dict)

    @classmethod
    def of(cls, exchange: Exchange, action: Action, parameters: JsonObject) -> Identified:
        """Complete an exchange with its action and parameters, hiding what the journal must not know.

        Args:
            exchange: What is known so far.
            action: The action.
            parameters: The parameters as sent.

        Returns:
            What the request asks for.
        """
        hidden = {parameter.name for parameter in action.parameters if parameter.secret}
        exchange.api, exchange.service, exchange.action = action.api, action.service, action.name
        exchange.parameters = {name: HIDDEN if name in hidden else value for name, value in parameters.items()}
        return cls(exchange, action, parameters=parameters)


class Gateway(Protocol):
    """What differs between the clouds."""

    cloud: Cloud

    def identify(self, request: Request) -> Identified:
        """Read what a request asks for, refusing nothing yet."""

    def authenticate(self, request: Request, action: Action | None, state: State, now: float) -> Key:
        """Check who sent a request, or raise VendorError. Actions that need no signature get ANONYMOUS."""

    def check_parameters(self, request: Request, action: Action, sent: Mapping[str, object]) -> JsonObject:
        """Check an action's parameters, or raise VendorError."""

    def success(self, body: JsonObject, request_id: str) -> Reply:
        """Put an answer into the cloud's envelope."""

    def failure(self, error: VendorError, request: Request, request_id: str) -> Reply:
        """Put a refusal into the cloud's envelope."""

    def new_request_id(self) -> str:
        """Make a request id, spelled as the cloud spells it."""

    def throttled(self, requests_per_second: float) -> VendorError:
        """Say that requests come too fast."""

    def token_expired(self) -> VendorError:
        """Say that the security token has expired."""

    def breakdown(self, request: Request, request_id: str) -> Reply:
        """Answer HTTP 500."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a request.

    Attributes:
        outcome: ``ok``, a vendor's error code, or the kind of the fault that hit it.
        reply: What is sent; None when nothing is.
        hang_seconds: How long the client is kept waiting before nothing is sent.
        throttled: Whether it was refused for coming too fast.
        ended: Tasks that the reply is the first to show in their last step.
    """

    outcome: str
    reply: Reply | None
    hang_seconds: float = 0.0
    throttled: bool = False
    ended: Sequence[Task] = ()


def decide(gateway: Gateway, request: Request, identified: Identified, state: State) -> Decision:
    """Decide about one request. The state is locked by the caller.

    Faults strike after the signature has been checked, so that an injected fault never hides a client that signs
    wrongly; limits come after faults, so that a spoiled request costs no budget.

    Args:
        gateway: The cloud's gateway.
        request: The request.
        identified: What it asks for.
        state: The emulator's memory.

    Returns:
        What becomes of it.
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
        if hit is not None and hit.kind not in _AFTER_THE_WORK:
            return _spoil(gateway, request, request_id, hit, state.limits.requests_per_second)
        limit = state.limits.requests_per_second
        if limit is not None and not state.limits.admit((gateway.cloud, key.account, action.service, action.name), now):
            error = gateway.throttled(limit)
            return Decision(error.code, gateway.failure(error, request, request_id), throttled=True)
        parameters = gateway.check_parameters(request, action, identified.parameters)
        call = Call(action, parameters, state, state.task_now(), key)
        body = action.answer(call)
    except VendorError as error:
        if hit is not None and hit.kind == "lost_answer":
            return Decision(hit.kind, None)
        return Decision(error.code, gateway.failure(error, request, request_id))
    reply = gateway.success(body, request_id)
    if hit is not None and hit.kind == "lost_answer":
        return Decision(hit.kind, None)
    if hit is not None:
        return Decision(hit.kind, _garble(reply, hit.ordinal))
    return Decision(OK, reply, ended=call.ended)


def html_page(text: str) -> bytes:
    """Make the kind of page that a load balancer answers with when what is behind it does not.

    Args:
        text: Its title and heading.

    Returns:
        The page.
    """
    return _HTML_PAGE % (text.encode(), text.encode())


def random_request_id() -> str:
    """Make a request id.

    Returns:
        A fresh UUID in lower case.
    """
    return str(uuid.uuid4())


def _spoil(gateway: Gateway, request: Request, request_id: str, hit: Hit, limit: float | None) -> Decision:
    match hit.kind:
        case "throttle":
            # Without a limit of its own the emulator speaks of the vendors' usual one.
            reply = gateway.failure(gateway.throttled(limit or 20), request, request_id)
            return Decision(hit.kind, reply, throttled=True)
        case "expired_token":
            return Decision(hit.kind, gateway.failure(gateway.token_expired(), request, request_id))
        case "http_500":
            return Decision(hit.kind, gateway.breakdown(request, request_id))
        case "hang":
            return Decision(hit.kind, None, hang_seconds=hit.seconds)
        case _:
            return Decision(hit.kind, None)


def _garble(reply: Reply, ordinal: int) -> Reply:
    # By turns the two ways it is seen in practice: an answer cut off on the way, and a page instead of an answer.
    if ordinal % 2:
        return Reply(200, html_page("200 OK"), HTML)
    return Reply(200, reply.body[: len(reply.body) // 2], reply.content_type)
