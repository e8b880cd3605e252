"""Read the ids of tasks from an argument. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.protocol.timestamps import read_time, written
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.spec.names import RENDERED, Arguments, as_name, why_no_name
from airflow_cloudtasks.spec.template import integer


def is_many(cloud_task_id: Any) -> bool:
    """Return whether the argument is a list of ids; Airflow has its own sequence type for the output of mapped tasks.

    Args:
        cloud_task_id: The argument.
    """
    if isinstance(cloud_task_id, str):  # nearly always, and looking for an Iterable is slow
        return False
    return isinstance(cloud_task_id, Iterable) and not isinstance(cloud_task_id, bytes | Mapping)


def task_ids(cloud_task_id: Any, api: TaskApi, arguments: Arguments = RENDERED) -> tuple[str, ...]:
    """Return the ids as text.

    Args:
        cloud_task_id: One id or a list of ids, as text or as integers.
        api: The API of the tasks.
        arguments: What is known of the argument. Ids that are pending are left out.

    Raises:
        InvalidArguments: The list is empty, or an entry cannot be an id; the text says why.
    """
    if arguments.is_pending(cloud_task_id):
        return ()
    many = is_many(cloud_task_id)
    given = dict(enumerate(cloud_task_id)) if many else {0: cloud_task_id}
    if not given:
        raise InvalidArguments("cloud_task_id turned out to be an empty list; expected at least one task.")
    ids = []
    for index, each in given.items():
        if arguments.is_pending(each):
            continue
        hint = arguments.hint(f"cloud_task_id[{index}]" if many else "cloud_task_id", each)
        try:
            if hint and api.time_in_id is not None:
                raise InvalidArguments("not the text that the template makes, an id and a time.")
            ids.append(spelled_id(each, api))
        except InvalidArguments as error:
            raise InvalidArguments(
                f"cloud_task_id turned out to be {cloud_task_id!r:.200}, and {each!r:.100} is no id: it is "
                f"{error}{hint}"
            ) from None
    return tuple(ids)


def one_task_id(cloud_task_id: Any, api: TaskApi, arguments: Arguments = RENDERED) -> str:
    """Return the id of an argument that names one task.

    Args:
        cloud_task_id: The id, as text or as an integer.
        api: The API of the task.
        arguments: What is known of the argument. An id that is pending is returned as an empty text.

    Raises:
        InvalidArguments: The argument is a list, or cannot be an id; the text says why.
    """
    if arguments is RENDERED and type(cloud_task_id) is str and api.ids_are_plain:
        if why_no_name(cloud_task_id) is None:  # as in nearly every poll
            return cloud_task_id
    elif is_many(cloud_task_id) and not arguments.is_pending(cloud_task_id):
        raise InvalidArguments(f"cloud_task_id turned out to be {cloud_task_id!r:.200}, a list; expected one id.")
    return next(iter(task_ids(cloud_task_id, api, arguments)), "")


def spelled_id(given: Any, api: TaskApi) -> str:
    """Return one id as text, with the time at its end in the API's zone and format.

    Args:
        given: The id.
        api: The API of the task.

    Raises:
        InvalidArguments: It cannot be an id; the text says why, for the end of a sentence.
    """
    if (reason := why_no_name(given)) is not None:
        raise InvalidArguments(reason)
    text = as_name(given)
    if api.id_is_an_integer:
        try:
            return str(integer(api.id_param, text))
        except InvalidArguments as error:
            raise InvalidArguments(f"no whole number, as the vendor takes it: {error}") from None
    if api.time_in_id is None or api.time_in_id not in text:
        return text
    head, separator, tail = text.rpartition(api.time_in_id)
    if (reason := why_no_name(head)) is not None:
        raise InvalidArguments(f"made of {head!r:.100}, {reason}")
    if (time := read_time(tail, api.zone)) is not None:
        return f"{head}{separator}{written(time, api, api.zone)}"
    if why_no_name(tail) is not None or ":" in tail or "-" in tail:
        raise InvalidArguments(f"made of {tail!r:.100}; expected a time as in 2026-01-31 08:00:00.")
    return text
