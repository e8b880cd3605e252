"""Replace what a vendor's answer tells about its owner: ids, names, texts, addresses and secrets. Pure.

The same value has the same replacement throughout, so that an answer still fits its request. What decides on a task's
state stays: the status, the progress and the times. Everything else is replaced, whatever it looks like.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from airflow_cloudtasks.spec import Percentages, TaskApi
from airflow_cloudtasks.values import load_json

_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII)
_ADDRESS = r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])"
_TOKENS = re.compile(rf"(?P<time>(?<![\d-]){_TIME.pattern})|(?P<address>{_ADDRESS})|(?P<word>[^\W_]+)")
# What a vendor may use as a status: an unknown one is what a bug report is about.
_STATUS = re.compile(r"[A-Za-z][A-Za-z _-]{0,31}", re.ASCII)
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}", re.ASCII)
# As many as Sha256 has; a name with more is an id.
_MOST_DIGITS = 3
_NO_DIGITS = re.compile(r"[^0-9]")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
# Numbers up to this are counts, percentages and sizes, unless the field's name says that they are ids.
_MOST_COUNT = 9_999
_ID_FIELD = re.compile(r".*(Id|ID|Uin|Uid|Key|Number|Phone)")
_LEAST_WIDTH = 4


class Anonymous:
    """Replaces values, with one replacement for each value.

    Args:
        api: The API whose answers are replaced.
    """

    def __init__(self, api: TaskApi) -> None:
        self._replacements: dict[str, str] = {}
        self._numbers = count(1)
        self._words = frozenset(word.lower() for word in _words(api))
        self._status_fields = frozenset(_last(path) for path in _status_paths(api))
        self._time_fields = frozenset(_last(path) for path in (api.created_at, api.started_at, api.finished_at) if path)
        self._number_fields = frozenset(_last(path) for path in _number_paths(api))
        self._known_fields = frozenset(
            {*self._status_fields, *self._time_fields, *self._number_fields, *_other_fields(api)}
        )

    def parameters(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of a request, replaced.

        Args:
            parameters: The parameters.
        """
        return {name: self._value(name, value) for name, value in parameters.items()}

    def answer(self, answer: Any) -> Any:
        """Return an answer, replaced.

        Args:
            answer: The answer, without its envelope.
        """
        return self._value("", answer)

    def text(self, text: str) -> str:
        """Return a free text, each word of it replaced; dates stay.

        Args:
            text: The text.
        """
        return _TOKENS.sub(self._token, text)

    def _value(self, field: str, value: Any, most: int = _MOST_COUNT) -> Any:
        match value:
            case Mapping():
                return {self._key(name): self._value(name, each) for name, each in value.items()}
            case list():
                return [self._value(field, each) for each in value]
            case bool() | None:
                return value
            case int() | float() if field not in self._time_fields | self._number_fields and (
                abs(value) > most or _ID_FIELD.fullmatch(field)
            ):
                return int(self._replaced(_NO_DIGITS.sub("", f"{value:.0f}") or "0"))
            case int() | float():
                return value
            case _:
                return self._string(field, str(value))

    def _key(self, name: str) -> str:
        # The vendor's own names of fields; other keys are ids or names.
        is_field = _FIELD.fullmatch(name) and len(_NO_DIGITS.sub("", name)) <= _MOST_DIGITS
        return name if is_field else self.text(name)

    def _string(self, field: str, value: str) -> str:
        decoded = load_json(value) if value.lstrip()[:1] in ("{", "[") else None
        if isinstance(decoded, dict | list):
            return json.dumps(self._inside(field, decoded), ensure_ascii=False)
        if value.lower() in self._words or _TIME.fullmatch(value):
            return value
        if field in self._status_fields and _STATUS.fullmatch(value):
            return value
        if field in self._time_fields | self._number_fields and _DECIMAL.fullmatch(value):
            return value
        return self.text(value)

    def _inside(self, field: str, value: Any) -> Any:
        """Return JSON that was inside of a string, replaced: its keys may be the user's, too."""
        match value:
            case Mapping():
                return {
                    name if name in self._known_fields else self.text(name): self._inside(name, each)
                    for name, each in value.items()
                }
            case list():
                return [self._inside(field, each) for each in value]
            case _:
                return self._value(field, value, most=0)

    def _token(self, found: re.Match[str]) -> str:
        if found["time"]:
            return found["time"]
        return self._replaced(found[0])

    def _replaced(self, value: str) -> str:
        if value not in self._replacements:
            self._replacements[value] = _replacement(value, next(self._numbers))
        return self._replacements[value]


def _replacement(value: str, number: int) -> str:
    """Return a value of the same kind: digits for digits, an address for an address, a word for a word."""
    width = max(len(value), _LEAST_WIDTH)
    if re.fullmatch(_ADDRESS, value):
        # Source: RFC 5737, addresses for documentation.
        return f"192.0.2.{number % 256}" if number < 256 else f"198.51.100.{number % 256}"
    if value.isdigit():
        return str(10 ** (width - 1) + number)
    return f"x{number:0{width - 1}d}" if any(each.isdigit() for each in value) else f"word{number}"


def _words(api: TaskApi) -> Iterable[str]:
    """Yield the words that the spec itself has: statuses, and values that tell kinds of tasks apart."""
    yield from api.states
    yield from api.parts.failed if api.parts else ()
    for failure in api.failures:
        yield from failure.values
    yield from ("true", "false", "null", "none")
    for start in api.starts:
        yield from start.names.values()
        yield from start.find.fields.values() if start.find else ()
    if api.read.success_code:
        yield api.read.success_code


def _status_paths(api: TaskApi) -> Iterable[str]:
    yield from () if isinstance(api.status, Percentages) else (api.status,)
    yield from (api.parts.status,) if api.parts else ()
    yield from (failure.path for failure in api.failures if failure.values)


def _number_paths(api: TaskApi) -> Iterable[str]:
    if isinstance(api.status, Percentages):
        yield from (api.status.complete, api.status.succeeded)
    yield from (path for path in (api.progress, api.progress_whole) if isinstance(path, str))


def _other_fields(api: TaskApi) -> Iterable[str]:
    yield api.id_param
    yield from (_last(path) for path in (api.id, api.task_name, api.message) if path)
    yield from (_last(failure.path) for failure in api.failures if not failure.values)
    parts = api.parts
    if parts is not None:
        yield from map(_last, (*parts.name, *parts.message, *filter(None, (parts.id,))))


def _last(path: str) -> str:
    return path.rpartition(".")[2]
