"""Airflow's task state store, in memory."""

from __future__ import annotations

from typing import Any


class StateStore(dict[str, Any]):
    """What a task remembers, for its later tries."""

    def set(self, key: str, value: Any, retention: Any = None) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)
