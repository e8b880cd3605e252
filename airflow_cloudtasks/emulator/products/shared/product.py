"""The declaration of a product and its actions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.products.shared import start_and_cancel
from airflow_cloudtasks.emulator.products.shared.answers import answer_task, asked, find_task, merge, put, without
from airflow_cloudtasks.emulator.vendor import definitions
from airflow_cloudtasks.emulator.vendor.alibaba_errors import TASK_ID_NOT_FOUND
from airflow_cloudtasks.emulator.vendor.contract import Action, NotFound, Parameter

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject
    from airflow_cloudtasks.emulator.products.shared.listing import Listing
    from airflow_cloudtasks.emulator.vendor.contract import Call, Location, TaskShape

DEFINED = None
"""In place of an action's parameters: those of the vendor's definition, in the folder ``definitions``."""

# Each cloud's common refusal. Few products document one of their own.
_NOT_FOUND: dict[Cloud, NotFound] = {
    "alibaba": TASK_ID_NOT_FOUND,
    "tencent": NotFound("ResourceNotFound", "The specified resource does not exist.", 200),
}


@dataclass(slots=True)
class Product:
    """A vendor's product, and the actions of it that the emulator serves.

    Attributes:
        cloud: The vendor.
        service: The product's code, as in a host name or a credential scope.
        version: The API version.
        locations: Where in a request its parameters are read from, in order of precedence.
        needs_region: Whether a request without a region is refused.
        actions: The actions declared so far.
    """

    cloud: Cloud
    service: str
    version: str
    locations: tuple[Location, ...]
    needs_region: bool = False
    actions: list[Action] = field(default_factory=list)

    def required(self, *names: str) -> tuple[Parameter, ...]:
        """Return strings that a request must have."""
        return tuple(Parameter(name, self.locations) for name in names)

    def optional(self, *names: str) -> tuple[Parameter, ...]:
        """Return strings that a request may leave out."""
        return tuple(Parameter(name, self.locations, required=False) for name in names)

    def action(
        self,
        api: str,
        name: str,
        answer: Callable[[Call], JsonObject],
        parameters: tuple[Parameter, ...] | None = (),
        required: str = "",
        **more: Any,
    ) -> Action:
        """Declare an action.

        Args:
            api: The emulator's name of it.
            name: The vendor's name of it.
            answer: Returns the answer, without RequestId and envelope; raises VendorError to refuse.
            parameters: Its parameters, or DEFINED.
            required: A parameter that a request must have, though Alibaba Cloud's models do not say so of each.
            **more: Other attributes of the action.
        """
        given = {"needs_region": self.needs_region, **more}
        if parameters is DEFINED:
            parameters = definitions.parameters(self.cloud, self.service, self.version, name)
            defined = definitions.read(self.cloud, self.service, self.version)["actions"][name]
            if self.cloud == "alibaba":
                given = {"methods": (defined["method"],), "path": defined["path"], **given}
        if self.cloud == "alibaba":
            parameters = tuple(replace(one, required=True) if one.name == required else one for one in parameters)
        action = Action(api, self.cloud, self.service, self.version, name, parameters, answer, **given)
        self.actions.append(action)
        return action

    def reads(
        self,
        api: str,
        name: str,
        parameters: tuple[Parameter, ...] | None,
        task: TaskShape,
        *,
        answer: Callable[[Call], JsonObject] = answer_task,
        listing: Listing | None = None,
        **more: Any,
    ) -> Action:
        """Declare the action that reads one task by its id.

        Args:
            api: The API that the tasks belong to, e.g. ``ice.workflow_task``.
            name: The vendor's name of the action.
            parameters: Its parameters.
            task: The shape of the task.
            answer: Returns the answer, if the shape alone does not determine it.
            listing: How it lists tasks, if it is a list that is read for one id.
            **more: Other attributes of the action.

        Raises:
            ValueError: The shape's script has no running status before its success.
        """
        if len(task.script) < 2:
            raise ValueError(
                f"{api}: expected a script of a running status and a success, got {len(task.script)} steps"
            )
        if parameters is DEFINED:
            task = self._in_shape(name, task, () if listing is None else listing.at)
        answer = answer if listing is None else listing.answer
        required = task.asked_by if answer is answer_task else ""
        given = {"not_found": _NOT_FOUND[self.cloud], "required": required, **more}
        return self.action(api, name, answer, parameters, **given, task=task)

    def starts(
        self,
        reader: Action,
        name: str,
        parameters: tuple[Parameter, ...] | None,
        id_at: tuple[str, ...],
        *,
        shown: tuple[str, ...] = (),
        example: JsonObject | None = None,
        new_id: Callable[[Call], str] = lambda call: start_and_cancel.new_uuid(),
        **more: Any,
    ) -> Action:
        """Declare an action that starts a task and answers its id.

        Args:
            reader: The action that reads the task.
            name: The vendor's name of the action.
            parameters: Its parameters.
            id_at: The path of the id in the answer.
            shown: Parameters that the task's object shows under the same names.
            example: The rest of the answer, beside the blank fields of the vendor's definition.
            new_id: Returns the id of the new task; a UUID by default.
            **more: Other attributes of the action.
        """
        blank: JsonObject = {}
        if parameters is DEFINED:
            blank = definitions.blank_answer(self.cloud, self.service, self.version, name)
        rest = merge(blank, example or {})

        def answer(call: Call) -> JsonObject:
            task_id = new_id(call)
            start_and_cancel.start(call, reader, task_id, start_and_cancel.sent(call, *shown))
            return put(rest, id_at, reader.shape.format_id(task_id))

        return self.action(f"{reader.api}_start", name, answer, parameters, **more)

    def restarts(
        self,
        reader: Action,
        name: str,
        parameters: tuple[Parameter, ...] | None,
        *,
        asked_by: str,
        example: JsonObject | None = None,
        **more: Any,
    ) -> Action:
        """Declare an action that starts existing tasks. One that the emulator does not know is taken to exist.

        Args:
            reader: The action that reads the tasks.
            name: The vendor's name of the action.
            parameters: Its parameters.
            asked_by: Where the request has the ids of the tasks.
            example: The answer, beside the blank fields of the vendor's definition.
            **more: Other attributes of the action.
        """
        blank = definitions.blank_answer(self.cloud, self.service, self.version, name) if parameters is DEFINED else {}

        def answer(call: Call) -> JsonObject:
            for task_id in asked(call.parameters, asked_by):
                task = start_and_cancel.find(call, reader, task_id)
                if task is None:
                    start_and_cancel.start(call, reader, task_id, {})
                else:
                    start_and_cancel.start_again(call, reader, task)
            return merge(blank, example or {})

        return self.action(f"{reader.api}_start", name, answer, parameters, **more)

    def cancels(
        self,
        reader: Action,
        name: str,
        parameters: tuple[Parameter, ...] | None,
        *,
        id_at: tuple[str, ...] = (),
        asked_by: str | None = None,
        **more: Any,
    ) -> Action:
        """Declare an action that cancels tasks at once. A task that has ended is answered alike and stays as it is.

        Args:
            reader: The action that reads the task; its shape has the step of a canceled task.
            name: The vendor's name of the action.
            parameters: Its parameters.
            id_at: The path of the task's id in the answer; empty for an empty answer.
            asked_by: Where the request has the ids of the tasks; None for where the reader has one.
            **more: Other attributes of the action.
        """

        def answer(call: Call) -> JsonObject:
            ids = asked(call.parameters, asked_by or reader.shape.asked_by)
            for task_id in ids:
                start_and_cancel.cancel(call, reader, task_id)
                find_task(call, reader, task_id)
            return put({}, id_at, ids[0]) if id_at else {}

        given = {"required": asked_by or reader.shape.asked_by, **more}
        return self.action(f"{reader.api}_cancel", name, answer, parameters, **given)

    def lists(
        self,
        api: str,
        name: str,
        listing: Listing,
        parameters: tuple[Parameter, ...] | None,
        entry: TaskShape,
        **more: Any,
    ) -> Action:
        """Declare an action that lists tasks.

        Args:
            api: The API that reads the tasks.
            name: The vendor's name of the action.
            listing: How it lists them.
            parameters: Its parameters.
            entry: The shape of an entry.
            **more: Other attributes of the action.
        """
        if parameters is DEFINED:
            entry = self._in_shape(name, entry, listing.at)
        return self.action(f"{api}_list", name, listing.answer, parameters, **more, entry=entry)

    def _in_shape(self, action: str, shape: TaskShape, at: tuple[str, ...]) -> TaskShape:
        """Return a shape whose example has every field of the vendor's definition, blank where the shape has none."""
        blank = definitions.blank_answer(self.cloud, self.service, self.version, action, at)
        for name in shape.left_out if at else ():
            blank = without(blank, (name,))
        # A time that the task has not reached is left out.
        for stamp in shape.stamps:
            blank = without(blank, (*shape.task_at, *stamp.name.split(".")))
        return replace(shape, example=merge(blank, shape.example))
