"""Which task is polled next, and what its outcome means to each wait, on a simulated clock."""

from __future__ import annotations

import heapq
from itertools import count, pairwise
from typing import Any

import pytest

from airflow_cloudtasks.errors import BadRequest, CredentialsError, InvalidConnection, NotFound, TransientError
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES
from airflow_cloudtasks.waiting.triggerer.budget import Budget
from airflow_cloudtasks.waiting.triggerer.schedule import Schedule, Subject
from airflow_cloudtasks.waiting.triggerer.watch import Watch
from airflow_cloudtasks.waiting.verdicts import Broken, CredentialsGrace, Finished, Outcome, Verdict, Waiting, WaitRules

RUNNING = CloudTask(api="toy.task", cloud="alibaba", id="7", state=TaskState.RUNNING, status="R")
DONE = CloudTask(api="toy.task", cloud="alibaba", id="7", state=TaskState.SUCCEEDED, status="D")
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


def settle(schedule: Schedule, subject: Subject, outcome: Outcome, now: float) -> None:
    schedule.begin(subject, now)
    schedule.settle(subject, dict.fromkeys(subject.watches, outcome), now)


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
    schedule, one = Schedule(), Wait(**wait)
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
    schedule = Schedule()
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
    refused, schedule, one = CredentialsError("refused"), Schedule(), Wait()
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    while not one.ends:
        now = ask(schedule, subject, refused)
    assert one.ends == [Broken(refused)]
    assert CredentialsGrace.SECONDS <= now <= CredentialsGrace.SECONDS + 20


def test_the_last_poll_is_due_at_the_timeout_and_reports_what_was_seen() -> None:
    schedule, one = Schedule(), Wait(deadline=8.0, poke_interval=60.0)
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    while not one.ends:
        now = ask(schedule, subject, RUNNING)
    assert now == 8.0
    assert one.ends == [Waiting(RUNNING)]


def test_a_passed_deadline_still_allows_one_poll() -> None:
    schedule, one = Schedule(), Wait(deadline=-10.0)
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    assert schedule.first_due(0.0) is subject
    settle(schedule, subject, DONE, 0.0)
    assert one.ends == [Finished(DONE)]


def test_a_wait_ends_though_its_last_poll_is_never_answered() -> None:
    schedule, one = Schedule(), Wait(deadline=100.0)
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    schedule.begin(subject, 5.0)
    schedule.time_out(129.0)
    assert not one.ends
    schedule.time_out(130.0)
    assert one.ends == [Waiting(None)]
    assert len(schedule) == 0


# --- many waits -----------------------------------------------------------------------------------------------------


def test_a_wait_that_arrives_after_its_deadline_gets_its_last_poll() -> None:
    """The triggerer was down around the deadline."""
    schedule, one = Schedule(), Wait(deadline=-3600.0)
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    schedule.time_out(1.0)
    assert not one.ends
    settle(schedule, subject, DONE, 5.0)
    assert one.ends == [Finished(DONE)]


def test_limits_the_retry_after_of_the_service_to_a_minute() -> None:
    _, subject, now = waiting(TransientError("down", retry_after=86_400.0))
    assert subject.due is not None
    assert subject.due <= now + 60


def test_polls_for_another_wait_do_not_double_the_interval() -> None:
    schedule, slow = Schedule(), Wait(poke_interval=60.0, exponential_backoff=True)
    subject = schedule.add({"TaskId": "7"}, slow.watch, 0.0)
    swift = Wait(poke_interval=1.0)
    schedule.add({"TaskId": "7"}, swift.watch, 0.0)
    for second in range(600):
        settle(schedule, subject, RUNNING, float(second))
    schedule.remove(swift.watch)
    settle(schedule, subject, RUNNING, 600.0)
    assert slow.watch.due - 600 <= 120


def test_two_waits_on_one_task_share_its_polls() -> None:
    schedule, one, other = Schedule(), Wait(), Wait(poke_interval=1.0)
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
    schedule, one, other = Schedule(), Wait(), Wait()
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    schedule.add({"TaskId": "7"}, other.watch, 0.0)
    schedule.remove(one.watch)
    settle(schedule, subject, DONE, 10.0)
    assert (one.ends, other.ends) == ([], [Finished(DONE)])


def test_forgets_a_task_without_waits_during_its_request() -> None:
    schedule, one, later = Schedule(), Wait(), Wait()
    subject = schedule.add({"TaskId": "7"}, one.watch, 0.0)
    schedule.begin(subject, 0.0)
    schedule.remove(one.watch)
    assert schedule.next_at() is None
    again = schedule.add({"TaskId": "7"}, later.watch, 1.0)
    assert again is not subject
    schedule.settle(subject, {}, 2.0)
    schedule.put_back(subject, 2.0)
    assert len(schedule) == 1
    assert schedule.first_due(100.0) is again


