"""The rules that the parts of a TaskApi must obey together. Pure.

Each function is one rule: it takes the fields that it compares and returns what is wrong, or None.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec.action import PLACEHOLDER, Action, Service
from airflow_cloudtasks.spec.cancel import Cancel
from airflow_cloudtasks.spec.feed import Feed
from airflow_cloudtasks.spec.lists import TaskList
from airflow_cloudtasks.spec.many import ManyIds
from airflow_cloudtasks.spec.results import Results
from airflow_cloudtasks.spec.start import Start
from airflow_cloudtasks.spec.status import Percentages
from airflow_cloudtasks.spec.template import placeholders
from airflow_cloudtasks.values import fold

_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
_UTC_OFFSET = re.compile(r"[+-]([01]\d|2[0-3]):[0-5]\d")


def name_has_a_service(name: str) -> str | None:
    """The name is ``service.kind_of_task``."""
    return None if _NAME.fullmatch(name) else f"TaskApi name {name!r} is not of the form 'service.kind_of_task'."


def id_is_a_parameter(id_param: str, read: Action) -> str | None:
    """The read action takes the task's id."""
    if id_param not in read.params:
        return f"id_param {id_param!r} is none of {read.name}'s params {read.params}."
    if id_param in read.template and id_param not in read.in_template:
        return f"{read.name} always sends {read.template[id_param]!r:.100} as {id_param}; its template lacks the id."
    return None


def list_is_read_for_one_task(read: Action, list_tasks: TaskList | None, id_param: str) -> str | None:
    """A task that is found in a list is read by this list, which takes no id."""
    if list_tasks is None or list_tasks.action != read:
        return f"with find_in_list, read must be the action of list_tasks; it is {read.name}."
    if id_param in read.accepted:
        return f"{read.name} takes {id_param}, so that a task need not be searched: omit find_in_list."
    return None


def nothing_else_places_the_task(task: str, first_ended: str | None) -> str | None:
    """A task that is found in a list is where the list says."""
    if not task and first_ended is None:
        return None
    return "with find_in_list, the path of the task objects is that of list_tasks; omit task and first_ended."


def tencent_takes_json(service: Service, actions: Iterator[Action]) -> str | None:
    """Every action of Tencent Cloud is sent by POST, with all its parameters in JSON."""
    for action in actions if service.cloud == "tencent" else ():
        if action.method in ("PUT", "DELETE") or action.places:
            return f"{action.name} has method {action.method} and places {action.places}; Tencent Cloud takes neither."
    return None


def statuses_mean_states(states: Mapping[str, TaskState]) -> str | None:
    """Every status means a TaskState."""
    for status, state in states.items():
        if not isinstance(state, TaskState):
            return f"status {status!r} means {state!r}, which is no TaskState."
    return None


def statuses_are_distinct(states: Mapping[str, TaskState]) -> str | None:
    """No two statuses are equal without regard to case."""
    if len(set(map(fold, states))) == len(states):
        return None
    return f"a status stands in states twice, but for case: {', '.join(states)}."


def a_status_ends_a_task(states: Mapping[str, TaskState]) -> str | None:
    """At least one status ends a task."""
    if any(state.done for state in states.values()):
        return None
    return "no status in states ends a task, so no wait could end."


def percentages_have_their_own_words(status: str | Percentages, states: Mapping[str, TaskState]) -> str | None:
    """The states of percentages are those of their three words."""
    if isinstance(status, str) or set(states) == status.words:
        return None
    return f"states of percentages must be those of {', '.join(sorted(status.words))}."


def progress_has_a_whole(progress_whole: float | str) -> str | None:
    """The number that progress counts up to is positive."""
    if isinstance(progress_whole, str) or progress_whole > 0:
        return None
    return f"progress_whole is {progress_whole!r}; expected a number above 0."


def console_url_can_be_filled_in(console_url: str | None, known: tuple[str, ...]) -> str | None:
    """Every placeholder of the console URL is the id, the region or a parameter that identifies a task."""
    for name in PLACEHOLDER.findall(console_url or ""):
        if name not in ("id", "region", *known):
            return f"console_url has {{{name}}}, which nothing fills in."
    return None


def list_has_pages(list_tasks: TaskList | None) -> str | None:
    """The list of tasks is read page by page."""
    if list_tasks is None or list_tasks.has_pages:
        return None
    return "list_tasks has no pages, so that it may grow too long to be read."


def listed_tasks_have_ids(list_tasks: TaskList | None, task_id: str | None) -> str | None:
    """A listed task object holds its own id."""
    if list_tasks is None or task_id is not None:
        return None
    return "with list_tasks, id must say where a task object holds the task's id."


def list_takes_what_tasks_share(list_tasks: TaskList | None, task_params: tuple[str, ...]) -> str | None:
    """The list needs no parameter besides those that identify a task."""
    for name in list_tasks.action.params if list_tasks else ():
        if name not in task_params:
            return f"list_tasks needs {name}, which is none of {task_params}."
    return None


