"""The arguments that identify a task: the same for every sensor and operator, and checked at parse time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.operators._argument_names import naming_arguments
from airflow_cloudtasks.protocol.task_ids import one_task_id, task_ids
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.spec.names import Arguments

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator

    from airflow_cloudtasks.hooks.base import CloudTasksHook

_TEMPLATE_MARKS = ("{{", "{%", "{#")


def is_template(value: Any) -> bool:
    """Return whether a value is a text with a Jinja template.

    Args:
        value: The value of an argument.
    """
    return isinstance(value, str) and any(mark in value for mark in _TEMPLATE_MARKS)


def is_pending(value: Any) -> bool:
    """Return whether a value is known only when the Airflow task runs: a template, or another task's output.

    Args:
        value: The value of an argument.
    """
    # Airflow has no public base class of XComArg and of what else it resolves.
    return is_template(value) or hasattr(value, "iter_references")


AT_PARSE = Arguments(is_pending=is_pending)
"""What is known of arguments when a DAG is parsed."""


def template_paths(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of each template in the value of an argument, e.g. ``AdvancedParams.day`` or ``TaskIds[0]``.

    Args:
        value: The value.
        path: The path of the value itself.
    """
    match value:
        case str() if is_template(value):
            yield path
        case Mapping():
            for name, item in value.items():
                yield from template_paths(item, f"{path}.{name}" if path else str(name))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from template_paths(item, f"{path}[{index}]")


def renders_natively(operator: BaseOperator) -> bool:
    """Return whether Airflow renders an operator's templates to native Python objects.

    Args:
        operator: An operator, whose DAG may decide it.
    """
    own = getattr(operator, "render_template_as_native_obj", None)
    dag = operator.get_dag()
    return bool(own if own is not None else dag is not None and dag.render_template_as_native_obj)


def rendered(operator: BaseOperator, templates: Collection[str]) -> Arguments:
    """Return what is known of an operator's arguments after Airflow has rendered its templates.

    Args:
        operator: The operator.
        templates: The paths of its templates.
    """
    return Arguments(native=templates if renders_natively(operator) else ())


class TaskArguments:
    """A mixin for operators and sensors with the arguments that identify a task.

    The names ``cloud_task_id`` and ``api_params`` differ from Airflow's own ``task_id`` and ``params``.
    """

    template_fields: Collection[str] = ("cloud_task_id", "api_params", "conn_id", "region")
    template_fields_renderers: ClassVar[dict[str, str]] = {"api_params": "json"}

    # Whether the argument cloud_task_id may be a list.
    takes_lists: ClassVar[bool] = True

    api: TaskApi
    cloud_task_id: Any
    api_params: Any
    conn_id: str | None
    region: str | None

    def name_task(
        self,
        api: str | TaskApi,
        cloud_task_id: Any,
        api_params: Mapping[str, Any] | None,
        conn_id: str | None,
        region: str | None,
    ) -> None:
        """Set the arguments; raise if they cannot identify a task.

        The values of templates and XComArgs are checked later, by :meth:`named_ids`.

        Args:
            api: A name in the catalog, or a TaskApi.
            cloud_task_id: Id of the task at the vendor, or a list of ids.
            api_params: The other parameters that identify the task, in the vendor's spelling.
            conn_id: Id of the Airflow connection; None for the cloud's default connection.
            region: Region id; None for the connection's region.

        Raises:
            ValueError: An argument is wrong; the text says which one, and what is expected.
        """
        self.api = find_api(api)
        if cloud_task_id is None or cloud_task_id in ("", [], ()):
            raise ValueError(
                f"{self.api.name} needs cloud_task_id: the task's id at the vendor, its {self.api.id_param}."
            )
        with naming_arguments(type(self)):
            self._ids(cloud_task_id, AT_PARSE)
            if not is_pending(api_params):
                self.api.check_params(api_params or {}, AT_PARSE)
        self.cloud_task_id = cloud_task_id
        self.api_params = api_params
        self.conn_id = conn_id
        self.region = region
        self._templates = frozenset(
            (*template_paths(cloud_task_id, "cloud_task_id"), *template_paths(api_params or {}))
        )

    def named_ids(self) -> tuple[str, ...]:
        """Return the ids of the tasks after Airflow has rendered the templates.

        Raises:
            InvalidArguments: An argument cannot name a task; the text says which one, and why.
        """
        arguments = rendered(self, self._templates)  # type: ignore[arg-type]  # a mixin of operators
        with naming_arguments(type(self)):
            self.api.check_params(self.api_params or {}, arguments)
            return self._ids(self.cloud_task_id, arguments)

    def _ids(self, cloud_task_id: Any, arguments: Arguments) -> tuple[str, ...]:
        if self.takes_lists:
            return task_ids(cloud_task_id, self.api, arguments)
        return (one_task_id(cloud_task_id, self.api, arguments),)

    def hook(self) -> CloudTasksHook:
        """Return a hook that reads the task."""
        return hook_for(self.api, self.conn_id, self.region)
