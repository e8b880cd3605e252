"""The declaration of an action: its parameters, its answer, and the shape of the task that it shows.

The files in ``products`` declare actions; the gateways and the control plane work from the declarations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_cloudtasks.emulator.engine.keys import Key
    from airflow_cloudtasks.emulator.engine.scripts import Position, Step
    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject

Location = Literal["path", "query", "header", "form", "json", "raw"]
Kind = Literal["string", "integer", "boolean", "number", "array", "object", "any"]
Moment = Literal["created", "started", "entered", "finished", "expires"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an action.

    Attributes:
        name: The vendor's name of it.
        locations: Where in a request it is read from, in order of precedence.
        required: Whether a request without it is refused.
        type: Its JSON type. Outside a JSON body, its text must be of that type.
        secret: Whether the journal hides its value.
        items: For an array, the JSON type of its items.
        members: For an object or an array of objects, the members of the object; without any, all are accepted.
    """

    name: str
    locations: tuple[Location, ...]
    required: bool = True
    type: Kind = "string"
    secret: bool = False
    items: Kind = "string"
    members: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time in a task's object.

    Attributes:
        name: Its name in the task's object, or its path with dots.
        moment: Which moment it is: the task's creation; when it began to run (left out before that); when its present
            step began; when it finished (left out before that); or when the vendor will delete it.
        format: Converts Unix seconds to the vendor's format.
    """

    name: str
    moment: Moment
    format: Callable[[float], str | int]


@dataclass(frozen=True, slots=True)
class Event:
    """The message that a product sends to a queue when a task ends.

    Attributes:
        type: The vendor's name of the event.
        body: Returns what the message says of a task that ended on a status.
        address: Returns the queue that a task names for it; None if it names none.
    """

    type: str
    body: Callable[[Task, str | None], JsonObject]
    address: Callable[[Task], str | None]


@dataclass(frozen=True, slots=True)
class TaskShape:
    """The task that an answer shows: where it is in the answer, and the vendor's words for its states.

    Attributes:
        example: A whole answer without its RequestId, or a whole entry of a list, in the shape of the vendor's own
            example, for a task that has not finished.
        task_at: The path of the task's object in the example; a task's ``fields`` are merged there.
        status_at: The name of the status in the task's object, or its path with dots.
        id_at: The name of the id in the task's object, or its path with dots.
        asked_by: The parameter that names the task in a request, or the path of its id there, such as
            ``Filters[task-id]``.
        stamps: The times in the task's object.
        unfinished: Statuses of a task that has not finished, even if its script ends on one.
        waiting: Those of them in which the task has not begun to run.
        script: How a task goes without a plan of the test. Its last step is the success, the one before it a status
            in which the task runs.
        failed: The step on which a failed task ends; None if the vendor has no word for a failure.
        canceled: The step on which a canceled task ends; None if the vendor has no word for it.
        started: Whether any request starts such tasks.
        parts_at: The path of objects beside the task's own; ``fields`` with their names are merged there.
        left_out: Names of ``fields`` that this answer does not show, though another one does.
        scope: Parameters that name a task besides its id. A task that was created without one of them is found under
            any value of it.
        format_id: Converts the id in the request to the id in the answer.
        format_status: Converts a status to what the answer shows.
        progress_at: The name of the progress in the task's object, from 0 to ``progress_full``; empty if the API has
            none.
        progress_full: The progress of a finished task.
        percents_at: For an API that has two percentages instead of a status, their names: how much is complete and how
            much has succeeded. The status of a step is then written ``60/50``.
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
    failed: Step | None = None
    canceled: Step | None = None
    started: bool = True
    parts_at: tuple[str, ...] | None = None
    left_out: frozenset[str] = frozenset()
    scope: tuple[str, ...] = ()
    format_id: Callable[[str], str | int] = str
    format_status: Callable[[str], str | int] = str
    progress_at: str = ""
    progress_full: int = 0
    percents_at: tuple[str, str] | None = None
    event: Event | None = None

    @property
    def endings(self) -> dict[str, Step]:
        """The step on which a task ends, by ``succeeded``, ``failed`` and ``canceled`` as far as the API has them."""
        endings = {"succeeded": self.script[-1], "failed": self.failed, "canceled": self.canceled}
        return {name: step for name, step in endings.items() if step is not None}

    @property
    def running(self) -> Step:
        """The step in which a task runs."""
        return self.script[-2]

    def is_finished(self, where: Position) -> bool:
        """Return whether a task has finished that is in this position of its script."""
        if self.percents_at is not None:
            return where.is_last and str(where.step.status).startswith("100/")
        return where.is_last and where.step.status not in self.unfinished


@dataclass(frozen=True, slots=True)
class NotFound:
    """How an API refuses a request for a task that does not exist.

    Attributes:
        code: The error code.
        message: The error's text.
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
        parameters: Its checked parameters.
        state: The emulator's memory, locked during the call.
        now: The tasks' time, in Unix seconds.
        caller: The key that signed the request.
        ended: Tasks that this answer is the first to show in their last step; :meth:`shows` adds to it.
    """

    action: Action
    parameters: Mapping[str, Any]
    state: State
    now: float
    caller: Key
    ended: list[Task] = field(default_factory=list)

    def shows(self, task: Task) -> None:
        """Note that the answer shows a task."""
        if task.noticed_at is None and task.position(self.now).is_last:
            self.ended.append(task)


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a vendor's product.

    Attributes:
        api: The emulator's name of it.
        cloud: The vendor.
        service: The product's code, as in a host name or a credential scope.
        version: The API version.
        name: The vendor's name of it.
        parameters: Its parameters.
        answer: Returns the answer, without RequestId and envelope; raises VendorError to refuse.
        task: For an action that reads one task, the task's shape. Tasks belong to the API of this action.
        entry: For an action that lists tasks, the shape of an entry.
        not_found: How it refuses a request for a task that does not exist.
        methods: Its HTTP methods.
        path: ``/``, or a template such as ``/api/v1/tasks/{TaskId}`` in Alibaba Cloud's ROA style.
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
    entry: TaskShape | None = None
    not_found: NotFound | None = None
    methods: tuple[str, ...] = ("POST",)
    path: str = "/"
    needs_region: bool = False
    signed: bool = True

    @property
    def shape(self) -> TaskShape:
        """The shape of the task that it reads, or of an entry that it lists.

        Raises:
            TypeError: The action is declared without one.
        """
        shape = self.task or self.entry
        if shape is None:
            raise TypeError(f"{self.api} shows no task: declare the shape of its task or entry")
        return shape


def find_by_path(actions: Iterable[Action], method: str, raw_path: str) -> tuple[Action | None, dict[str, str]]:
    """Return the first action that fits a method and a percent-encoded path, and the decoded parameters in the path.

    A segment may end on a verb after its parameter: ``{jobId}%3Astop``.
    """
    segments = raw_path.split("/")
    for action in actions:
        template = action.path.split("/")
        if method not in action.methods or len(template) != len(segments):
            continue
        in_path: dict[str, str] = {}
        for wanted, segment in zip(template, segments, strict=True):
            name, _, verb = wanted.removeprefix("{").partition("}")
            if wanted.startswith("{") and segment.endswith(verb):
                in_path[name] = unquote(segment.removesuffix(verb))
            elif wanted != segment:
                break
        else:
            return action, in_path
    return None, {}
