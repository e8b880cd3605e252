"""What a start request asks for, in a form that two tries can compare and that holds no secret. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.spec import Start, TaskApi
from airflow_cloudtasks.values import embedded_json

# Raise this if equal requests get another digest. An attempt with another prefix is neither equal nor different.
_PREFIX = "2:"

Agreement = Literal["same", "other", "elsewhere", "unknown"]
"""How the request of an earlier try compares with the current one.

``same``: they ask for the same task. ``other``: their parameters differ. ``elsewhere``: the API, the action, the
account or the region differs, so that a wait for one cannot read the other. ``unknown``: version 0.1.0 or 0.2.0 stored
the earlier one.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a start request asks for, and where.

    Args:
        digest: A digest of the parameters, with the version of the digest's rule in front.
        api: The name of the API that reads the task.
        action: The name of the action that starts it.
        conn_id: The id of the Airflow connection.
        account: A digest of the id of the connection's key; empty for temporary keys.
        region: The region that was called.
        params: Those parameters that identify the task, or that its cancellation needs, in the vendor's spelling.
        scope: What every task has in common that a look-up may take for the task; see
            :func:`~airflow_cloudtasks.protocol.start_requests.look_up_scope`.
        texts: What tells such tasks apart if the scope is empty; see
            :func:`~airflow_cloudtasks.protocol.start_requests.look_up_texts`.
    """

    digest: str = ""
    api: str = ""
    action: str = ""
    conn_id: str = ""
    account: str = ""
    region: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    scope: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def digest_of(api: TaskApi, start: Start, parameters: Mapping[str, Any]) -> str:
    """Return the digest of a request's parameters.

    Values that are sent alike have the same digest: a time and its text, a dict in any order and its JSON, a set in any
    order, a parameter that is None and one that is left out.

    Args:
        api: The API that reads the task.
        start: The action that starts it.
        parameters: The parameters, before they are encoded and without a mark.

    Raises:
        InvalidArguments: A value cannot be encoded.
    """
    sent = encode(api, start, {name: _in_order(value) for name, value in parameters.items()})
    return _PREFIX + _sha256(_decoded(sent))


def old_digest(api: TaskApi, start: Start, parameters: Mapping[str, Any], conn_id: str, region: str | None) -> str:
    """Return the digest that version 0.2.0 stored for a request.

    Args:
        api: The API that reads the task.
        start: The action that starts it.
        parameters: The parameters, before they are encoded and without a mark.
        conn_id: The id of the Airflow connection.
        region: The region that overrides the connection's.
    """
    return _sha256([conn_id, region, api.name, start.action.name, encode(api, start, parameters)])


def account_digest(key_id: str) -> str:
    """Return a short digest of a key's id; empty for an empty id."""
    return _sha256(key_id)[:16] if key_id else ""


def needed_params(api: TaskApi, start: Start, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters that a later try needs to read and to cancel the task, without the rest.

    Args:
        api: The API that reads the task.
        start: The action that starts it.
        parameters: The parameters of the request.
    """
    names = {*api.task_params, *api.carried_params, *(api.cancel.action.params if api.cancel else ())}
    if start.job_api is not None:
        names.update(find_api(start.job_api).task_params)
    known = {**parameters, **start.names}
    # The ids of restarted tasks are stored as the attempt's ids.
    names -= {start.ids_param}
    return {name: str(known[name]) for name in sorted(names) if known.get(name) not in (None, "")}


def agreement(kept: Asked, now: Asked, old_digest_now: str) -> Agreement:
    """Compare the request of an earlier try with the current one.

    Args:
        kept: The request of the earlier try.
        now: The current request.
        old_digest_now: :func:`old_digest` of the current request.
    """
    if not kept.digest.startswith(_PREFIX):
        return "same" if kept.digest == old_digest_now else "unknown"
    # One account may have connections of several names, and a connection keeps its name while its key is rotated.
    is_same_account = kept.conn_id == now.conn_id or (kept.account != "" and kept.account == now.account)
    if not is_same_account or (kept.api, kept.action, kept.region) != (now.api, now.action, now.region):
        return "elsewhere"
    return "same" if kept.digest == now.digest else "other"


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _in_order(value: Any) -> Any:
    """Return a value with its dicts and sets in a fixed order, also where a template has rendered them as JSON."""
    match embedded_json(value):
        case Mapping() as fields:
            return {name: _in_order(fields[name]) for name in sorted(fields, key=str)}
        case list() | tuple() as items:
            return [_in_order(each) for each in items]
        case set() | frozenset() as items:
            return sorted(items, key=str)
        case other:
            return other


def _decoded(value: Any) -> Any:
    """Return a value with JSON inside strings decoded: blanks in it do not count."""
    match embedded_json(value):
        case dict() as fields:
            return {str(name): _decoded(each) for name, each in fields.items()}
        case list() as items:
            return [_decoded(each) for each in items]
        case other:
            return other
