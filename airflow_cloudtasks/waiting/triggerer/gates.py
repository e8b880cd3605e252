"""The gates of an event loop: one for each account, region and action. A gate outlives its users by some minutes."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Hashable

from airflow_cloudtasks.clouds.client import CloudClient
from airflow_cloudtasks.clouds.event_loop import PerEventLoop
from airflow_cloudtasks.spec import Action, Service, TaskApi
from airflow_cloudtasks.waiting.allowance import stated_allowance
from airflow_cloudtasks.waiting.triggerer.gate import Gate

# Seconds between two looks for gates that are not used any more, at least.
_LOOK_INTERVAL = 60.0

# Seconds for which an unused gate is kept: with it, the rate and the Retry-After that the last user met.
_KEPT = 600.0

_gates: PerEventLoop[dict[Hashable, Gate]] = PerEventLoop(dict)


def gate_of(
    client: CloudClient, api: TaskApi, action: Action, *, stated_by: Hashable, service: Service | None = None
) -> Gate:
    """Return the gate of an account, a region and an action, after stating the allowance of the connection.

    Args:
        client: Sends the requests. Its credentials stand for the account.
        api: The API on whose behalf requests are sent.
        action: The action.
        stated_by: Identifies the connection and the API that state the allowance.
        service: The product that offers the action; None for the API's own.
    """
    gates = _gates.get()
    key = (client.account.credentials, client.region, (service or api.service).name, action.name)
    gate = gates.get(key)
    if gate is None:
        if not gates:
            _drop_later(gates, _KEPT)
        gate = gates[key] = Gate()
    gate.state(stated_by, stated_allowance(client.account.requests_per_second, api, action))
    return gate


def _drop_later(gates: dict[Hashable, Gate], seconds: float) -> None:
    # In an empty context: the first caller's would live as long as the gates.
    asyncio.get_running_loop().call_later(seconds, _drop_old, gates, context=contextvars.Context())


def _drop_old(gates: dict[Hashable, Gate]) -> None:
    now = asyncio.get_running_loop().time()
    for key in [key for key, gate in gates.items() if gate.is_idle and now - gate.used_at >= _KEPT]:
        del gates[key]
    if gates:
        oldest = min(gate.used_at for gate in gates.values())
        _drop_later(gates, max(oldest + _KEPT - now, _LOOK_INTERVAL))
