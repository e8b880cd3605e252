"""What a test may ask of the emulator, read from plain JSON values. A mistake is told with what was expected."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_cloudtasks.emulator.engine.faults import DEFAULT_HANG_SECONDS, FAULT_KINDS, Fault
from airflow_cloudtasks.emulator.engine.keys import CLOUDS, DEFAULT_ACCOUNT, Key
from airflow_cloudtasks.emulator.engine.plans import Plan
from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.state import NO_LATENCY
from airflow_cloudtasks.emulator.engine.sts import StsSettings
from airflow_cloudtasks.emulator.engine.tasks import Task
from airflow_cloudtasks.emulator.products.registry import ACTIONS, ACTIONS_BY_API
from airflow_cloudtasks.emulator.vendor.metadata import METADATA_ACTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject

Choice = TypeVar("Choice", bound=str)
TASK_APIS = tuple(api for api, action in ACTIONS_BY_API.items() if action.task is not None)
STARTED_APIS = tuple(api for api, action in ACTIONS_BY_API.items() if action.task is not None and action.task.script)
# Both clouds have an action of some of these names, told apart by the cloud.
APIS = tuple(dict.fromkeys(action.api for action in (*ACTIONS, *METADATA_ACTIONS)))


class BadInputError(ValueError):
    """Something asked of the emulator makes no sense; the text says what, and what would."""


def parse_task(value: Any, now: float) -> Task:
    """Read a task.

    Args:
        value: ``{"api", "id", "script", "fields"}``; a step of the script is an object, a pair of status and seconds,
            or a bare status.
        now: When the task is created, in Unix seconds.

    Returns:
        The task.

    Raises:
        BadInputError: It makes no sense.
    """
    given = _object("a task", value, required=("api", "id", "script"), optional=("fields",))
    api = _one_of("api", given["api"], TASK_APIS)
    fields = dict(_dict("fields", given.get("fields", {})))
    shape = ACTIONS_BY_API[api].task
    scope = {
        name: _text(f"fields.{name}", fields.pop(name)) for name in (shape.scope if shape else ()) if name in fields
    }
    return Task(api, _text("id", given["id"]), _script_of(api, given["script"]), now, fields, scope)


def parse_plan(value: Any) -> tuple[str, Plan, bool]:
    """Read a plan for tasks that requests will start.

    Args:
        value: ``{"api", "script", "fields", "for_all"}``; the last two may be left out.

    Returns:
        The API that reads the tasks, the plan, and whether it is for all tasks instead of the next one.

    Raises:
        BadInputError: It makes no sense.
    """
    given = _object("a plan", value, required=("api", "script"), optional=("fields", "for_all"))
    api = _one_of("api", given["api"], STARTED_APIS)
    plan = Plan(_script_of(api, given["script"]), dict(_dict("fields", given.get("fields", {}))))
    return api, plan, _boolean("for_all", given.get("for_all", False))


def parse_script(value: Any) -> tuple[Step, ...]:
    """Read a script.

    Args:
        value: A list of steps, or one bare status. Every step but the last says its seconds; the last lasts for ever.

    Returns:
        The steps.

    Raises:
        BadInputError: It makes no sense.
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
    return steps


def parse_limit(value: Any) -> float | None:
    """Read a request limit.

    Args:
        value: ``{"requests_per_second": number or null}``.

    Returns:
        The limit; None to lift it.

    Raises:
        BadInputError: It makes no sense.
    """
    given = _object("a limit", value, required=("requests_per_second",))
    limit = given["requests_per_second"]
    if limit is None:
        return None
    number = _number("requests_per_second", limit)
    if number <= 0:
        raise BadInputError(f"requests_per_second: expected a number above 0 or null, got {limit!r}")
    return number


