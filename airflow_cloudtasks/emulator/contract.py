"""The words in which an action is declared. ``actions.py`` speaks them; the gateways act on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_cloudtasks.emulator.keys import Key
    from airflow_cloudtasks.emulator.scripts import Position
    from airflow_cloudtasks.emulator.state import State
    from airflow_cloudtasks.emulator.tasks import Task
    from airflow_cloudtasks.emulator.wire import Cloud, JsonObject

Place = Literal["path", "query", "form", "json"]
Moment = Literal["created", "entered", "finished", "expires"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an action.

    Attributes:
        name: The vendor's name of it.
        places: Where in a request it is looked for, in order.
        required: Whether a request without it is refused.
        type: The JSON type it must have where it comes as JSON.
        secret: Whether its value is kept out of the journal.
    """

    name: str
    places: tuple[Place, ...]
    required: bool = True
    type: Literal["string", "integer", "array"] = "string"
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time in a task's object.

    Attributes:
        name: Its name in the task's object.
        moment: Which moment it tells: the task's creation; when its present step began; when it finished (left out
            before); when it will be thrown away.
        format: Turns Unix seconds into the vendor's way of writing a time.
    """

    name: str
    moment: Moment
    format: Callable[[float], str | int]


@dataclass(frozen=True, slots=True)
class TaskShape:
    """How an answer that shows a task is built, or one entry of an answer that shows many.

    Attributes:
        example: A whole answer without its RequestId, or a whole entry, in the shape of the vendor's own example, of a
            task that has not finished.
        task_at: Where in it the task's object stands; a task's ``fields`` are merged there.
        status_at: The status's name in the task's object.
        id_at: The id's name in the task's object.
        stamps: The times in the task's object.
        unfinished: Statuses in which the task has not finished, even when its script ends on one.
        parts_at: Where objects beside the task's own stand; ``fields`` that bear their names are merged there.
        left_out: Names of ``fields`` that are not shown here, though another answer shows them.
        scope: Parameters besides the id that tell one task from another. A task that was created without one is
            found under any value of it.
        format_id: Turns the id asked for into what the answer shows.
        progress_at: The name of the progress in the task's object, which goes from 0 to ``progress_full``; empty for an
            API that tells none.
        progress_full: What a finished task's progress is.
    """

    example: JsonObject
    task_at: tuple[str, ...]
    status_at: str
    id_at: str
    stamps: tuple[Stamp, ...] = ()
    unfinished: frozenset[str] = frozenset()
    parts_at: tuple[str, ...] | None = None
    left_out: frozenset[str] = frozenset()
    scope: tuple[str, ...] = ()
    format_id: Callable[[str], str | int] = str
    progress_at: str = ""
    progress_full: int = 0


@dataclass(frozen=True, slots=True)
class NotFound:
    """How an API says that there is no such task.

    Attributes:
        code: The error code.
        message: The text beside it.
        status: The HTTP status that Alibaba Cloud sends with it.
    """

    code: str
    message: str
    status: int


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an action that passed every check of the gateway.

    Attributes:
        action: The action.
        parameters: Its parameters, checked.
        state: The emulator's memory, locked for the length of the call.
        now: The tasks' time, in Unix seconds.
        caller: The key it was signed with.
        ended: Tasks that its answer shows in their last step, and no answer before it did; :meth:`shows` fills it.
    """

    action: Action
    parameters: Mapping[str, Any]
    state: State
    now: float
    caller: Key
    ended: list[Task] = field(default_factory=list)

    def shows(self, task: Task, where: Position) -> None:
        """Say that the answer shows a task.

        Args:
            task: The task.
            where: Where it stands.
        """
        if where.is_last and task.noticed_at is None:
            self.ended.append(task)


@dataclass(frozen=True, slots=True)
class Action:
    """One action of one vendor's product.

    Attributes:
        api: The emulator's name of it.
        cloud: The vendor.
        service: The product's code, as it stands in a host name or a credential scope.
        version: The API version.
        name: The action's name.
        parameters: What it takes.
        answer: Makes the answer, without RequestId and envelope; raises VendorError to refuse.
        task: The shape of the task it shows, or of each entry of the list it shows, for actions that show tasks.
        not_found: What it answers about a task that does not exist.
        methods: The HTTP methods it may be called by.
        path: ``/``, or a template such as ``/api/v1/tasks/{TaskId}`` for Alibaba Cloud's ROA style.
        needs_region: Whether a request without a region is refused.
        signed: Whether a request without a signature is refused.
    """

    api: str
    cloud: Cloud
    service: str
    version: str
    name: str
    parameters: tuple[Parameter, ...]
    answer: Callable[[Call], JsonObject]
    task: TaskShape | None = None
    not_found: NotFound | None = None
    methods: tuple[str, ...] = ("POST",)
    path: str = "/"
    needs_region: bool = False
    signed: bool = True


def find_by_path(actions: tuple[Action, ...], method: str, raw_path: str) -> tuple[Action | None, dict[str, str]]:
    """Find the action that a path names.

    Args:
        actions: The actions to look among, the first that fits first.
        method: The HTTP method.
        raw_path: The path as sent, still percent-encoded.

    Returns:
        The action, or None, and the parameters in the path, decoded.
    """
    segments = raw_path.split("/")
    for action in actions:
        template = action.path.split("/")
        if method not in action.methods or len(template) != len(segments):
            continue
        in_path: dict[str, str] = {}
        for wanted, segment in zip(template, segments, strict=True):
            if wanted.startswith("{"):
                in_path[wanted[1:-1]] = unquote(segment)
            elif wanted != segment:
                break
        else:
            return action, in_path
    return None, {}
