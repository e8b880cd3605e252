"""What a try does about the start of an earlier try: every combination of what it may know."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from airflow_cloudtasks.starting.asked import Agreement
from airflow_cloudtasks.starting.attempt import Progress
from airflow_cloudtasks.starting.decision import Cloud, Situation, Step, decide

TASK_STATES: tuple[Cloud, ...] = (
    *("running", "succeeded", "failed", "unseen", "gone", "unreadable", "rejected", "denied"),
)
LOOK_UPS: tuple[Cloud, ...] = ("found", "not_found", "ambiguous", "unreadable", "rejected")
AGREEMENTS: tuple[Agreement, ...] = get_args(Agreement)
SENDS = {Step.START, Step.ASK_AGAIN, Step.CANCEL}


def every_situation() -> list[Situation]:
    """Return every combination that a try can be in."""
    found = []
    flags = itertools.product((True, False), repeat=5)
    for (same_row, cleared, findable, cancelable, removes), asked, progress in itertools.product(
        list(flags), AGREEMENTS, (None, *get_args(Progress))
    ):
        clouds: tuple[Cloud | None, ...] = {"begun": (None, *TASK_STATES), "asking": (None, *LOOK_UPS)}.get(
            progress or "", (None,)
        )
        found += [
            Situation(
                progress=progress,
                is_same_row=same_row,
                cleared=cleared,
                asked=asked,
                findable=findable,
                cancelable=cancelable,
                removed_by_cancel=removes,
                cloud=cloud,
            )
            for cloud in clouds
        ]
    return found


EVERY = every_situation()


def test_the_table_covers_every_value() -> None:
    assert {each.cloud for each in EVERY} == {None, *get_args(Cloud)}
    assert len(EVERY) == 2**5 * 4 * (1 + 6 + 1 + 1 + 9)
    assert {decide(each) for each in EVERY} == set(Step)


def test_an_attempt_of_another_dag_run_and_no_attempt_mean_a_new_start() -> None:
    for each in EVERY:
        if not each.is_same_row or each.progress is None:
            assert decide(each) is Step.START


@pytest.mark.parametrize(
    ("cloud", "asked", "step"),
    [
        # A retry waits for a task that may run, whatever its parameters: never two at once.
        *[(cloud, asked, Step.WAIT) for cloud in ("running", "unseen") for asked in ("same", "other", "unknown")],
        *[(cloud, "elsewhere", Step.REFUSE) for cloud in ("running", "unseen", "succeeded", "unreadable")],
        *[("unreadable", asked, Step.WAIT) for asked in ("same", "other", "unknown")],
        # A success is the result of the tries up to it.
        *[("succeeded", asked, Step.WAIT) for asked in ("same", "other", "unknown")],
        *[("failed", asked, Step.START) for asked in AGREEMENTS],
        *[("rejected", asked, Step.RAISE) for asked in AGREEMENTS],
        *[("denied", asked, Step.RAISE) for asked in AGREEMENTS],
    ],
)
@pytest.mark.parametrize("removes", [True, False])
@pytest.mark.parametrize("cancelable", [True, False])
def test_retry_after_an_answered_start(
    cloud: Cloud, asked: Agreement, step: Step, removes: bool, cancelable: bool
) -> None:
    now = Situation(
        progress="begun", asked=asked, cloud=cloud, cancelable=cancelable, removed_by_cancel=removes, findable=True
    )
    assert decide(now) is step


@pytest.mark.parametrize(("removes", "step"), [(True, Step.START), (False, Step.REFUSE)])
@pytest.mark.parametrize("asked", AGREEMENTS)
def test_retry_starts_anew_after_a_task_is_gone_only_if_a_cancel_removes_it(
    asked: Agreement, removes: bool, step: Step
) -> None:
    assert decide(Situation(progress="begun", asked=asked, cloud="gone", removed_by_cancel=removes)) is step


@pytest.mark.parametrize(
    ("cloud", "step"),
    [
        ("running", None),
        ("unseen", Step.READ),
        ("succeeded", Step.START),
        ("failed", Step.START),
        ("gone", Step.START),
        ("rejected", Step.START),
        ("unreadable", Step.RAISE),
        ("denied", Step.RAISE),
    ],
)
@pytest.mark.parametrize("asked", AGREEMENTS)
@pytest.mark.parametrize("cancelable", [True, False])
def test_clear_after_an_answered_start(cloud: Cloud, step: Step | None, asked: Agreement, cancelable: bool) -> None:
    if step is None:
        is_other = asked in ("other", "elsewhere")
        step = (Step.CANCEL if cancelable else Step.START) if is_other else Step.WAIT
    now = Situation(progress="begun", cleared=True, asked=asked, cloud=cloud, cancelable=cancelable)
    assert decide(now) is step


@pytest.mark.parametrize(
    ("cloud", "on_retry", "after_clear"),
    [
        (None, Step.LOOK, Step.LOOK),
        ("found", Step.WAIT, Step.WAIT),
        ("not_found", Step.ASK_AGAIN, Step.ASK_AGAIN),
        ("ambiguous", Step.REFUSE, Step.START),
        ("unreadable", Step.RAISE, Step.RAISE),
        ("rejected", Step.RAISE, Step.START),
    ],
)
def test_a_start_without_an_answer_that_can_be_found(cloud: Cloud | None, on_retry: Step, after_clear: Step) -> None:
    now = {"progress": "asking", "findable": True, "cloud": cloud}
    assert decide(Situation(**now)) is on_retry  # type: ignore[arg-type]
    assert decide(Situation(**now, cleared=True)) is after_clear  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "findable"), [*[(asked, False) for asked in AGREEMENTS], *[(a, True) for a in AGREEMENTS if a != "same"]]
)
def test_a_start_without_an_answer_that_cannot_be_found_waits_for_a_clear(asked: Agreement, findable: bool) -> None:
    assert decide(Situation(progress="asking", asked=asked, findable=findable)) is Step.REFUSE
    assert decide(Situation(progress="asking", asked=asked, findable=findable, cleared=True)) is Step.START


@pytest.mark.parametrize("asked", AGREEMENTS)
def test_a_created_task_is_set_going_by_a_retry_with_the_same_parameters_only(asked: Agreement) -> None:
    step = Step.SET_GOING if asked in ("same", "unknown") else Step.START
    assert decide(Situation(progress="made", asked=asked)) is step
    assert decide(Situation(progress="made", asked=asked, cleared=True)) is Step.START


@pytest.mark.parametrize(("cancelable", "step"), [(True, Step.CANCEL), (False, Step.START)])
@pytest.mark.parametrize("asked", AGREEMENTS)
def test_a_task_that_may_have_been_set_going_waits_for_a_clear(asked: Agreement, cancelable: bool, step: Step) -> None:
    assert decide(Situation(progress="setting_going", asked=asked, cancelable=cancelable)) is Step.REFUSE
    now = Situation(progress="setting_going", asked=asked, cancelable=cancelable, cleared=True)
    assert decide(now) is step


def test_a_retry_never_sends_beside_a_task_that_may_run() -> None:
    may_run = {"running", "unseen", "unreadable", "denied", "rejected", "succeeded", "ambiguous", "found"}
    for each in EVERY:
        if each.is_same_row and not each.cleared and each.cloud in may_run:
            assert decide(each) not in SENDS, each


def test_cancels_only_what_can_be_canceled_and_only_after_a_clear() -> None:
    for each in EVERY:
        if decide(each) is Step.CANCEL:
            assert each.cancelable, each
            assert each.cleared, each


def test_a_decision_ends_after_the_cloud_has_been_asked() -> None:
    for each in EVERY:
        if each.cloud is not None and decide(each) in (Step.READ, Step.LOOK):
            # A new task becomes visible, or is gone after a minute.
            assert (each.cloud, each.cleared) == ("unseen", True), each
