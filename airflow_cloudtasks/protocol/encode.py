"""Encode the Python values of a start request in the form that the vendor expects. Pure."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, tzinfo
from typing import Any

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.spec import Start, TaskApi
from airflow_cloudtasks.spec.start import Encoding
from airflow_cloudtasks.values import aware, iso_utc, load_json

_BOOLEANS = {"true": True, "false": False}


def encode(api: TaskApi, start: Start, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Encode the parameters of a start request.

    Args:
        api: The API of the task. Times without a zone are in its zone.
        start: The action that starts the task.
        parameters: Python values by the vendor's names. A parameter that is None is left out.

    Returns:
        The parameters as they are sent: as text, except where ``start.encodings`` says otherwise.

    Raises:
        InvalidArguments: A value cannot be encoded; the text names the parameter and the expected form.
    """
    encoder = _Encoder(start, api.zone, api.service.time_format)
    return {name: encoder.encode(value, name) for name, value in parameters.items() if value is not None}


class _Encoder:
    def __init__(self, start: Start, zone: tzinfo, time_format: str | None) -> None:
        self._start, self._zone, self._time_format = start, zone, time_format

    def encode(self, value: Any, path: str) -> Any:
        encoding = self._start.encodings.get(path)
        if encoding is None:
            return self._plain(value, path)
        try:
            return self._encoded(value, path, encoding)
        except InvalidArguments:
            raise
        except (ValueError, TypeError) as error:
            raise InvalidArguments(f"{self._start.action.name}: {path} is {value!r:.200}; {error}") from None

    def _plain(self, value: Any, path: str) -> Any:
        match value:
            case Mapping():
                return {str(k): self.encode(v, f"{path}.{k}") for k, v in value.items() if v is not None}
            case list() | tuple() | set() | frozenset():
                return [self.encode(item, path) for item in value]
            case _:
                return self._text(value, path)

    def _encoded(self, value: Any, path: str, encoding: Encoding) -> Any:
        match encoding:
            case "json":
                return value if isinstance(value, str) else self._json(value)
            case "base64":
                return b64encode((value if isinstance(value, str) else self._json(value)).encode()).decode()
            case "integer":
                return _integer(value)
            case "boolean":
                return _boolean(value)
            case "dates":
                return self._day(value)
            case "list":
                return [self._plain(item, path) for item in _list(value)]
            case "ranges":
                return [self._plain(self._range(item), path) for item in _list(value)]
            case "pairs":
                return [self._pair(item, path) for item in _pairs(value)]
            case "pair":
                items = _pairs(value)
                if len(items) != 1:
                    raise ValueError("the vendor takes one entry here.")
                return self._pair(items[0], path)

    def _range(self, item: Any) -> Any:
        """Return a first and a last value as an object; an object is returned as it is."""
        if isinstance(item, Mapping):
            return item
        if not isinstance(item, list | tuple) or len(item) != len(self._start.first_and_last):
            raise ValueError("expected a list of pairs, or of dicts.")
        return dict(zip(self._start.first_and_last, item, strict=True))

    def _pair(self, item: Any, path: str) -> dict[str, Any]:
        """Return a key and its value as an object; an object is returned with its values as text."""
        if isinstance(item, Mapping):
            return {str(name): self._text(value, path) for name, value in item.items() if value is not None}
        key, value = item
        return dict(zip(self._start.key_and_value, (str(key), self._text(value, path)), strict=True))

    def _json(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, default=self._time)

    def _text(self, value: Any, path: str) -> str:
        match value:
            case str():
                return value
            case bool():
                return str(value).lower()
            case int() | float():
                return str(value)
            case date():
                return self._time(value)
            case Mapping() | list() | tuple():
                return self._json(value)
            case _:
                raise InvalidArguments(
                    f"{self._start.action.name}: {path} is a {type(value).__name__}; expected text, a number, a time, "
                    "or a list or a dict of them."
                )

    def _time(self, value: Any) -> str:
        if isinstance(value, datetime):
            moment = aware(value, self._zone)
            if self._time_format is None:
                return iso_utc(moment)
            return moment.astimezone(self._zone).strftime(self._time_format)
        if isinstance(value, date):
            return value.isoformat()
        raise TypeError(f"JSON cannot hold a {type(value).__name__}.")

    def _day(self, value: Any) -> str:
        if isinstance(value, datetime):
            return aware(value, self._zone).astimezone(self._zone).date().isoformat()
        if not isinstance(value, str | date):
            raise ValueError("expected a day.")
        return value if isinstance(value, str) else value.isoformat()


def _rendered(value: Any) -> Any:
    """Return a value; decode it if a template has rendered it as JSON."""
    return load_json(value) if isinstance(value, str) else value


def _list(value: Any) -> list[Any]:
    items = _rendered(value)
    if not isinstance(items, list | tuple | set | frozenset):
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
    if not isinstance(value, bool):
        with suppress(ValueError):
            return int(str(value).strip())
    raise ValueError("expected a whole number.")


def _boolean(value: Any) -> bool:
    decoded = _BOOLEANS.get(str(value).strip().lower())
    if decoded is None:
        raise ValueError("expected true or false.")
    return decoded