def tasks_read_together_have_ids(read_many: ManyIds | None, task_id: str | None) -> str | None:
    """A task object that was read together with others holds its own id."""
    if read_many is None or task_id is not None:
        return None
    return "with read_many, id must say where a task object holds the task's id."


def tasks_read_together_are_one_each(read_many: ManyIds | None, first_ended: str | None) -> str | None:
    """A wait that looks for the first of several tasks is read alone."""
    if read_many is None or first_ended is None:
        return None
    return "first_ended looks for one of several tasks, so that read_many cannot read it by an id."


def ids_read_together_have_their_type(read_many: ManyIds | None, id_is_an_integer: bool) -> str | None:
    """Ids that are integers in a single read are integers together, or one text with commas."""
    if read_many is None or not id_is_an_integer:
        return None
    kinds = {kind for name, kind in placeholders(read_many.action.template) if name == read_many.ids_param}
    if kinds and kinds <= {"integers", "comma"}:
        return None
    return f"ids are integers, but {read_many.action.name} takes {read_many.ids_param} as texts; expected integers."


def feed_has_pages(feed: Feed | None) -> str | None:
    """The feed is read page by page, so that its newest ends can be read alone."""
    if feed is None or feed.tasks.has_pages:
        return None
    return "feed has no pages, so that reading its newest ends would mean reading all of it."


def feed_takes_what_is_known(feed: Feed | None, known: tuple[str, ...]) -> str | None:
    """The feed needs no parameter besides those of ``api_params``."""
    for name in feed.tasks.action.params if feed else ():
        if name not in known:
            return f"feed needs {name}, which is none of {known}."
    return None


def tasks_of_feed_have_ids(feed: Feed | None, task_id: str | None) -> str | None:
    """An entry of the feed holds the id of its task."""
    if feed is None or feed.id is not None or task_id is not None:
        return None
    return "with feed, its id or the API's id must say where an entry holds the task's id."


def tasks_of_feed_show_their_end(feed: Feed | None, finished_at: str | None) -> str | None:
    """An entry of the feed holds the time of the end."""
    if feed is None or feed.ended_at is not None or finished_at is not None:
        return None
    return "with feed, its ended_at or the API's finished_at must say where an entry holds the time of the end."


def complete_tasks_of_feed_are_read_like_others(feed: Feed | None, first_ended: str | None) -> str | None:
    """An entry of the feed that is complete is read by the paths of a single read."""
    if feed is None or not feed.tasks.complete:
        return None
    if first_ended is not None:
        return "first_ended looks for one of several tasks, so that no entry of feed is complete."
    if feed.id is not None or feed.status is not None:
        return "feed has an id or a status of its own, so that its entries are not complete: set complete=False."
    return None


def starts_identify_the_task(starts: tuple[Start, ...], task_params: tuple[str, ...]) -> str | None:
    """After a start, every parameter that identifies the task is known."""
    for start in starts:
        for name in task_params:
            if name not in (*start.action.accepted, *start.names):
                return (
                    f"{name} identifies a task, but it is neither a parameter of {start.action.name} nor in its names."
                )
    return None


def cancel_needs_what_is_known(cancel: Cancel | None, task_params: tuple[str, ...]) -> str | None:
    """Every parameter of the cancel action identifies the task or is found in its object."""
    if cancel is None:
        return None
    for name in cancel.action.params:
        if name not in (cancel.id_param, *cancel.found, *cancel.needs, *task_params):
            return f"{cancel.action.name} needs {name}, which neither identifies a task nor is in found or needs."
    return None


def starts_know_what_cancel_needs(starts: tuple[Start, ...], cancel: Cancel | None) -> str | None:
    """Every start request has the parameters that canceling its task needs."""
    for start in starts:
        for name in cancel.needs if cancel else ():
            if name not in (*start.action.accepted, *start.names):
                return f"canceling needs {name}, but it is neither a parameter of {start.action.name} nor in its names."
    return None


def restarts_show_their_end(restarts: bool, finished_at: str | None) -> str | None:
    """A task object that may run again shows when its last run ended."""
    if restarts and finished_at is None:
        return "with restarts, finished_at must say where a task object holds the end of its last run."
    return None


def results_need_what_identifies_the_task(results: Results | None, read: Action) -> str | None:
    """The action that returns rows needs only parameters that identify the task."""
    for name in results.action.params if results and results.action else ():
        if name not in read.params:
            return f"results need {name}, which is none of {read.name}'s params {read.params}."
    return None


def timezone_is_an_offset(timezone: str) -> str | None:
    """The time zone is an offset such as ``+08:00``."""
    return None if _UTC_OFFSET.fullmatch(timezone) else f"timezone {timezone!r} is not of the form '+08:00'."
