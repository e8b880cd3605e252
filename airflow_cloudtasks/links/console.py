"""The extra link that opens a task in the vendor's console."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

from airflow_cloudtasks.errors import CloudTasksError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_cloudtasks.hooks.calling import CallingHook
    from airflow_cloudtasks.model import CloudTask
    from airflow_cloudtasks.spec import TaskApi

_log = logging.getLogger(__name__)

_KEY = "cloud_console_url"


class CloudConsoleLink(BaseOperatorLink):
    """Open the task in the vendor's console, or the product's page if the vendor has no address for a single task."""

    name = "Cloud console"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address that the link opens.

        Args:
            operator: The operator; unused.
            ti_key: Key of the Airflow task instance.

        Returns:
            The address; an empty string until the task has been read.
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
    address = next((task.console_url for task in seen if task.console_url), None)
    if address is None:
        # Ignore errors of the connection; the task itself reports them.
        with suppress(CloudTasksError):
            address = hook.console(api.service)
    if address and (task_instance := context.get("ti")) is not None:
        try:
            task_instance.xcom_push(key=_KEY, value=address)
        except Exception as error:  # from Airflow's API server or any XCom backend; the task need not fail
            _log.warning("The link to the console could not be stored (%s).", type(error).__name__)