def parse_fault(value: Any) -> Fault:
    """Read a fault.

    Args:
        value: ``{"kind", "rate", "count", "seconds", "api"}``; all but ``kind`` may be left out or null.

    Returns:
        The fault.

    Raises:
        BadInputError: It makes no sense.
    """
    given = _object("a fault", value, required=("kind",), optional=("rate", "count", "seconds", "api"))
    kinds = given["kind"] if isinstance(given["kind"], list | tuple) else [given["kind"]]
    if not kinds:
        raise BadInputError("kind: expected at least one, got none")
    parsed = tuple(_one_of("kind", kind, FAULT_KINDS) for kind in kinds)
    rate = 1.0 if given.get("rate") is None else _number("rate", given["rate"])
    if not 0 <= rate <= 1:
        raise BadInputError(f"rate: expected a number from 0 to 1, got {rate:g}")
    count = given.get("count")
    if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 1):
        raise BadInputError(f"count: expected a whole number from 1 or null, got {count!r}")
    seconds = given.get("seconds")
    if seconds is not None and "hang" not in parsed:
        raise BadInputError("seconds: says how long a hang lasts; expected it only where kind is or lists 'hang'")
    hang = DEFAULT_HANG_SECONDS if seconds is None else _seconds("seconds", seconds)
    return Fault(parsed, rate, count, hang, parse_api(given.get("api")))


def parse_latency(value: Any) -> tuple[float, float]:
    """Read how late answers shall be.

    Args:
        value: ``{"seconds": a number, a pair of the least and the most, or null}``.

    Returns:
        The least and the most seconds.

    Raises:
        BadInputError: It makes no sense.
    """
    seconds = _object("a latency", value, required=("seconds",))["seconds"]
    if seconds is None:
        return NO_LATENCY
    given = seconds if isinstance(seconds, list | tuple) else [seconds]
    if len(given) not in (1, 2):
        raise BadInputError(f"seconds: expected a number or the least and the most, got {len(given)} values")
    bounds = [_seconds("seconds", bound) for bound in given]
    lowest, highest = bounds[0], bounds[-1]
    if lowest > highest:
        raise BadInputError(f"seconds: expected the least before the most, got {lowest:g} and {highest:g}")
    return lowest, highest


def parse_key(value: Any) -> tuple[Key, Cloud | None]:
    """Read an access key.

    Args:
        value: ``{"id", "secret", "token", "cloud", "account"}``; the last three may be left out or null.

    Returns:
        The key, and the one cloud that accepts it or None for both.

    Raises:
        BadInputError: It makes no sense.
    """
    given = _object("a key", value, required=("id", "secret"), optional=("token", "cloud", "account"))
    token, cloud, account = given.get("token"), given.get("cloud"), given.get("account")
    key = Key(
        _text("id", given["id"]),
        _text("secret", given["secret"], shown=False),
        None if token is None else _text("token", token, shown=False),
        DEFAULT_ACCOUNT if account is None else _text("account", account),
    )
    return key, None if cloud is None else _one_of("cloud", cloud, CLOUDS)


def parse_sts(value: Any, present: StsSettings) -> StsSettings:
    """Read settings of the token services and the metadata services.

    Args:
        value: An object with any of :class:`StsSettings`' attributes; null puts one back to its default.
        present: The settings so far, which hold for what is left out.

    Returns:
        The settings.

    Raises:
        BadInputError: It makes no sense.
    """
    given = _object("token settings", value, required=(), optional=tuple(_STS_READERS))
    read = {
        name: getattr(_STS_DEFAULTS, name) if setting is None else _STS_READERS[name](name, setting)
        for name, setting in given.items()
    }
    return replace(present, **read)


def parse_api(value: str | None, known: tuple[str, ...] = APIS) -> str | None:
    """Read the name of an API to filter by.

    Args:
        value: The name, or None.
        known: The APIs there are.

    Returns:
        It.

    Raises:
        BadInputError: There is no such API.
    """
    return None if value is None else _one_of("api", value, known)


