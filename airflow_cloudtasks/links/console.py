"""The extra link that opens a task in the vendor's console."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

from airflow_cloudtasks.clouds.event_loop import PerEventLoop
from airflow_cloudtasks.errors import CloudTasksError
from airflow_cloudtasks.xcoms.from_trigger import store_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_cloudtasks.hooks.calling import CallingHook
    from airflow_cloudtasks.model import CloudTask
    from airflow_cloudtasks.spec import Service, TaskApi

_log = logging.getLogger(__name__)

_KEY = "cloud_console_url"


class CloudConsoleLink(BaseOperatorLink):
    """Open the task in the vendor's console, or the product's page if the vendor has no address for a single task."""

    name = "Cloud console"

    @property
    def xcom_key(self) -> str:
        """The XCom that Airflow 3 reads for its pages.

        By default, Airflow reads one that it stores only when a worker ends, so that a wait without a worker has none.
        """
        return _KEY

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address that the link opens.

        Args:
            operator: The operator; unused.
            ti_key: Key of the Airflow task instance.

        Returns:
            The address; an empty string until it is known.
        """
        return str(XCom.get_value(ti_key=ti_key, key=_KEY) or "")


def keep_link(context: Context, hook: CallingHook, api: TaskApi, seen: Iterable[CloudTask]) -> None:
    """Store the address that the link opens as XCom, because Airflow's pages read only Airflow's database.

    Args:
        context: Airflow's context.
        hook: Hook with the connection of the task.
        api: The API of the task.
        seen: The tasks as last read; the first one with an address counts. Without one, the product's page counts.
    """
    address = _address_of(seen)
    if address is None:
        # Ignore errors of the connection; the task itself reports them.
        with suppress(CloudTasksError):
            address = hook.console(api.service)
    if address and (task_instance := context.get("ti")) is not None:
        with _only_logging():
            task_instance.xcom_push(key=_KEY, value=address)


class TriggererLinks:
    """Store the links of the waits that begin or end in the triggerer. One for each event loop.

    Attributes:
        turns: Held by a wait while it stores its first link. Thousands of waits may begin at once, and each link takes
            a request to Airflow. One after the other, they leave the other requests of the triggerer their turns.
    """

    def __init__(self) -> None:
        self.turns = asyncio.Lock()
        # The products' pages, by their addresses on both sites and the connection, which tells the site.
        self._pages: dict[tuple[str | None, str | None, str], str | None] = {}

    async def keep(self, task_instance: Any, hook: CallingHook, api: TaskApi, seen: Iterable[CloudTask]) -> None:
        """Store the address that the link opens, like :func:`keep_link`, without blocking the event loop.

        Args:
            task_instance: The trigger's task instance.
            hook: Hook with the connection of the task.
            api: The API of the task.
            seen: The tasks as last read.
        """
        address = _address_of(seen)
        if address is None:
            with suppress(CloudTasksError):
                address = await self._page(hook, api.service)
        if address:
            with _only_logging():
                await store_link(task_instance, _KEY, address)

    async def _page(self, hook: CallingHook, service: Service) -> str | None:
        key = (service.console, service.console_intl, hook.conn_id)
        if key not in self._pages:
            self._pages[key] = await hook.aconsole(service)
        return self._pages[key]


triggerer_links = PerEventLoop(TriggererLinks)


def _address_of(tasks: Iterable[CloudTask]) -> str | None:
    return next((task.console_url for task in tasks if task.console_url), None)


@contextmanager
def _only_logging() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # from Airflow's API server or any XCom backend; the task need not fail
        _log.warning("The link to the console could not be stored (%s).", type(error).__name__)
