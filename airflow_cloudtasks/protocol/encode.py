"""Encode the Python values of a start request in the form that the vendor expects, or refuse them by name. Pure."""

from __future__ import annotations

import json
import math
import re
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, time
from typing import Any

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.protocol.task_ids import is_many, spelled_id
from airflow_cloudtasks.protocol.timestamps import read_time, read_zone, written
from airflow_cloudtasks.spec import Start, TaskApi
from airflow_cloudtasks.spec.names import RENDERED, Arguments, as_name, why_no_name
from airflow_cloudtasks.spec.start import Encoding
from airflow_cloudtasks.spec.template import integer
from airflow_cloudtasks.values import load_json

_BOOLEANS = {"true": True, "false": False}
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_CLOCK = re.compile(r"([01]?\d|2[0-4]):[0-5]\d(:[0-5]\d)?", re.ASCII)
# Larger integers have no exact float.
_EXACT = 2**53

# A path has indexes, e.g. ``Labels[0].LabelBizId``; the names of encodings have none.
_INDEX = re.compile(r"\[\d+\]")


def encode(
    api: TaskApi, start: Start, parameters: Mapping[str, Any], arguments: Arguments = RENDERED
) -> dict[str, Any]:
    """Encode the parameters of a start request.

    Args:
        api: The API of the task. Times without a zone are in its zone.
        start: The action that starts the task.
        parameters: Python values by the vendor's names. A parameter that is None is left out.
        arguments: What is known of the values. A value that is pending is encoded as None.

    Returns:
        The parameters as they are sent: as text, except where ``start.encodings`` says otherwise.

    Raises:
        InvalidArguments: A value cannot be encoded; the text has its path and the expected form.
    """
    encoder = _Encoder(api, start, parameters, arguments)
    encoded = {name: encoder.encode(value, name) for name, value in parameters.items() if value is not None}
    for name in start.action.integers:
        value = encoded.get(name)
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                integer(f"{start.action.name}: {name}", item)
    _check_size(start, encoded)
    return encoded


def _check_size(start: Start, encoded: Mapping[str, Any]) -> None:
    """Refuse a parameter that the vendor refuses for its size in bytes."""
    value = encoded.get(start.mark or "") if start.notify is not None else None
    if isinstance(value, str) and (size := len(value.encode())) > start.mark_bytes:
        raise InvalidArguments(
            f"{start.action.name}: {start.mark} has {size:,} bytes; expected at most {start.mark_bytes}, as JSON in "
            "UTF-8."
        )


def _encodings(api: TaskApi, start: Start) -> dict[str, Encoding]:
    """Return the declared encodings and those of the parameters that identify the task."""
    found: dict[str, Encoding] = dict.fromkeys((*api.task_params, *api.carried_params), "id")
    found.update(start.encodings)
    if start.ids_param is not None and start.starts_many:
        found[start.ids_param] = "ids"
    return found


