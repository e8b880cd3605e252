"""No answer makes the package raise anything but its own errors, report a success, or end a wait wrongly.

The answers are the documented ones, broken at random from a fixed seed. ``pytest --answers 100000`` sends more of them,
and so does ``python tests/unit/test_hostile_answers.py 100000`` from the project's folder, which also prints how long
the slowest one took.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

import pytest

if __package__ in (None, ""):  # run as a script
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
    __package__ = "tests.unit"

from api_examples import EXAMPLES, Example

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import ApiCall, Endpoint, HttpAnswer
from airflow_cloudtasks.errors import CloudApiError, CloudTasksError, MalformedAnswer, error_from_dict
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.cancel_requests import refused_tasks
from airflow_cloudtasks.protocol.explain import explanation
from airflow_cloudtasks.protocol.normalise import decoded, fingerprint, normalise, normalise_object
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.protocol.rows import RowReading, without_rows
from airflow_cloudtasks.protocol.start_requests import read_start_answer
from airflow_cloudtasks.spec import Action, Start, TaskApi, TaskList
from airflow_cloudtasks.waiting.outcome import as_event, from_event
from airflow_cloudtasks.waiting.triggerer.sweep import Sweep
from airflow_cloudtasks.waiting.verdicts import Broken, Finished, WaitRules, judge

from . import independent_reader as independent
from .hostile_answers import Sent, hostile_answers

SEED = 20261127
RULES = WaitRules()
PARTS_OF = {
    name: json.loads((path / "failure.json").read_bytes())
    for name in APIS
    if (path := Path(__file__).parents[1] / "examples" / name).joinpath("failure.json").is_file()
}


@dataclass
class Figures:
    """What a run saw."""

    answers: int = 0
    slowest: float = 0.0
    slowest_answer: str = ""
    outcomes: Counter[str] = field(default_factory=Counter)


# What each kind of answer is checked for. Each raises AssertionError, or anything that is not of the package.


def check_read(api: TaskApi, sent: Sent) -> str:
    """Check a read: the state is what the answer says, and a wait ends by nothing else."""
    parameters = dict.fromkeys(api.read.params, "1")
    if api.name in independent.LISTED:
        parameters[api.id_param] = independent.LISTED[api.name][1]
    try:
        outcome: CloudTask | CloudApiError = normalise(
            api, read(api, api.read, sent), parameters=parameters, region="cn-shanghai", copy=False
        )
    except CloudApiError as error:
        outcome = error
    check_plain(outcome)
    verdict = judge(outcome, RULES)
    assert as_event(from_event(as_event([verdict], many=False)), many=False)
    if isinstance(outcome, CloudTask):
        fingerprint(api, outcome.detail)
        if api.name == "wedata.sql_run":
            assert RowReading(api, outcome, parameters, 1000).request is None
            without_rows(api, outcome.detail)
    decoded_body = independent.strictly(sent.body)
    if decoded_body is None:
        if isinstance(outcome, CloudTask) and outcome.ok:
            assert independent.may_have_succeeded(api.name, sent.body), "a success that the answer does not hold"
        return _kind(outcome)
    content = independent.content_of(api.name, decoded_body)
    task = independent.task_in(api.name, content)
    if isinstance(outcome, CloudTask):
        assert sent.status < 300
        assert outcome.state.value in independent.states_of(api.name, task)
    if isinstance(verdict, Finished):
        assert verdict.task.state is not TaskState.UNKNOWN
    if isinstance(verdict, Broken):
        status = independent.path(task, independent.PLACES[api.name][1])
        is_readable = (
            isinstance(task, dict) and task != {} and (status is None or isinstance(status, str | int | float))
        )
        assert sent.status >= 300 or independent.says_error(content) or not is_readable, "a wait ended wrongly"
    return _kind(outcome)


def check_page(api: TaskApi, listed: TaskList, sent: Sent) -> str:
    """Check a page of a list: each task on it has the state that the page gives it."""
    wanted = {f"id-{number}" for number in range(40)}
    try:
        answer = read(api, listed.action, sent)
        pages = Pages(listed, {}, api.name)
        tasks = pages.take(answer)
        assert pages.next_page is None or json.dumps(pages.next_page)
        if listed is api.list_tasks:
            Sweep(api, {}, wanted).take(answer)
        for task in tasks:
            decoded(api, task)
            try:
                made = normalise_object(api, task, answer, parameters={})
            except MalformedAnswer as error:
                check_plain(error)
                continue
            check_plain(made)
            if listed is api.list_tasks:
                assert made.state.value in independent.states_of(api.name, task)
    except CloudApiError as error:
        check_plain(error)
        return _kind(error)
    return "page"


def check_start(api: TaskApi, start: Start, sent: Sent) -> str:
    """Check the answer to a start: an id comes from its place, and from an answer that reports no error."""
    parameters = dict.fromkeys(start.action.params, "x") | ({start.ids_param: ["a_1"]} if start.ids_param else {})
    parameters |= {start.named_by: "a_1"} if start.named_by else {}
    try:
        started = read_start_answer(api, start, parameters, read(api, start.action, sent))
    except CloudTasksError as error:
        if isinstance(error, CloudApiError):
            check_plain(error)
        return _kind(error)
    assert sent.status < 300
    assert all(isinstance(task_id, str) and task_id.strip() for task_id in started.ids)
    body = independent.strictly(sent.body)
    if body is not None and start.id is not None:
        found = independent.path(independent.content_of(api.name, body), start.id)
        assert str(found).strip(" \t\n\r\x0b\x0c").replace("\x00", "\ufffd").encode("utf-8", "replace") == (
            started.ids[0].encode()
        )
    return "started"


def check_cancel(api: TaskApi, sent: Sent) -> str:
    """Check the answer to a cancel: a task that it refuses is not taken for canceled."""
    assert api.cancel is not None
    try:
        refused = refused_tasks(api.cancel, read(api, api.cancel.action, sent), ["id-1", "id-2"])
    except CloudApiError as error:
        check_plain(error)
        return _kind(error)
    body = independent.strictly(sent.body)
    if body is not None and api.cancel.items:
        results = independent.path(independent.content_of(api.name, body), api.cancel.items)
        results = results if isinstance(results, list) else [results]
        noes = [each for each in results if isinstance(each, dict) and each.get(api.cancel.ok) in (False, "false", "0")]
        assert refused or not noes
    return "canceled" if not refused else "refused"


def check_explanation(api: TaskApi, answers: Iterator[Sent]) -> str:
    """Check an explanation: whatever its requests are answered, it ends with the task, still failed."""
    detail = PARTS_OF.get(api.name, {}).get("detail", {"Status": "Failed"})
    task = CloudTask(api=api.name, cloud=api.cloud, id="1", state=TaskState.FAILED, status="x", detail=detail)
    steps = explanation(api, task, dict.fromkeys(api.read.params, "1"))
    answer: Any = None
    while True:
        try:
            action, _ = steps.send(answer)
        except StopIteration as end:
            return _checked_end(end.value)
        if (sent := next(answers, None)) is None:
            return "explaining"
        try:
            answer = read(api, action, sent)
        except CloudTasksError as error:
            answer = error


def _checked_end(task: CloudTask) -> str:
    check_plain(task)
    assert task.state is TaskState.FAILED
    return "explained"


def read(api: TaskApi, action: Action, sent: Sent) -> dict[str, Any]:
    call = ApiCall(api.service, action, Endpoint("https://example.test"), ("a-secret", "a-token"))
    return CLOUDS[api.cloud].read(call, HttpAnswer(sent.status, sent.headers, sent.body))


def check_plain(outcome: CloudTask | CloudApiError) -> None:
    """Check that an outcome can be stored everywhere, and that its texts can be written."""
    stored = outcome.as_dict()
    written = json.dumps(stored, allow_nan=False, ensure_ascii=False).encode("utf-8")
    assert all("\x00" not in each if isinstance(each, str) else -(2**63) <= each < 2**64 for each in _leaves(stored))
    assert str(outcome)
    if isinstance(outcome, CloudTask):
        assert CloudTask.from_dict(json.loads(written)) == outcome
    else:
        assert str(error_from_dict(json.loads(written))) == str(outcome)


def _leaves(value: Any) -> Iterator[str | int]:
    """Yield the texts, the names and the integers of a plain value."""
    rest = [value]
    while rest:
        match rest.pop():
            case dict() as found:
                rest += [*found.keys(), *found.values()]
            case list() as found:
                rest += found
            case str() | int() as found:
                yield found


def _kind(outcome: Any) -> str:
    return outcome.state.value if isinstance(outcome, CloudTask) else type(outcome).__name__


# The documented answers that are broken.


def _holding(api: TaskApi, place: str | None, value: Any) -> Any:
    """Return an answer that holds a value at a dotted path, with its envelope."""
    for name in reversed((place or "").split(".")):
        value = [value] if name.isdecimal() else {name: value} if name else value
    content = {"RequestId": "r", **({"Code": "200"} if api.service.name == "bpstudio" else {})}
    content |= value if place else {}
    return {"Response": content} if api.cloud == "tencent" else content


def _task_of(example: Example) -> Any:
    return independent.task_in(example.api.name, independent.content_of(example.api.name, json.loads(example.body)))


Check = Callable[[Sent], str]


def cases(api: TaskApi) -> Iterator[tuple[str, Any, Check]]:
    """Yield a name, a documented answer and its check for each kind of answer of an API."""
    examples = [example for example in EXAMPLES if example.api is api]
    task = _task_of(examples[0])
    for example in examples:
        yield "read", json.loads(example.body), lambda sent: check_read(api, sent)
    lists = {each.action.name: each for each in (api.list_tasks, *(s.find.tasks for s in api.starts if s.find)) if each}
    for listed in lists.values():
        page = _holding(api, listed.tasks, [task, task])
        yield listed.action.name, page, lambda sent, listed=listed: check_page(api, listed, sent)
    for start in api.starts:
        started = _holding(api, start.id or start.job, "id-1")
        yield start.action.name, started, lambda sent, start=start: check_start(api, start, sent)
    if api.cancel is not None:
        result = {api.cancel.item_id: "id-1", api.cancel.ok: False} if api.cancel.ok else {}
        canceled = _holding(api, api.cancel.items, [result] if api.cancel.many else result)
        yield api.cancel.action.name, canceled, lambda sent: check_cancel(api, sent)


def explained_by(api: TaskApi) -> Any:
    """Return an answer with a failed part and a log, which every request of an explanation is answered."""
    assert api.parts is not None
    part = dict.fromkeys((*api.parts.name, *api.parts.message, api.parts.id or "Id", "TaskId", "CurRunDate"), "x")
    # Without statuses of a failure, a part has failed by its message.
    part[api.parts.status] = next(iter(api.parts.failed), "x")
    answer = _holding(api, api.parts.listed.tasks if api.parts.listed else "Data.Items", [part, part])
    content = answer.get("Response", answer)
    content.setdefault("Data", {}).update({"LogInfo": "a<br>b", "NextCursor": "c", "TotalPageNumber": 3})
    return answer


def run(api: TaskApi, count: int, figures: Figures) -> None:
    """Send an API at least this many hostile answers."""
    chance = random.Random(f"{SEED} {api.name}")
    words = list(json.loads((independent.EXAMPLES / api.name / "statuses.json").read_bytes()))
    kinds = list(cases(api))
    weights = [3 if name == "read" else 1 for name, _, _ in kinds] + ([1] if api.parts else [])

    def share(weight: int) -> int:
        return ceil(count * weight / sum(weights))

    for (name, example, check), weight in zip(kinds, weights, strict=False):
        for sent in hostile_answers(example, words, chance, share(weight)):
            _timed(figures, f"{api.name} {name}", sent.mutations, sent, check)
    if api.parts:
        answers = hostile_answers(explained_by(api), [*words, *api.parts.failed], chance, share(1))
        for first in answers:
            mutations = list(first.mutations)

            def explain(sent: Sent, mutations: list[str] = mutations) -> str:
                return check_explanation(api, _noted(sent, answers, figures, mutations))

            _timed(figures, f"{api.name} explanation", mutations, first, explain)


def _noted(first: Sent, others: Iterator[Sent], figures: Figures, mutations: list[str]) -> Iterator[Sent]:
    yield first
    for _, other in zip(range(12), others, strict=False):
        figures.answers += 1
        mutations += other.mutations
        yield other


def _timed(figures: Figures, name: str, mutations: Any, sent: Sent, check: Check) -> None:
    began = time.perf_counter()
    try:
        figures.outcomes[check(sent)] += 1
    except BaseException as error:
        error.add_note(f"{name}, HTTP {sent.status}, {mutations}: {sent.body[:3000]!r}")
        raise
    took = time.perf_counter() - began
    figures.answers += 1
    if took > figures.slowest:
        figures.slowest, figures.slowest_answer = took, f"{name}, {mutations}, {len(sent.body)} bytes"


# The APIs with documented statuses: the independent reader judges by them.
READ = [name for name in APIS if (independent.EXAMPLES / name / "statuses.json").exists()]


def test_reads_answers_of_all_apis_with_documented_statuses() -> None:
    assert not set(READ) - set(independent.PLACES), "add a line to tests/unit/independent_reader.py"


@pytest.mark.parametrize("name", READ)
def test_survives_hostile_answers(name: str, pytestconfig: pytest.Config) -> None:
    figures = Figures()
    wanted = ceil(pytestconfig.getoption("--answers") / len(READ))
    run(APIS[name], wanted, figures)
    assert figures.answers >= wanted
    # The answers are not all alike: tasks are read from some, and others are errors.
    assert figures.outcomes["unknown"]
    assert figures.outcomes["UnreadableAnswer"]
    assert sum(figures.outcomes[state] for state in independent.ENDS)


@pytest.mark.parametrize("example", [each for each in EXAMPLES if each.api.name in READ], ids=str)
def test_the_independent_reader_reads_the_examples(example: Example) -> None:
    assert example.task["state"] in independent.states_of(example.api.name, _task_of(example))


# What the hostile answers found, each by itself.


def test_a_malformed_run_does_not_hide_the_others() -> None:
    api = APIS["wedata.newest_workflow_run"]
    items = [
        {"ExecutionId": "1", "ExecutionState": "RUNNING"},
        {"ExecutionId": "2", "ExecutionState": ["SUCCESS"]},
        {"ExecutionId": "3", "ExecutionState": "SUCCESS"},
    ]
    assert normalise(api, {"Data": {"Items": items}}, parameters={}).id == "3"
    with pytest.raises(MalformedAnswer):
        normalise(api, {"Data": {"Items": items[1:2]}}, parameters={})


@pytest.mark.parametrize("rows", [None, 5, "x", {"Values": [1]}, [None, "x", {"Values": 5}]])
def test_rows_of_another_shape_are_left_out(rows: Any) -> None:
    def found(results: Any) -> Any:
        task = CloudTask(api="wedata.sql_run", cloud="tencent", id="1", state=TaskState.SUCCEEDED, detail=results)
        return RowReading(APIS["wedata.sql_run"], task, {}, 1000).rows

    assert all(row == {} for row in found({"Results": [{"Columns": [{"ColumnName": "a"}, "b"], "Rows": rows}]}))
    assert found({"Results": rows}) == []


@pytest.mark.parametrize("refused", [False, 0, "false", "False", "0"])
def test_a_refused_cancellation_is_recognised_in_any_spelling(refused: Any) -> None:
    cancel = APIS["wedata.workflow_run"].cancel
    assert cancel is not None
    answer = {"Data": [{cancel.item_id: "1", "OpStatus": refused}, {cancel.item_id: "2", "OpStatus": True}]}
    assert [refusal.ids for refusal in refused_tasks(cancel, answer, ["1", "2"])] == [("1",)]


if __name__ == "__main__":
    seen = Figures()
    start_of_run = time.perf_counter()
    for name in READ:
        run(APIS[name], ceil(int(sys.argv[1]) / len(READ)), seen)
    print(f"{seen.answers} answers in {time.perf_counter() - start_of_run:.0f} s: {dict(seen.outcomes.most_common())}")
    print(f"The slowest took {seen.slowest:.3f} s: {seen.slowest_answer}")
