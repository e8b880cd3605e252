"""The words in which an action is declared. ``actions.py`` speaks them; the gateways act on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_cloudtasks.emulator.engine.keys import Key
    from airflow_cloudtasks.emulator.engine.scripts import Position, Step
    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject

Place = Literal["path", "query", "form", "json"]
Kind = Literal["string", "integer", "boolean", "array", "object"]
Moment = Literal["created", "started", "entered", "finished", "expires"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an action.

    Attributes:
        name: The vendor's name of it.
        places: Where in a request it is looked for, in order.
        required: Whether a request without it is refused.
        type: The JSON type it must have where it comes as JSON, or that its text must be of where it does not.
        secret: Whether its value is kept out of the journal.
        items: For an array, the JSON type of each of its items.
        members: For an object or an array of objects, what is in it.
    """

    name: str
    places: tuple[Place, ...]
    required: bool = True
    type: Kind = "string"
    secret: bool = False
    items: Kind = "string"
    members: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time in a task's object.

    Attributes:
        name: Its name in the task's object.
        moment: Which moment it tells: the task's creation; when it began to run (left out before); when its present
            step began; when it finished (left out before); when it will be thrown away.
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
        asked_by: The parameter that names the task in a request.
        id_at: The id's name in the task's object.
        stamps: The times in the task's object.
        unfinished: Statuses in which the task has not finished, even when its script ends on one.
        waiting: Those of them in which it has not begun to run.
        script: How a task goes that a request starts, unless a test says otherwise; empty for one that none starts.
        parts_at: Where objects beside the task's own stand; ``fields`` that bear their names are merged there.
        left_out: Names of ``fields`` that are not shown here, though another answer shows them.
        scope: Parameters besides the id that tell one task from another. A task that was created without one is
            found under any value of it.
        format_id: Turns the id asked for into what the answer shows.
        progress_at: The name of the progress in the task's object, which goes from 0 to ``progress_full``; empty for an
            API that tells none.
        progress_full: What a finished task's progress is.
        percents_at: For an API that has no status, the names of the two percentages it has instead: how much is
            complete and how much a success. A step's status is then written ``60/50``.
    """

    example: JsonObject
    task_at: tuple[str, ...]
    status_at: str
    id_at: str
    asked_by: str = "TaskId"
    stamps: tuple[Stamp, ...] = ()
    unfinished: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()
    script: tuple[Step, ...] = ()
    parts_at: tuple[str, ...] | None = None
    left_out: frozenset[str] = frozenset()
    scope: tuple[str, ...] = ()
    format_id: Callable[[str], str | int] = str
    progress_at: str = ""
    progress_full: int = 0
    percents_at: tuple[str, str] | None = None


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