class _Encoder:
    def __init__(self, api: TaskApi, start: Start, parameters: Mapping[str, Any], arguments: Arguments) -> None:
        self._api, self._start, self._arguments = api, start, arguments
        self._encodings = _encodings(api, start)
        self._zone = api.zone
        if (name := start.timezone_param) is not None and parameters.get(name) not in (None, ""):
            self._zone = self._read_zone(parameters[name], name)

    def encode(self, value: Any, path: str) -> Any:
        if self._arguments.is_pending(value):
            return None
        encoding = self._encodings.get(_INDEX.sub("", path))
        try:
            return self._plain(value, path) if encoding is None else self._encoded(value, path, encoding)
        except InvalidArguments:
            raise
        except RecursionError:
            raise InvalidArguments(f"{self._start.action.name}: {path} is nested too deeply.") from None
        except (ValueError, TypeError) as error:
            raise self._refusal(value, path, f"; {error}") from None

    def _refusal(self, value: Any, path: str, reason: str) -> InvalidArguments:
        hint = self._arguments.hint(path, value)
        return InvalidArguments(f"{self._start.action.name}: {path} is {value!r:.200}{reason}{hint}")

    def _plain(self, value: Any, path: str) -> Any:
        match value:
            case Mapping():
                return {str(k): self.encode(v, f"{path}.{k}") for k, v in value.items() if v is not None}
            case list() | tuple() | set() | frozenset():
                return [self.encode(item, f"{path}[{index}]") for index, item in enumerate(value)]
            case _:
                return self._text(value, path)

    def _encoded(self, value: Any, path: str, encoding: Encoding) -> Any:
        match encoding:
            case "id":
                return self._id(value, path)
            case "ids":
                return [self._item_id(item, f"{path}[{index}]") for index, item in enumerate(_list(value))]
            case "json":
                return value if isinstance(value, str) else self._json(value, path, nulls=True)
            case "object":
                return self._object(value, path)
            case "map":
                return value if isinstance(value, str) else self._json(value, path)
            case "base64":
                return b64encode((value if isinstance(value, str) else self._json(value, path)).encode()).decode()
            case "integer":
                return _integer(value)
            case "number":
                return _number(value)
            case "boolean":
                return _boolean(value)
            case "time":
                return written(self._time(value, "a time"), self._api, self._zone)
            case "clock":
                return self._clock(value)
            case "dates":
                return self._time(value, "a day").date().isoformat()
            case "list":
                return [self._item(item, f"{path}[{index}]") for index, item in enumerate(_list(value))]
            case "ranges":
                return [self._range(item, f"{path}[{index}]") for index, item in enumerate(_list(value))]
            case "pairs":
                return [self._pair(item, path) for item in _pairs(value)]
            case "pair":
                items = _pairs(value)
                if len(items) != 1:
                    raise ValueError("the vendor takes one entry here.")
                return self._pair(items[0], path)

    def _id(self, value: Any, path: str) -> str | None:
        if value == "" and path not in self._start.action.params:
            return ""  # An optional parameter: vendors read an empty text as none.
        return self._item_id(value, path)

    def _item_id(self, value: Any, path: str) -> str | None:
        if self._arguments.is_pending(value):
            return None
        if (reason := why_no_name(value)) is not None:
            raise self._refusal(value, path, f", {reason}")
        if _INDEX.sub("", path) != self._start.ids_param:
            return as_name(value)
        try:
            return spelled_id(value, self._api)
        except InvalidArguments as error:
            raise self._refusal(value, path, f", {error}") from None

    def _item(self, item: Any, path: str) -> Any:
        return None if self._arguments.is_pending(item) else self._plain(item, path)

    def _range(self, item: Any, path: str) -> Any:
        """Return a first and a last value as an object; an object is returned with its values encoded."""
        if self._arguments.is_pending(item):
            return None
        first_and_last = self._start.first_and_last
        if not isinstance(item, Mapping):
            if not isinstance(item, list | tuple) or len(item) != len(first_and_last):
                raise ValueError("expected a list of pairs, or of dicts.")
            item = dict(zip(first_and_last, item, strict=True))
        for name in first_and_last:
            if name in item and item[name] is None:
                raise self._refusal(None, f"{path}.{name}", "; expected a day.")
        return self._plain(item, path)

    def _pair(self, item: Any, path: str) -> dict[str, Any]:
        """Return a key and its value as an object; an object is returned with its values as text."""
        names = self._start.key_and_value
        given = item if isinstance(item, Mapping) else dict(zip(names, item, strict=True))
        if names[0] not in given:
            raise ValueError(f"expected a dict, or a list of dicts with {names[0]} and {names[1]}.")
        if self._arguments.is_pending(key := given.get(names[0])):
            return {}
        where = f"{path}.{self._text(key, path)}"
        needed = {name: self._member(given[name], where) for name in names if name in given}
        others = {name: self._member(value, where) for name, value in given.items() if value is not None}
        return {str(name): text for name, text in {**needed, **others}.items()}

    def _member(self, value: Any, path: str) -> str | None:
        """Return the value of a pair as text. The user defines the pair, so that any type may be meant."""
        if self._arguments.is_pending(value):
            return None
        match value:
            case float() if math.isfinite(value) and path not in self._arguments.native:
                return str(value)
            case tuple() if path in self._arguments.native:
                raise self._refusal(value, path, "; expected text.")
            case Mapping() | list() | tuple():
                return self._json(value, path)
            case _:
                return self._text(value, path)

    def _text(self, value: Any, path: str) -> str:
        match value:
            case str():
                value.encode()  # refuses half of a surrogate pair, which no request can hold
                return value
            case bool():
                return str(value).lower()
            case int():
                return str(value)
            case float():
                reason = ", a float; write the text that is meant, e.g. '1.10'."
            case date():
                return self._date(value)
            case _:
                kind = "" if value is None else f", of type {type(value).__name__}"
                reason = f"{kind}; expected text, a number, a time, or a list or a dict of them."
        raise self._refusal(value, path, reason)

    def _json(self, value: Any, path: str, *, nulls: bool = False) -> str:
        written_out = json.dumps(self._tree(value, path, nulls), ensure_ascii=False, allow_nan=False)
        written_out.encode()
        return written_out

    def _object(self, value: Any, path: str) -> Any:
        """Return a dict or a list as JSON types, without the members that are None."""
        given = _rendered(value)
        if not isinstance(given, Mapping | list | tuple):
            raise ValueError("expected a dict or a list.")
        return self._tree(_without_none(given), path, nulls=False)

    def _tree(self, value: Any, path: str, nulls: bool) -> Any:
        """Return a value as JSON types, with or without nulls."""
        if self._arguments.is_pending(value):
            return None
        match value:
            case None if not nulls:
                raise self._refusal(value, path, "; expected a value.")
            case float() if not math.isfinite(value):
                raise self._refusal(value, path, "; JSON has no such number.")
            case float() if path in self._arguments.native:
                raise self._refusal(value, path, ", a float; expected text.")
            case None | bool() | int() | float() | str():
                return value
            case date():
                return self._date(value)
            case Mapping():
                return {self._key(key, path): self._branch(item, f"{path}.{key}", nulls) for key, item in value.items()}
            case list() | tuple():
                return [self._tree(item, f"{path}[{index}]", nulls) for index, item in enumerate(value)]
            case _:
                raise self._refusal(value, path, f"; JSON cannot hold a {type(value).__name__}.")

    def _branch(self, value: Any, path: str, nulls: bool) -> Any:
        """Return a field of an object, in the encoding that is declared for it."""
        is_declared = _INDEX.sub("", path) in self._encodings
        return self.encode(value, path) if is_declared else self._tree(value, path, nulls)

    def _key(self, key: Any, path: str) -> Any:
        if key is None or isinstance(key, str | bool | int):
            return key
        raise self._refusal(key, path, f" as a key; JSON keys are text, and this is a {type(key).__name__}.")

    def _date(self, value: date) -> str:
        return (
            written(self._time(value, "a time"), self._api, self._zone) if isinstance(value, datetime) else str(value)
        )

    def _time(self, value: Any, expected: str) -> datetime:
        if (moment := read_time(value, self._zone)) is None:
            raise ValueError(f"expected {expected} as in 2026-01-31.")
        return moment

    def _clock(self, value: Any) -> str:
        if isinstance(value, str) and _CLOCK.fullmatch(text := value.strip()):
            return text
        if isinstance(value, time):
            return f"{value:%H:%M}"
        if (moment := read_time(value, self._zone)) is None:
            raise ValueError("expected a time of day as in 23:59.")
        return f"{moment:%H:%M}"

    def _read_zone(self, value: Any, path: str) -> Any:
        if self._arguments.is_pending(value):
            return self._api.zone
        if (zone := read_zone(value)) is None:
            raise self._refusal(value, path, "; expected a time zone as in UTC+8.")
        return zone


