"""Parse the arguments of the control plane's operations. An error says which one is wrong and what was expected."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_cloudtasks.emulator.control.errors import BadInputError
from airflow_cloudtasks.emulator.engine.faults import DEFAULT_HANG_SECONDS, FAULT_KINDS, RETRY_AFTER_KINDS, FaultRule
from airflow_cloudtasks.emulator.engine.keys import DEFAULT_ACCOUNT, Key
from airflow_cloudtasks.emulator.engine.plans import Plan
from airflow_cloudtasks.emulator.engine.queues import QueueSettings
from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.state import NO_LATENCY
from airflow_cloudtasks.emulator.engine.sts import StsSettings
from airflow_cloudtasks.emulator.engine.tasks import Task
from airflow_cloudtasks.emulator.engine.values import CLOUDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import TaskShape
    from airflow_cloudtasks.emulator.vendor.registry import Registry

Choice = TypeVar("Choice", bound=str)


def parse_task(value: Any, registry: Registry, now: float) -> Task:
    """Return a task that is created at ``now`` from ``{"api", "id", "script", "fields"}``; ``fields`` is optional."""
    given = parse_object("a task", value, required=("api", "id", "script"), optional=("fields",))
    api = parse_choice("api", given["api"], registry.task_apis)
    script = parse_script(given["script"], registry.shape(api))
    return make_task(registry.shape(api), api, given["id"], script, parse_dict("fields", given.get("fields", {})), now)


def make_task(shape: TaskShape, api: str, task_id: Any, script: tuple[Step, ...], fields: Any, now: float) -> Task:
    """Return a task with a parsed script; those of its fields that are of its scope become its scope."""
    rest = parse_fields("fields", fields)
    scope = {name: parse_text(f"fields.{name}", rest.pop(name)) for name in shape.scope if name in rest}
    return Task(api, parse_text("id", task_id), script, now, rest, scope)


def parse_plan(value: Any, registry: Registry) -> tuple[str, Plan, bool]:
    """Return API, plan and whether it is for all tasks, from ``{"api", "script", "fields", "for_all"}``.

    ``fields`` and ``for_all`` are optional.
    """
    given = parse_object("a plan", value, required=("api", "script"), optional=("fields", "for_all"))
    api = parse_choice("api", given["api"], registry.started_apis)
    plan = Plan(parse_script(given["script"], registry.shape(api)), dict(parse_dict("fields", given.get("fields", {}))))
    return api, plan, parse_boolean("for_all", given.get("for_all", False))


def parse_script(value: Any, shape: TaskShape) -> tuple[Step, ...]:
    """Return the steps of a script.

    Args:
        value: A list of steps, or one bare status. A step is an object, a pair of status and seconds, or a bare
            status. Every step except the last needs seconds.
        shape: The shape of the task.
    """
    entries: Iterable[Any] = value if isinstance(value, list | tuple) else [value]
    steps = tuple(_step(f"script[{index}]", entry) for index, entry in enumerate(entries))
    if not steps:
        raise BadInputError("script: expected at least one step, got none")
    for index, step in enumerate(steps[:-1]):
        if step.seconds is None:
            raise BadInputError(f"script[{index}]: expected seconds, since another step follows it")
    if steps[-1].seconds is not None:
        raise BadInputError(f"script[{len(steps) - 1}]: expected no seconds, since the last step lasts for ever")
    if shape.percents_at is not None:
        _check_percentages(steps, "/".join(shape.percents_at))
    return steps


def parse_ending(api: str, shape: TaskShape, end: Any, fields: Any) -> Step:
    """Return the step on which a task of an API ends.

    Args:
        api: The API.
        shape: The shape of its tasks.
        end: ``succeeded``, ``failed`` or ``canceled``.
        fields: Fields of the task's object that the step sets.
    """
    parse_choice("end", end, ("succeeded", "failed", "canceled"))
    if end not in shape.endings:
        raise BadInputError(f"end: {api} has no status for {end!r}; expected one of {_listed(shape.endings)}")
    step = shape.endings[end]
    return replace(step, fields={**step.fields, **parse_fields("fields", fields)})


def parse_limit(requests_per_second: Any) -> float | None:
    """Return a request limit, or None for no limit."""
    if requests_per_second is None:
        return None
    number = parse_number("requests_per_second", requests_per_second)
    if number <= 0:
        raise BadInputError(f"requests_per_second: expected a number above 0 or null, got {requests_per_second!r}")
    return number


def parse_retry_after(seconds: Any) -> int | None:
    """Return the seconds of a ``Retry-After`` header, or None for no header."""
    if seconds is None:
        return None
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 0:
        raise BadInputError(f"retry_after: expected a whole number of seconds from 0 or null, got {seconds!r}")
    return seconds


def parse_fault(kind: Any, rate: Any, count: Any, seconds: Any, api: str | None, retry_after: Any = None) -> FaultRule:
    """Return a fault of an API, or of all; every argument except ``kind`` may be None."""
    kinds = kind if isinstance(kind, list | tuple) else [kind]
    if not kinds:
        raise BadInputError("kind: expected at least one, got none")
    parsed = tuple(parse_choice("kind", one, FAULT_KINDS) for one in kinds)
    share = 1.0 if rate is None else _share("rate", rate)
    if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
        raise BadInputError(f"count: expected a whole number from 1 or null, got {count!r}")
    if seconds is not None and not {"hang", "stale"} & set(parsed):
        raise BadInputError(
            "seconds: is the length of a hang, or the age of a stale answer; expected it only where kind is or lists "
            "'hang' or 'stale'"
        )
    hang = DEFAULT_HANG_SECONDS if seconds is None else parse_seconds("seconds", seconds)
    if retry_after is not None and not set(parsed) & set(RETRY_AFTER_KINDS):
        raise BadInputError(f"retry_after: expected it only where kind is or lists {' or '.join(RETRY_AFTER_KINDS)}")
    return FaultRule(parsed, share, count, hang, api, parse_retry_after(retry_after))


def parse_latency(seconds: Any) -> tuple[float, float]:
    """Return the least and the most seconds, from a number, a pair of them, or None for no latency."""
    if seconds is None:
        return NO_LATENCY
    given = seconds if isinstance(seconds, list | tuple) else [seconds]
    if len(given) not in (1, 2):
        raise BadInputError(f"seconds: expected a number or the least and the most, got {len(given)} values")
    bounds = [parse_seconds("seconds", bound) for bound in given]
    lowest, highest = bounds[0], bounds[-1]
    if lowest > highest:
        raise BadInputError(f"seconds: expected the least before the most, got {lowest:g} and {highest:g}")
    return lowest, highest


def parse_key(
    key_id: Any, secret: Any, token: Any, cloud: Any, account: Any, actions: Any = None
) -> tuple[Key, Cloud | None]:
    """Return a key, and the one cloud that accepts it or None for both. The arguments from token on may be None."""
    key = Key(
        parse_text("id", key_id),
        parse_text("secret", secret, shown=False),
        None if token is None else parse_text("token", token, shown=False),
        DEFAULT_ACCOUNT if account is None else parse_text("account", account),
        actions=None if actions is None else _parse_actions(actions),
    )
    return key, None if cloud is None else parse_choice("cloud", cloud, CLOUDS)


def parse_regions(value: Any) -> tuple[str, ...] | None:
    """Return names of regions, or None for any."""
    return None if value is None else _parse_texts("regions", value, "regions")


def _parse_actions(value: Any) -> tuple[str, ...]:
    actions = tuple(_parse_texts("actions", value, "actions"))
    for action in actions:
        if action != "*" and ":" not in action:
            raise BadInputError(f"actions: expected patterns such as wedata:GetTask or ice:*, got {action!r}")
    return actions


def parse_sts(value: Any, present: StsSettings) -> StsSettings:
    """Return the present settings with changes, an object of any of their attributes; null restores a default."""
    given = parse_object("token settings", value, required=(), optional=tuple(_STS_PARSERS))
    parsed = {
        name: getattr(_STS_DEFAULTS, name) if setting is None else _STS_PARSERS[name](name, setting)
        for name, setting in given.items()
    }
    return replace(present, **parsed)


def parse_queue(value: Any, present: QueueSettings | None) -> QueueSettings:
    """Return the present settings of a queue, or the default ones, with changes; null restores a default."""
    given = parse_object("queue settings", value, required=(), optional=tuple(_QUEUE_PARSERS))
    parsed = {
        name: getattr(_QUEUE_DEFAULTS, name) if setting is None else _QUEUE_PARSERS[name](name, setting)
        for name, setting in given.items()
    }
    return replace(present or _QUEUE_DEFAULTS, **parsed)


def parse_api(value: Any, known: tuple[str, ...]) -> str | None:
    """Return the name of a known API, or None for None."""
    return None if value is None else parse_choice("api", value, known)


def parse_since(value: str | None) -> int:
    """Return a sequence number from its text; 0 for None."""
    if value is None:
        return 0
    if not (value.isascii() and value.isdigit()):
        raise BadInputError(f"since: expected a sequence number such as 120, got {value!r}")
    return int(value)


def parse_object(what: str, value: Any, *, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> JsonObject:
    """Return an object that has all required members and no unknown one."""
    given = parse_dict(what, value)
    for name in required:
        if name not in given:
            raise BadInputError(f"{what}: {name} is missing; expected {_listed((*required, *optional))}")
    for name in given:
        if name not in required and name not in optional:
            raise BadInputError(f"{what}: unknown {name!r}; expected {_listed((*required, *optional))}")
    return given


def parse_dict(what: str, value: Any) -> JsonObject:
    """Return an object of any members."""
    if not isinstance(value, dict):
        raise BadInputError(f"{what}: expected an object, got {type(value).__name__}")
    return value


def parse_choice(what: str, value: Any, choices: tuple[Choice, ...]) -> Choice:
    """Return one of the choices."""
    for choice in choices:
        if value == choice:
            return choice
    raise BadInputError(f"{what}: expected one of {_listed(choices)}, got {value!r}")


def parse_text(what: str, value: Any, *, shown: bool = True) -> str:
    """Return a text that is not empty; an error shows it unless it is secret."""
    if not isinstance(value, str) or not value:
        got = repr(value) if shown else type(value).__name__
        raise BadInputError(f"{what}: expected a string that is not empty, got {got}")
    return value


def parse_seconds(what: str, value: Any) -> float:
    """Return a number of seconds that is not negative."""
    number = parse_number(what, value)
    if number < 0:
        raise BadInputError(f"{what}: expected a number of seconds from 0, got {number:g}")
    return number


def parse_number(what: str, value: Any) -> float:
    """Return a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise BadInputError(f"{what}: expected a number, got {value!r}")
    return float(value)


