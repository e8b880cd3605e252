"""What the catalog's APIs can do, as plain JSON types and as a table for people. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypedDict

from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.spec import TaskApi

CLOUDS: dict[Cloud, str] = {"alibaba": "Alibaba Cloud", "tencent": "Tencent Cloud"}
"""The clouds' names."""

_LEAST_TEXT_WIDTH = 40


class Entry(TypedDict):
    """What one API can do.

    ``starts`` has one item for each way to start a task: the actions that it takes, in their order. ``parts`` has the
    actions that say which part of a failed task failed, and is None where the task's message says everything. An empty
    list means that the answer about the task has them.
    """

    api: str
    cloud: Cloud
    product: str
    service: str
    version: str
    id: str
    api_params: list[str]
    read: str
    starts: list[list[str]]
    cancel: str | None
    list: str | None
    parts: list[str] | None


def entry(api: TaskApi) -> Entry:
    """Return what an API can do.

    Args:
        api: The API.
    """
    return {
        "api": api.name,
        "cloud": api.cloud,
        "product": api.service.product,
        "service": api.service.name,
        "version": api.service.version,
        "id": api.id_param,
        "api_params": [*api.task_params, *api.carried_params],
        "read": api.read.name,
        "starts": [[start.action.name, *([start.then.name] if start.then else [])] for start in api.starts],
        "cancel": api.cancel.action.name if api.cancel else None,
        "list": api.list_tasks.action.name if api.list_tasks else None,
        "parts": None if api.parts is None else list(_part_actions(api)),
    }


def _part_actions(api: TaskApi) -> Iterator[str]:
    if api.parts and api.parts.listed:
        yield api.parts.listed.action.name
    if api.parts and api.parts.log:
        yield api.parts.log.action.name


def matches(api: Entry, words: Iterable[str]) -> bool:
    """Return whether each word is in the API's name, its product's name, its cloud or one of its actions.

    Args:
        api: The API.
        words: The words; case does not matter.
    """
    text = " ".join(
        [
            *(api["api"], CLOUDS[api["cloud"]], api["product"], api["service"], api["read"]),
            *(api["cancel"] or "", api["list"] or "", *(api["parts"] or ())),
            *(action for start in api["starts"] for action in start),
        ]
    ).casefold()
    return all(word.casefold() in text for word in words)


def as_table(apis: Iterable[Entry], *, width: int) -> str:
    """Return the APIs by cloud and product, each with its actions, as text that ends with a newline.

    Args:
        apis: The APIs.
        width: The width of the terminal, in characters.
    """
    return "\n".join(_lines(sorted(apis, key=_place), width)) + "\n"


def _place(api: Entry) -> tuple[str, str, str]:
    return CLOUDS[api["cloud"]], api["product"].casefold(), api["product"]


def _lines(apis: Sequence[Entry], width: int) -> Iterator[str]:
    names = max(len(api["api"]) for api in apis)
    for (cloud, _, product), of_product in groupby(apis, key=_place):
        yield f"{cloud} {product}"
        for api in of_product:
            first = f"  {api['api'].ljust(names)}  "
            yield from textwrap.wrap(
                "; ".join(_actions(api)),
                max(width, len(first) + _LEAST_TEXT_WIDTH),
                initial_indent=first,
                subsequent_indent=" " * len(first),
                break_long_words=False,
            )
        yield ""
    products = len(set(map(_place, apis)))
    yield f"{_counted(len(apis), 'API')} of {_counted(products, 'product')}"


def _actions(api: Entry) -> Iterator[str]:
    yield f"read {api['read']}"
    if api["starts"]:
        yield f"start {', '.join(' then '.join(start) for start in api['starts'])}"
    if api["cancel"]:
        yield f"cancel {api['cancel']}"
    if api["list"]:
        yield f"list {api['list']}"
    if api["parts"] is not None:
        yield f"parts {', '.join(api['parts']) or 'in the answer'}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