def _rendered(value: Any) -> Any:
    """Return a value; decode it if a template has rendered it as JSON."""
    return load_json(value) if isinstance(value, str) else value


def _without_none(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _without_none(item) for name, item in value.items() if item is not None}
        case list() | tuple():
            return [_without_none(item) for item in value]
        case _:
            return value


def _list(value: Any) -> list[Any]:
    items = _rendered(value)
    if not is_many(items):
        raise ValueError("expected a list; a template makes one by the filter tojson.")
    return list(items)


def _pairs(value: Any) -> list[Any]:
    pairs = _rendered(value)
    if isinstance(pairs, Mapping):
        return list(pairs.items())
    if isinstance(pairs, list | tuple) and all(isinstance(pair, Mapping) for pair in pairs):
        return list(pairs)
    raise ValueError("expected a dict.")


def _integer(value: Any) -> int:
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if not isinstance(value, bool) and _INTEGER.fullmatch(text := str(value).strip()):
        with suppress(ValueError):  # more digits than Python converts
            return int(text)
    raise ValueError("expected a whole number.")


def _number(value: Any) -> int | float:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = str(value).strip()
    if isinstance(value, float | str) and _NUMBER.fullmatch(text):
        number = int(text) if _INTEGER.fullmatch(text) else float(text)
        if math.isfinite(number):
            return number
    raise ValueError("expected a number.")


def _boolean(value: Any) -> bool:
    decoded = _BOOLEANS.get(str(value).strip().lower())
    if decoded is None:
        raise ValueError("expected true or false.")
    return decoded
