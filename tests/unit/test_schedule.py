"""Which task is polled next, and what its outcome means to each wait, on a simulated clock."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import BadRequest, CredentialsError, InvalidConnection, NotFound, TransientError
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES
from airflow_cloudtasks.waiting.triggerer.schedule import Schedule, Subject
from airflow_cloudtasks.waiting.triggerer.watch import Evidence, Watch
from airflow_cloudtasks.waiting.verdicts import Broken, CredentialsGrace, Finished, Outcome, Verdict, Waiting, WaitRules

RUNNING = CloudTask(api="toy.task", cloud="alibaba", id="7", state=TaskState.RUNNING, status="R")
DONE = CloudTask(api="toy.task", cloud="alibaba", id="7", state=TaskState.SUCCEEDED, status="D")
FAILED = CloudTask(api="toy.task", cloud="alibaba", id="7", state=TaskState.FAILED, status="F")
EVER = float("inf")


class Wait:
    """A watch with its log lines and its end."""

    def __init__(self, deadline: float = EVER, now: float = 0.0, **rules: Any) -> None:
        self.lines: list[str] = []
        self.ends: list[Verdict | BaseException] = []
        rules_ = WaitRules(**{"poke_interval": 10.0, **rules})
        self.watch = Watch(self, 0, rules_, NO_OVERRIDES, deadline=deadline, now=now)

    def tell(self, line: str) -> None:
        self.lines.append(line)

    def end(self, index: int, verdict: Verdict | BaseException) -> None:
        self.ends.append(verdict)


def schedule_of(api: str = "lke.task") -> Schedule:
    return Schedule(APIS[api])


def answer(schedule: Schedule, subject: Subject, outcome: Outcome, now: float, asked_at: float | None = None) -> None:
    """Deliver an answer to the waits on a task."""
    for watch in tuple(subject.watches):
        watch.take(Evidence(outcome, now if asked_at is None else asked_at), now)
    schedule.settle(subject, now)


def settle(schedule: Schedule, subject: Subject, outcome: Outcome, now: float) -> None:
    """Poll a task, and deliver the answer at once."""
    schedule.begin(subject, now)
    answer(schedule, subject, outcome, now)


def first_due(schedule: Schedule, now: float) -> Subject | None:
    while schedule.advance(now, 1000):
        pass
    return schedule.first_due()


def ask(schedule: Schedule, subject: Subject, *outcomes: Outcome) -> float:
    """Settle a task with outcomes in turn, each when it is due. Return the time of the last one."""
    now = 0.0
    for outcome in outcomes:
        assert subject.due is not None
        now = subject.due
        settle(schedule, subject, outcome, now)
    return now


# --- one wait -------------------------------------------------------------------------------------------------------


def waiting(*outcomes: Outcome, **wait: Any) -> tuple[Wait, Subject, float]:
    schedule, one = schedule_of(), Wait(**wait)
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    return one, subject, ask(schedule, subject, *outcomes)


def test_polls_a_task_until_it_ends() -> None:
    one, subject, _ = waiting(RUNNING, RUNNING, DONE)
    assert one.ends == [Finished(DONE)]
    assert subject.due is None


def test_the_first_poll_is_due_within_ten_seconds() -> None:
    assert all(0 <= Wait(poke_interval=3600).watch.due <= 10 for _ in range(100))
    assert all(0 <= Wait(poke_interval=2).watch.due <= 2 for _ in range(100))
    assert len({Wait(poke_interval=2).watch.due for _ in range(100)}) > 90


def test_retries_a_transient_error_within_a_second_and_backs_off_up_to_the_interval() -> None:
    one, subject, now = waiting(RUNNING, TransientError("stumbled"), poke_interval=3600)
    assert subject.due is not None
    assert subject.due - now <= 1
    schedule = schedule_of()
    subject = schedule.add({"TaskId": "8"}, one.watch, now)
    for _ in range(30):
        settle(schedule, subject, TransientError("stumbled"), now)
    assert not one.ends
    assert max(subject.due or 0, now) - now <= 3600


def test_logs_a_transient_error_once() -> None:
    one, _, _ = waiting(RUNNING, TransientError("down"), TransientError("down"), RUNNING, DONE)
    assert one.lines == [
        "toy.task 7 is running [R]",
        "The wait goes on after: The call failed: down",
        "toy.task 7 is running [R]",
    ]


def test_polls_again_after_the_retry_after_of_the_service() -> None:
    _, subject, now = waiting(TransientError("down", retry_after=7.0), poke_interval=1.0)
    assert subject.due is not None
    assert subject.due >= now + 7


@pytest.mark.parametrize("error", [BadRequest("no"), NotFound("no such task"), InvalidConnection("gone")])
def test_a_permanent_error_ends_the_wait(error: Outcome) -> None:
    assert waiting(RUNNING, error)[0].ends == [Broken(error)]


def test_missing_wait_waits_for_a_task_that_does_not_exist_yet() -> None:
    assert waiting(NotFound("no such task"), DONE, missing="wait")[0].ends == [Finished(DONE)]


def test_a_key_rotation_does_not_end_the_wait() -> None:
    refused = CredentialsError("refused")
    assert waiting(RUNNING, refused, refused, RUNNING, DONE)[0].ends == [Finished(DONE)]


def test_a_key_that_stays_refused_ends_the_wait_after_the_grace_period() -> None:
    refused, schedule, one = CredentialsError("refused"), schedule_of(), Wait()
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    while not one.ends:
        now = ask(schedule, subject, refused)
    assert one.ends == [Broken(refused)]
    assert CredentialsGrace.SECONDS <= now <= CredentialsGrace.SECONDS + 20


def test_the_last_poll_is_due_at_the_timeout_and_reports_what_was_seen() -> None:
    schedule, one = schedule_of(), Wait(deadline=8.0, poke_interval=60.0)
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    while not one.ends:
        now = ask(schedule, subject, RUNNING)
    assert now == 8.0
    assert one.ends == [Waiting(RUNNING)]


def test_a_passed_deadline_still_allows_one_poll() -> None:
    schedule, one = schedule_of(), Wait(deadline=-10.0)
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    assert first_due(schedule, 0.0) is subject
    settle(schedule, subject, DONE, 0.0)
    assert one.ends == [Finished(DONE)]


def test_a_wait_ends_though_its_last_poll_is_never_answered() -> None:
    schedule, one = schedule_of(), Wait(deadline=100.0)
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    schedule.begin(subject, 5.0)
    schedule.time_out(129.0, 10)
    assert not one.ends
    schedule.time_out(130.0, 10)
    assert one.ends == [Waiting(None)]
    assert len(schedule) == 0


# --- many waits -----------------------------------------------------------------------------------------------------


def test_a_wait_that_arrives_after_its_deadline_gets_its_last_poll() -> None:
    """The triggerer was down around the deadline."""
    schedule, one = schedule_of(), Wait(deadline=-3600.0)
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    schedule.time_out(1.0, 10)
    assert not one.ends
    settle(schedule, subject, DONE, 5.0)
    assert one.ends == [Finished(DONE)]


def test_limits_the_retry_after_of_the_service_to_five_minutes() -> None:
    _, subject, now = waiting(TransientError("down", retry_after=86_400.0))
    assert subject.due is not None
    assert now + 300 <= subject.due <= now + 301


def test_polls_for_another_wait_do_not_double_the_interval() -> None:
    schedule, slow = schedule_of(), Wait(poke_interval=60.0, exponential_backoff=True)
    subject = schedule.add({"TaskId": "7"}, slow.watch, 0.0)
    swift = Wait(poke_interval=1.0)
    schedule.add({"TaskId": "7"}, swift.watch, 0.0)
    for second in range(600):
        settle(schedule, subject, RUNNING, float(second))
    schedule.remove(swift.watch)
    settle(schedule, subject, RUNNING, 600.0)
    assert slow.watch.due - 600 <= 120


def test_two_waits_on_one_task_share_its_polls() -> None:
    schedule, one, other = schedule_of(), Wait(), Wait(poke_interval=1.0)
    subject = schedule.add({"TaskId": "7", "ProjectId": 1}, one.watch, 0.0)
    assert schedule.add({"ProjectId": "1", "TaskId": "7"}, other.watch, 0.0) is subject
    assert (len(schedule), schedule.waits) == (1, 2)
    settle(schedule, subject, RUNNING, 10.0)
    assert subject.due is not None
    assert subject.due <= 11.0
    settle(schedule, subject, DONE, 11.0)
    assert one.ends == other.ends == [Finished(DONE)]
    assert len(schedule) == 0


def test_a_removed_wait_gets_no_outcome_and_the_other_does() -> None:
    schedule, one, other = schedule_of(), Wait(), Wait()
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    schedule.add({"TaskId": "7"}, other.watch, 0.0)
    schedule.remove(one.watch)
    settle(schedule, subject, DONE, 10.0)
    assert (one.ends, other.ends) == ([], [Finished(DONE)])


def test_forgets_a_task_without_waits_during_its_request() -> None:
    schedule, one, later = schedule_of(), Wait(), Wait()
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    schedule.begin(subject, 0.0)
    schedule.remove(one.watch)
    assert schedule.next_at() is None
    again = schedule.add({"TaskId": "7"}, later.watch, 1.0)
    assert again is not subject
    schedule.settle(subject, 2.0)
    schedule.postpone(subject, 2.0)
    assert len(schedule) == 1
    assert first_due(schedule, 100.0) is again


def test_a_throttled_poll_keeps_its_turn() -> None:
    schedule, first, second = schedule_of(), Wait(), Wait()
    subjects = [schedule.add({"TaskId": name}, wait.watch, 0.0) for name, wait in (("1", first), ("2", second))]
    subjects.sort(key=lambda subject: subject.due or 0.0)
    due = schedule.begin(subjects[0], 10.0)
    schedule.settle_throttled(subjects[0], due, 10.0, None, alone=False)
    assert first_due(schedule, 10.0) is subjects[0]


def test_a_repeatedly_throttled_task_does_not_delay_the_others() -> None:
    schedule, waits = schedule_of(), [Wait() for _ in range(5)]
    for number, wait in enumerate(waits):
        schedule.add({"TaskId": str(number)}, wait.watch, 0.0)
    for step in range(20):
        now = 10.0 + step
        if (subject := first_due(schedule, now)) is not None:
            due = schedule.begin(subject, now)
            if subject.parameters["TaskId"] == "0":
                schedule.settle_throttled(subject, due, now, None, alone=False)
            else:
                answer(schedule, subject, DONE, now)
    assert [wait.ends for wait in waits] == [[], *([[Finished(DONE)]] * 4)]


def test_a_throttled_task_backs_off_up_to_its_interval() -> None:
    schedule, one = schedule_of(), Wait(poke_interval=60.0)
    subject = schedule.add({"TaskId": "1"}, one.watch, 0.0)
    now, delays = 10.0, []
    for _ in range(12):
        due = schedule.begin(subject, now)
        schedule.settle_throttled(subject, due, now, None, alone=False)
        assert subject.due is not None
        delays.append(subject.due - now)
        now = max(now, subject.due)
    assert delays[0] <= 0
    assert 0.5 <= delays[1] <= 1
    assert all(30 <= delay <= 60 for delay in delays[-4:])


def test_a_task_that_is_throttled_alone_keeps_to_its_retry_after() -> None:
    schedule, one = schedule_of(), Wait(poke_interval=5.0)
    subject = schedule.add({"TaskId": "1"}, one.watch, 0.0)
    due = schedule.begin(subject, 10.0)
    schedule.settle_throttled(subject, due, 10.0, 45.0, alone=True)
    assert subject.due == 55.0


def test_a_low_rate_serves_all_waits_in_turn() -> None:
    """Two thousand waits with intervals of 1 and 30 seconds, polled at 20 requests a second."""
    waits, rate, schedule = 2000, 20.0, schedule_of()
    watches = [Wait(poke_interval=1.0 if number % 2 else 30.0) for number in range(waits)]
    asked: dict[str, list[float]] = {str(number): [] for number in range(waits)}
    for number, wait in enumerate(watches):
        schedule.add({"TaskId": str(number)}, wait.watch, 0.0)
    now = 0.0
    while now < 400:
        now += 1 / rate
        if (subject := first_due(schedule, now)) is not None:
            asked[subject.parameters["TaskId"]].append(now)
            settle(schedule, subject, RUNNING, now)
    gaps = [later - earlier for times in asked.values() for earlier, later in pairwise(times)]
    assert max(gaps) <= 1.1 * waits / rate + 30
    assert min(map(len, asked.values())) >= 3


def test_the_queues_stay_small_with_many_out_of_turn_polls() -> None:
    """The queues hold little but what is due, however often tasks are polled out of turn. Counted, not timed."""
    schedule = schedule_of()
    subjects = [schedule.add({"TaskId": str(number)}, Wait().watch, 0.0) for number in range(1000)]
    for sweep in range(1, 20):
        for subject in subjects:
            settle(schedule, subject, RUNNING, sweep * 10.0)
        first_due(schedule, sweep * 10.0)
    assert len(schedule._coming) <= 2 * len(subjects)
    assert len(schedule._due) <= 4 * len(subjects)


def test_many_waits_on_one_task_are_removed_in_linear_time() -> None:
    """Counted, not timed: a removal compares no watch with another."""
    compared = 0

    class Counted(Watch):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return self is other

        __hash__ = object.__hash__

    schedule = schedule_of()
    watches = [Counted(Wait(), 0, WaitRules(), NO_OVERRIDES, deadline=EVER, now=0.0) for _ in range(500)]
    for watch in watches:
        schedule.add({"TaskId": "1"}, watch, 0.0)
    for watch in reversed(watches):
        schedule.remove(watch)
    assert compared < 500
    assert (len(schedule), schedule.waits) == (0, 0)


def test_releases_finished_waits_while_others_continue() -> None:
    schedule, lasting = schedule_of(), Wait(deadline=604_800.0)
    schedule.add({"TaskId": "lasting"}, lasting.watch, 0.0)
    for number in range(5000):
        one = Wait(deadline=100_000.0 + number)
        subject = schedule.add({"TaskId": str(number)}, one.watch, 0.0)
        settle(schedule, subject, DONE, 1.0)
        schedule.remove(one.watch)
        schedule.time_out(1.0, 10)
    assert len(schedule._ends) + len(schedule._coming) + len(schedule._due) < 4000
    assert one.watch.last is None


# --- evidence --------------------------------------------------------------------------------------------------------


def test_an_answer_to_a_request_before_the_wait_began_does_not_end_it() -> None:
    """A poll is under way, the task is run again, and then a second wait begins."""
    schedule, early, late = schedule_of(), Wait(), Wait(now=3.0)
    subject = schedule.add({"TaskId": "7"}, early.watch, 0.0)
    schedule.begin(subject, 2.0)
    schedule.add({"TaskId": "7"}, late.watch, 3.0)
    answer(schedule, subject, FAILED, 4.0, asked_at=2.0)
    assert (early.ends, late.ends) == ([Finished(FAILED)], [])
    assert subject.due is not None, "the second wait polls for itself"
    settle(schedule, subject, DONE, 5.0)
    assert late.ends == [Finished(DONE)]


def test_an_answer_that_is_older_than_the_newest_one_is_ignored() -> None:
    """A slow list shows the failed run, after a poll has read that the task runs again."""
    schedule, one = schedule_of(), Wait()
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    settle(schedule, subject, RUNNING, 5.0)
    answer(schedule, subject, FAILED, 6.0, asked_at=1.0)
    assert one.ends == []
    one.watch.take_unchanged(2.0, 7.0)
    answer(schedule, subject, FAILED, 8.0, asked_at=5.5)
    assert one.ends == [Finished(FAILED)]


def test_an_entry_of_an_incomplete_list_does_not_end_a_wait() -> None:
    one = Wait()
    assert not one.watch.take(Evidence(DONE, 5.0, may_end=False), 6.0)
    assert (one.ends, one.watch.due) == ([], 6.0)
    assert one.watch.take(Evidence(RUNNING, 7.0, may_end=False), 8.0)


# --- scopes ----------------------------------------------------------------------------------------------------------


def test_tasks_that_are_ripe_are_found_by_their_scope() -> None:
    schedule = schedule_of("wedata.workflow_run")
    subjects = {}
    for number in range(6):
        parameters = {"ProjectId": str(number % 2), "ExecutionId": str(number), "WorkflowId": "w"}
        subjects[number] = schedule.add(parameters, Wait(poke_interval=60.0).watch, 0.0)
        schedule.postpone(subjects[number], 10.0)
    assert subjects[0].scope is subjects[2].scope is not subjects[1].scope
    assert subjects[0].scope.estimate_ripe(4.0) == (0, 0.0)
    assert subjects[0].scope.estimate_ripe(5.0) == (3, 60.0)
    schedule.begin(subjects[0], 5.0)
    subjects[2].alone_until = 100.0
    assert subjects[0].scope.estimate_ripe(5.0) == (1, 60.0)
    assert not subjects[2].is_ripe(99.0), "that the list lacks a task is believed for some minutes"
    assert subjects[2].is_ripe(101.0)


def test_ripe_tasks_of_a_large_scope_are_estimated() -> None:
    schedule = schedule_of("bdrc.task")
    for number in range(6000):
        subject = schedule.add({"TaskId": str(number)}, Wait(poke_interval=30.0).watch, 0.0)
        schedule.postpone(subject, 10.0 if number % 2 else 100.0)
    assert subject.scope.estimate_ripe(10.0) == (3000, 30.0)


def test_scopes_without_tasks_are_dropped_after_some_minutes() -> None:
    schedule, one = schedule_of("bdrc.task"), Wait()
    scope = schedule.add({"TaskId": "1"}, one.watch, 0.0).scope
    scope.looked_at = 0.0
    schedule.remove(one.watch)
    schedule.drop_old_scopes(500.0)
    other = Wait()
    assert schedule.add({"TaskId": "2"}, other.watch, 500.0).scope is scope
    schedule.remove(other.watch)
    schedule.drop_old_scopes(700.0)
    assert schedule.add({"TaskId": "3"}, Wait().watch, 700.0).scope is not scope


# --- tasks that ring ------------------------------------------------------------------------------------------------


def test_a_task_that_rings_is_due_at_once() -> None:
    schedule, one = schedule_of(), Wait(poke_interval=300.0)
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    settle(schedule, subject, RUNNING, 5.0)
    assert schedule.of_id("7") == (subject,)
    assert schedule.ring(subject, 20.0)
    assert first_due(schedule, 20.0) is subject
    settle(schedule, subject, DONE, 20.0)
    assert one.ends == [Finished(DONE)]
    assert schedule.of_id("7") == ()


def test_tasks_with_the_same_id_ring_one_by_one() -> None:
    schedule, waits = schedule_of(), [Wait(), Wait()]
    first, second = (
        schedule.add({"TaskId": "7", "TaskType": kind}, wait.watch, 0.0)
        for kind, wait in zip(("a", "b"), waits, strict=True)
    )
    assert schedule.of_id("7") == (first, second)
    schedule.remove(waits[0].watch)
    assert schedule.of_id("7") == (second,)
    assert not schedule.ring(first, 1.0), "nothing waits for it any more"


def test_a_task_that_rings_and_has_not_ended_is_read_again_within_seconds() -> None:
    schedule, one = schedule_of(), Wait(poke_interval=300.0)
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    settle(schedule, subject, RUNNING, 0.0)
    assert schedule.ring(subject, 100.0)
    times = []
    for _ in range(5):
        assert subject.due is not None
        times.append(subject.due)
        assert len(times) > 3 or not schedule.ring(subject, subject.due), "it is ringing already"
        settle(schedule, subject, RUNNING, subject.due)
    assert times[:4] == [100, 101, 103, 107]
    assert times[4] > 300


def test_a_task_that_rings_while_it_is_read_is_read_once_more() -> None:
    schedule, one = schedule_of(), Wait(poke_interval=300.0)
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    schedule.begin(subject, 10.0)
    assert schedule.ring(subject, 10.5)
    answer(schedule, subject, RUNNING, 11.0, asked_at=10.0)
    assert subject.due == 10.5


def test_the_entry_of_a_list_does_not_silence_a_ring() -> None:
    schedule, one = schedule_of(), Wait(poke_interval=300.0)
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    settle(schedule, subject, RUNNING, 1.0)
    assert schedule.ring(subject, 10.0)
    schedule.settle(subject, 10.1, polled=False)
    assert subject.due == 10.0


@pytest.mark.parametrize(("api", "alone"), [("wedata.task_instance", True), ("dlc.task", False)])
def test_a_task_that_rings_is_read_by_its_id_unless_batches_can_read_it(api: str, alone: bool) -> None:
    schedule, one = schedule_of(api), Wait()
    subject = schedule.add({APIS[api].id_param: "7", "ProjectId": "1"}, one.watch, 0.0)
    settle(schedule, subject, RUNNING, 0.0)
    schedule.ring(subject, 5.0)
    assert subject.is_alone(5.0) is alone
    assert not subject.is_alone(60.0)


# --- tasks whose end something else tells ----------------------------------------------------------------------------


def slowed(**rules: Any) -> tuple[Schedule, Subject, Wait, list[bool]]:
    schedule, one, is_told = schedule_of(), Wait(**rules), [True]
    schedule.slow_while(lambda _: is_told[0])
    return schedule, schedule.add({"TaskId": "7"}, one.watch, 0.0), one, is_told


def test_a_task_whose_end_something_tells_is_polled_once_a_minute() -> None:
    schedule, subject, _, _ = slowed(poke_interval=10.0)
    assert subject.due is not None
    assert subject.due <= 10, "but it is read once at the beginning"
    settle(schedule, subject, RUNNING, subject.due)
    assert 54 <= subject.due - subject.asked_at <= 60


def test_a_longer_interval_stays() -> None:
    schedule, subject, _, _ = slowed(poke_interval=300.0)
    settle(schedule, subject, RUNNING, 0.0)
    assert subject.due is not None
    assert subject.due >= 270


def test_a_task_is_polled_at_its_deadline_in_any_case() -> None:
    schedule, subject, _, _ = slowed(poke_interval=10.0, deadline=30.0)
    settle(schedule, subject, RUNNING, 5.0)
    assert subject.due == 30.0


def test_a_poll_that_failed_is_repeated_soon() -> None:
    schedule, subject, _, _ = slowed(poke_interval=10.0)
    settle(schedule, subject, TransientError("down"), 5.0)
    assert subject.due is not None
    assert subject.due <= 15


def test_when_nothing_tells_any_more_tasks_are_polled_at_their_interval_again() -> None:
    schedule, subject, _, is_told = slowed(poke_interval=10.0)
    settle(schedule, subject, RUNNING, 5.0)
    is_told[0] = False
    schedule.hasten([subject])
    assert subject.due is not None
    assert 14 <= subject.due <= 15
    schedule.begin(subject, 15.0)
    schedule.hasten([subject])
    assert subject.due is None, "while it is being read, it is not due"
    answer(schedule, subject, RUNNING, 15.1)
    due = subject.due
    schedule.hasten([subject])
    assert subject.due == due