def parse_since(value: str | None) -> int:
    """Read a sequence number.

    Args:
        value: The number as text, or None.

    Returns:
        It; 0 for None.

    Raises:
        BadInputError: It is no number.
    """
    if value is None:
        return 0
    if not (value.isascii() and value.isdigit()):
        raise BadInputError(f"since: expected a sequence number such as 120, got {value!r}")
    return int(value)


def _script_of(api: str, value: Any) -> tuple[Step, ...]:
    script = parse_script(value)
    shape = ACTIONS_BY_API[api].task
    if shape is not None and shape.percents_at is not None:
        names = "/".join(shape.percents_at)
        for index, step in enumerate(script):
            if not re.fullmatch(r"[0-9]{1,3}/[0-9]{1,3}", step.status or ""):
                raise BadInputError(f"script[{index}].status: expected {names} such as 60/50, got {step.status!r}")
    return script


def _step(where: str, value: Any) -> Step:
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise BadInputError(f"{where}: expected a pair of status and seconds, got {len(value)} values")
        value = {"status": value[0], "seconds": value[1]}
    elif value is None or isinstance(value, str):
        value = {"status": value}
    given = _object(where, value, required=("status",), optional=("seconds", "fields"))
    status, seconds = given["status"], given.get("seconds")
    if status is not None and not isinstance(status, str):
        raise BadInputError(f"{where}.status: expected a string or null, got {status!r}")
    return Step(
        status,
        None if seconds is None else _seconds(f"{where}.seconds", seconds),
        dict(_dict(f"{where}.fields", given.get("fields", {}))),
    )


def _object(what: str, value: Any, *, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> JsonObject:
    given = _dict(what, value)
    for name in required:
        if name not in given:
            raise BadInputError(f"{what}: {name} is missing; expected {_listed((*required, *optional))}")
    for name in given:
        if name not in required and name not in optional:
            raise BadInputError(f"{what}: unknown {name!r}; expected {_listed((*required, *optional))}")
    return given


def _dict(what: str, value: Any) -> JsonObject:
    if not isinstance(value, dict):
        raise BadInputError(f"{what}: expected an object, got {type(value).__name__}")
    return value


def _text(what: str, value: Any, *, shown: bool = True) -> str:
    if not isinstance(value, str) or not value:
        got = repr(value) if shown else type(value).__name__
        raise BadInputError(f"{what}: expected a string that is not empty, got {got}")
    return value


def _number(what: str, value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise BadInputError(f"{what}: expected a number, got {value!r}")
    return float(value)


def _seconds(what: str, value: Any) -> float:
    number = _number(what, value)
    if number < 0:
        raise BadInputError(f"{what}: expected a number of seconds from 0, got {number:g}")
    return number


def _one_of(what: str, value: Any, choices: tuple[Choice, ...]) -> Choice:
    for choice in choices:
        if value == choice:
            return choice
    raise BadInputError(f"{what}: expected one of {_listed(choices)}, got {value!r}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _role(what: str, value: Any) -> str:
    name = _text(what, value)
    if not re.fullmatch(r"[\w.@-]+", name, re.ASCII):
        raise BadInputError(f"{what}: expected a role's name of letters, digits and . @ - _, got {value!r}")
    return name


def _roles(what: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise BadInputError(f"{what}: expected a list of role ARNs or null, got {type(value).__name__}")
    return tuple(_text(f"{what}[{index}]", arn) for index, arn in enumerate(value))


def _boolean(what: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadInputError(f"{what}: expected true or false, got {value!r}")
    return value


def _hidden_text(what: str, value: Any) -> str:
    return _text(what, value, shown=False)


_STS_DEFAULTS = StsSettings()
_STS_READERS: dict[str, Callable[[str, Any], Any]] = {
    "seconds": _seconds,
    "valid_seconds": _seconds,
    "external_id": _text,
    "oidc_token": _hidden_text,
    "role": _role,
    "imds_v1": _boolean,
    "roles": _roles,
}
