"""What all of WeData's actions have in common, as its definitions (2025-08-06, in tccli) have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.vendor.contract import Action, NotFound, Parameter

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.vendor.contract import Place

JSON: tuple[Place, ...] = ("json", "query")
PROJECT = Parameter("ProjectId", JSON)
# Only GetTask's document lists an error code for this; the others are held to the same, Tencent Cloud's common one.
NOT_FOUND = NotFound("ResourceNotFound", "The specified resource does not exist.", 200)


def optional(*names: str) -> tuple[Parameter, ...]:
    """Declare strings that a request may leave out.

    Args:
        *names: Their names.

    Returns:
        The parameters.
    """
    return tuple(Parameter(name, JSON, required=False) for name in names)


def wedata(api: str, name: str, **more: Any) -> Action:
    """Declare an action of WeData.

    Args:
        api: The emulator's name of it.
        name: WeData's.
        **more: The rest of the action.

    Returns:
        The action.
    """
    common: dict[str, Any] = {"cloud": "tencent", "service": "wedata", "version": "2025-08-06", "needs_region": True}
    return Action(api=api, name=name, **common, **more)
