"""The actions that an emulator serves, indexed for the gateways and the control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.vendor.contract import find_by_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_cloudtasks.emulator.engine.values import Cloud
    from airflow_cloudtasks.emulator.vendor.contract import Action, TaskShape


class Registry:
    """The actions that one emulator serves.

    Args:
        actions: The actions that are always served.

    Attributes:
        actions: The actions that are served now.
        services: Cloud, service and version of each of them.
    """

    def __init__(self, actions: Iterable[Action]) -> None:
        self._own = tuple(actions)
        self.restore()

    def restore(self) -> None:
        """Serve only the actions of the start."""
        self._index(self._own)

    def add(self, actions: Iterable[Action]) -> None:
        """Serve further actions."""
        self._index((*self.actions, *actions))

    def _index(self, actions: tuple[Action, ...]) -> None:
        self.actions = actions
        self.services = {(action.cloud, action.service, action.version) for action in actions}
        self._named: dict[tuple[Cloud, str, str], list[Action]] = {}
        for action in actions:
            self._named.setdefault((action.cloud, action.version, action.name), []).append(action)
        self._readers = {action.api: action for action in actions if action.task is not None}

    @property
    def apis(self) -> tuple[str, ...]:
        """The names of the APIs. Both clouds have an action of some of them."""
        return tuple(dict.fromkeys(action.api for action in self.actions))

    @property
    def task_apis(self) -> tuple[str, ...]:
        """The APIs that read one task each, which are the APIs that tasks belong to."""
        return tuple(self._readers)

    @property
    def started_apis(self) -> tuple[str, ...]:
        """Those of them whose tasks requests can start."""
        return tuple(api for api in self._readers if self.shape(api).started)

    def shape(self, api: str) -> TaskShape:
        """Return the shape of the tasks that an API reads."""
        return self._readers[api].shape

    def named(self, cloud: Cloud, version: str | None, name: str | None) -> list[Action]:
        """Return the actions of a cloud that have a version and a name; several services may have one."""
        return self._named.get((cloud, version or "", name or ""), [])

    def at_path(self, cloud: Cloud, method: str, raw_path: str) -> tuple[Action | None, dict[str, str]]:
        """Return the action that a method and a path name, with the parameters in the path."""
        with_path = (action for action in self.actions if action.cloud == cloud and action.path != "/")
        return find_by_path(with_path, method, raw_path)