def parse_boolean(what: str, value: Any) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise BadInputError(f"{what}: expected true or false, got {value!r}")
    return value


def parse_fields(what: str, value: Any) -> JsonObject:
    """Return a copy of an object; an empty one for None."""
    return {} if value is None else dict(parse_dict(what, value))


def _check_percentages(steps: tuple[Step, ...], names: str) -> None:
    for index, step in enumerate(steps):
        if not re.fullmatch(r"[0-9]{1,3}/[0-9]{1,3}", step.status or ""):
            raise BadInputError(f"script[{index}].status: expected {names} such as 60/50, got {step.status!r}")


def _step(where: str, value: Any) -> Step:
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise BadInputError(f"{where}: expected a pair of status and seconds, got {len(value)} values")
        value = {"status": value[0], "seconds": value[1]}
    elif value is None or isinstance(value, str):
        value = {"status": value}
    given = parse_object(where, value, required=("status",), optional=("seconds", "fields"))
    status, seconds = given["status"], given.get("seconds")
    if status is not None and not isinstance(status, str):
        raise BadInputError(f"{where}.status: expected a string or null, got {status!r}")
    return Step(
        status,
        None if seconds is None else parse_seconds(f"{where}.seconds", seconds),
        dict(parse_dict(f"{where}.fields", given.get("fields", {}))),
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _role(what: str, value: Any) -> str:
    name = parse_text(what, value)
    if not re.fullmatch(r"[\w.@-]+", name, re.ASCII):
        raise BadInputError(f"{what}: expected a role's name of letters, digits and . @ - _, got {value!r}")
    return name


def _roles(what: str, value: Any) -> tuple[str, ...]:
    return _parse_texts(what, value, "role ARNs")


def _parse_texts(what: str, value: Any, of: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise BadInputError(f"{what}: expected a list of {of} or null, got {type(value).__name__}")
    return tuple(parse_text(f"{what}[{index}]", each) for index, each in enumerate(value))


def _secret(what: str, value: Any) -> str:
    return parse_text(what, value, shown=False)


_STS_DEFAULTS = StsSettings()
_STS_PARSERS: dict[str, Callable[[str, Any], Any]] = {
    "seconds": parse_seconds,
    "valid_seconds": parse_seconds,
    "external_id": parse_text,
    "oidc_token": _secret,
    "role": _role,
    "imds_v1": parse_boolean,
    "roles": _roles,
}


def _share(what: str, value: Any) -> float:
    share = parse_number(what, value)
    if not 0 <= share <= 1:
        raise BadInputError(f"{what}: expected a number from 0 to 1, got {share:g}")
    return share


def _count(what: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadInputError(f"{what}: expected a whole number from 0 or null, got {value!r}")
    return value


_QUEUE_DEFAULTS = QueueSettings()
_QUEUE_PARSERS: dict[str, Callable[[str, Any], Any]] = {
    "visibility": parse_seconds,
    "long_polls": _count,
    "lost": _share,
    "doubled": _share,
    "garbled": _share,
    "delay": parse_seconds,
    "frozen": parse_boolean,
    "base64": parse_boolean,
    "flat": parse_boolean,
}