def test_a_throttled_poll_keeps_its_turn() -> None:
    schedule, first, second = Schedule(), Wait(), Wait()
    subjects = [schedule.add({"TaskId": name}, wait.watch, 0.0) for name, wait in (("1", first), ("2", second))]
    subjects.sort(key=lambda subject: subject.due or 0.0)
    due = schedule.begin(subjects[0], 10.0)
    schedule.put_back_throttled(subjects[0], due, 10.0)
    assert schedule.first_due(10.0) is subjects[0]


def test_a_repeatedly_throttled_task_does_not_delay_the_others() -> None:
    schedule, waits = Schedule(), [Wait() for _ in range(5)]
    for number, wait in enumerate(waits):
        schedule.add({"TaskId": str(number)}, wait.watch, 0.0)
    for step in range(20):
        now = 10.0 + step
        if (subject := schedule.first_due(now)) is not None:
            due = schedule.begin(subject, now)
            if subject.parameters["TaskId"] == "0":
                schedule.put_back_throttled(subject, due, now)
            else:
                settle(schedule, subject, DONE, now)
    assert [wait.ends for wait in waits] == [[], *([[Finished(DONE)]] * 4)]


def test_a_small_budget_serves_all_waits_in_turn() -> None:
    """Two thousand waits with intervals of 1 and 30 seconds, polled at 20 requests a second."""
    waits, rate, schedule, budget = 2000, 20.0, Schedule(), Budget(20.0)
    watches = [Wait(poke_interval=1.0 if number % 2 else 30.0) for number in range(waits)]
    asked: dict[str, list[float]] = {str(number): [] for number in range(waits)}
    for number, wait in enumerate(watches):
        schedule.add({"TaskId": str(number)}, wait.watch, 0.0)
    now = 0.0
    while now < 400:
        if (subject := schedule.first_due(now)) is None:
            now = schedule.next_at() or now
            continue
        now = budget.reserve(now)
        asked[subject.parameters["TaskId"]].append(now)
        settle(schedule, subject, RUNNING, now)
    gaps = [later - earlier for times in asked.values() for earlier, later in pairwise(times)]
    assert max(gaps) <= 1.1 * waits / rate + 30
    assert min(map(len, asked.values())) >= 3


def test_the_queue_stays_small_with_many_out_of_turn_polls() -> None:
    """The queue holds little but what is due, however often tasks are polled out of turn. Counted, not timed."""
    schedule = Schedule()
    subjects = [schedule.add({"TaskId": str(number)}, Wait().watch, 0.0) for number in range(1000)]
    for sweep in range(1, 20):
        for subject in subjects:
            settle(schedule, subject, RUNNING, sweep * 10.0)
        schedule.next_at()
    assert len(schedule._queue) <= 3 * len(subjects)


def test_releases_finished_waits_while_others_continue() -> None:
    schedule, lasting = Schedule(), Wait(deadline=604_800.0)
    schedule.add({"TaskId": "lasting"}, lasting.watch, 0.0)
    for number in range(5000):
        one = Wait(deadline=100_000.0 + number)
        subject = schedule.add({"TaskId": str(number)}, one.watch, 0.0)
        settle(schedule, subject, DONE, 1.0)
        schedule.remove(one.watch)
        schedule.time_out(1.0)
    assert len(schedule._ends) + len(schedule._queue) < 50
    assert one.watch.last is None


def test_simulated_waits_notice_their_ends_within_the_limit() -> None:
    """Five hundred tasks end one after the other; requests are sent singly and answered after 100 ms."""
    waits, schedule, budget, number = 500, Schedule(), Budget(20.0), count()
    ends_at = {str(each): 20 + each * 0.1 for each in range(waits)}
    noticed: dict[str, float] = {}
    all_waits = {name: Wait(poke_interval=5.0) for name in ends_at}
    for name, wait in all_waits.items():
        schedule.add({"TaskId": name}, wait.watch, 0.0)
    answers: list[tuple[float, int, Subject, Outcome]] = []
    now = 0.0
    while len(schedule):
        if answers and answers[0][0] <= now:
            at, _, subject, outcome = heapq.heappop(answers)
            schedule.settle(subject, dict.fromkeys(subject.watches, outcome), at)
            if outcome is DONE:
                noticed[subject.parameters["TaskId"]] = at
        elif (due := schedule.first_due(now)) is not None:
            now = budget.reserve(now)
            schedule.begin(due, now)
            ended = now >= ends_at[due.parameters["TaskId"]]
            heapq.heappush(answers, (now + 0.1, next(number), due, DONE if ended else RUNNING))
        else:
            now = min(filter(None, (schedule.next_at(), answers[0][0] if answers else None)))
    late = sorted(noticed[name] - at for name, at in ends_at.items())
    assert len(late) == waits
    assert late[int(0.95 * waits)] <= 1.2 * waits / 20
