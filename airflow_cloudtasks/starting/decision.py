"""Decide what a try does about the start of an earlier try. Pure: :class:`~…starter.Starter` carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from airflow_cloudtasks.starting.asked import Agreement
from airflow_cloudtasks.starting.attempt import Progress

Cloud = Literal[
    "running",
    "succeeded",
    "failed",
    "unseen",
    "gone",
    "unreadable",
    "rejected",
    "denied",
    "found",
    "not_found",
    "ambiguous",
]
"""What the cloud says about the start of an earlier try.

Of a task whose id is known: it is ``running``, ``succeeded`` or ``failed``; it is ``unseen`` (too new to be shown) or
``gone``; the read failed for now (``unreadable``), is ``rejected``, or is ``denied``.

Of a start without an answer, after a look-up: the task is ``found`` or ``not_found``; the look-up is ``ambiguous``; it
failed for now (``unreadable``), or for good (``rejected``).
"""


class Step(StrEnum):
    """What a try does next."""

    START = "start a new task"
    READ = "read the task and decide again"
    LOOK = "look for the task of the request without an answer and decide again"
    WAIT = "wait for the task of the earlier try, or return its result if it has succeeded"
    ASK_AGAIN = "send the same request again"
    SET_GOING = "set the created task going"
    CANCEL = "cancel the task of the earlier try and start a new one"
    REFUSE = "fail without a retry, because a new start might be the second one"
    RAISE = "raise the error of the cloud, so that Airflow retries later"


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """What a try knows about the start of an earlier try.

    Args:
        progress: How far the earlier start has come; None if nothing is stored.
        is_same_row: Whether the same row of Airflow's table of DAG runs stored it.
        cleared: Whether the user has cleared the Airflow task since.
        asked: How its request compares with the current one.
        findable: Whether a look-up, or the same request again, can resolve a start without an answer.
        cancelable: Whether the vendor has an action that cancels the task, and the task is surely of this start.
        removed_by_cancel: Whether a canceled task can no longer be read.
        cloud: What the cloud says; None if it has not been asked yet.
    """

    progress: Progress | None
    is_same_row: bool = True
    cleared: bool = False
    asked: Agreement = "same"
    findable: bool = False
    cancelable: bool = False
    removed_by_cancel: bool = False
    cloud: Cloud | None = None


# A retry must not start a second task beside a running one, and must not repeat one that has succeeded.
_BEGUN_ON_RETRY: dict[Cloud, Step] = {
    "running": Step.WAIT,
    "succeeded": Step.WAIT,
    "failed": Step.START,
    "unseen": Step.WAIT,
    "gone": Step.REFUSE,
    "unreadable": Step.WAIT,  # The wait reads again.
    "rejected": Step.RAISE,
    "denied": Step.RAISE,
}
# A clear asks for another task, unless the earlier one still runs.
_BEGUN_AFTER_CLEAR: dict[Cloud, Step] = {
    "running": Step.WAIT,
    "succeeded": Step.START,
    "failed": Step.START,
    "unseen": Step.READ,
    "gone": Step.START,
    "unreadable": Step.RAISE,
    "rejected": Step.START,  # The earlier parameters may have been wrong.
    "denied": Step.RAISE,
}
_LOOKED_UP_ON_RETRY: dict[Cloud, Step] = {
    "found": Step.WAIT,
    "not_found": Step.ASK_AGAIN,
    "ambiguous": Step.REFUSE,
    "unreadable": Step.RAISE,
    "rejected": Step.RAISE,
}
_LOOKED_UP_AFTER_CLEAR: dict[Cloud, Step] = {
    **_LOOKED_UP_ON_RETRY,
    "ambiguous": Step.START,
    "rejected": Step.START,
}


def decide(situation: Situation) -> Step:
    """Return what a try does next.

    Args:
        situation: What is known. After :attr:`Step.READ` and :attr:`Step.LOOK`, decide again with ``cloud``.
    """
    if not situation.is_same_row:
        return Step.START
    match situation.progress:
        case None:
            return Step.START
        case "asking":
            return _asking(situation)
        case "made":
            return _made(situation)
        case "setting_going":
            return _setting_going(situation)
        case "begun":
            return _begun(situation)


def _asking(now: Situation) -> Step:
    if now.asked != "same" or not now.findable:
        return Step.START if now.cleared else Step.REFUSE
    if now.cloud is None:
        return Step.LOOK
    return (_LOOKED_UP_AFTER_CLEAR if now.cleared else _LOOKED_UP_ON_RETRY)[now.cloud]


def _made(now: Situation) -> Step:
    # A created task that was not set going does nothing, so a new start is no second one.
    return Step.START if now.cleared or now.asked in ("other", "elsewhere") else Step.SET_GOING


def _setting_going(now: Situation) -> Step:
    if not now.cleared:
        return Step.REFUSE
    return Step.CANCEL if now.cancelable else Step.START


def _begun(now: Situation) -> Step:
    if now.cloud is None:
        return Step.READ
    if now.cleared:
        step = _BEGUN_AFTER_CLEAR[now.cloud]
        if step is Step.WAIT and now.asked in ("other", "elsewhere"):
            return Step.CANCEL if now.cancelable else Step.START
        return step
    if now.cloud == "gone" and now.removed_by_cancel:
        return Step.START
    step = _BEGUN_ON_RETRY[now.cloud]
    # The wait reads with the current API, account and region.
    return Step.REFUSE if step is Step.WAIT and now.asked == "elsewhere" else step
