"""Alibaba Cloud's lists, whose pages are linked by a token, newest tasks first.

No document states the order of the tasks.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.products.shared.answers import show_task
from airflow_cloudtasks.emulator.vendor.alibaba_errors import invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

_DEFAULT_SIZE = 10


def cut_page(
    call: Call, api: str, size: int, wanted: Callable[[JsonObject], bool], parameter: str = "NextToken"
) -> tuple[list[JsonObject], str]:
    """Return a page of a list and the token of the next page, which is empty on the last one.

    Args:
        call: The call, of an action that declares the shape of an entry.
        api: The API that reads the listed tasks.
        size: The most entries of a page.
        wanted: Returns whether an entry is listed.
        parameter: The parameter with the token of a page.

    Raises:
        VendorError: The parameter is not a token of this list.
    """
    token = call.parameters.get(parameter)
    shown: list[JsonObject] = []
    last = _parse_token(api, token, parameter) if token else None
    for task in call.state.tasks.newest(api, last):
        if not task.is_inside(call.parameters):
            continue
        entry = show_task(call.action.shape, task, call.now, call.parameters)
        if not wanted(entry):
            continue
        if len(shown) == size:
            return shown, _make_token(api, last)
        shown.append(entry)
        call.shows(task)
        last = task.number
    return shown, ""


def page_size(call: Call) -> int:
    """Return the parameter MaxResults, 10 by default.

    Raises:
        VendorError: It is not a number.
    """
    text = call.parameters.get("MaxResults")
    if not text:
        return _DEFAULT_SIZE
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise invalid("MaxResults")
    return int(text)


def _make_token(api: str, last: int | None) -> str:
    # The number of the last task shown rather than of the page: tasks that are added or end meanwhile move nothing.
    return base64.urlsafe_b64encode(f"{api} {last}".encode()).decode()


def _parse_token(api: str, token: str, parameter: str) -> int:
    try:
        last = int(base64.urlsafe_b64decode(token).decode().removeprefix(f"{api} "))
    except ValueError:
        raise invalid(parameter) from None
    if _make_token(api, last) != token:
        raise invalid(parameter)
    return last
