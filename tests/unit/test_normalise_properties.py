"""Any answer is normalised to a task that every XCom backend can store, or to an error."""

from __future__ import annotations

import copy
import json
from typing import Any

from api_examples import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import CloudApiError, MalformedAnswer, NotFound
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.normalise import normalise
from airflow_cloudtasks.spec import Action, Failure, Percentages, Service, TaskApi, TaskList
from airflow_cloudtasks.spec.template import literal
from airflow_cloudtasks.values import at, text

FOUND = [api for api in APIS.values() if api.find_in_list]
ANSWERS = {example.api.name: example.content for example in EXAMPLES if not example.suffix}
PARAMETERS = {name: "asked-for" for api in APIS.values() for name in (api.id_param, *api.read.params)}
# Where the id chooses the task, it is that of the example.
PARAMETERS |= {api.id_param: at(ANSWERS[api.name], f"{api.task_path}.{api.id}") for api in FOUND}

quick = settings(max_examples=250)

apis = st.sampled_from(sorted(APIS))
# Any character, lone surrogates and NUL included: JSON can carry them.
words = st.text(st.characters(), max_size=12)
statuses = st.sampled_from(sorted({status for api in APIS.values() for status in api.states}))
padded_statuses = st.builds(
    lambda left, status, right: left + status + right,
    st.sampled_from(["", " ", "\n", "\x00"]),
    statuses,
    st.sampled_from(["", " ", "\n", "\t", "!"]),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**300, max_value=10**400),
    st.floats(),
    words,
    padded_statuses,
    st.sampled_from(["2025-01-01T00:00:00Z", "9999-12-31 23:59:59", "0001-01-01 00:00:00", '{"a":1}', '"[1]"', "{"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def mutated_examples(draw: st.DrawFn) -> tuple[str, Any]:
    """Return the vendor's own example with some fields dropped, nulled, padded or replaced."""
    name = draw(apis)
    answer = copy.deepcopy(ANSWERS[name])
    for _ in range(draw(st.integers(1, 5))):
        holder, key = draw(st.sampled_from(list(_places(answer)) or [({}, "")]))
        match draw(st.sampled_from(["drop", "null", "pad", "status", "replace"])):
            case "drop":
                holder.pop(key, None)
            case "null":
                holder[key] = None
            case "pad":
                holder[key] = f" {holder.get(key)}\n"
            case "status":
                holder[key] = draw(padded_statuses)
            case _:
                holder[key] = draw(values)
    return name, answer


def _places(answer: Any) -> Any:
    """Yield every dict of the answer with each of its keys."""
    if isinstance(answer, dict):
        for key, value in answer.items():
            yield answer, key
            yield from _places(value)


answers = st.tuples(apis, values) | mutated_examples()


def outcome(name: str, answer: Any) -> CloudTask | CloudApiError:
    try:
        return normalise(APIS[name], answer, parameters=PARAMETERS, region="cn-shanghai")
    except (MalformedAnswer, NotFound) as error:
        return error


def object_in(api: TaskApi, answer: Any) -> Any:
    """The object of the task that is asked for."""
    if api not in FOUND:
        return at(answer, api.task)
    listed = at(answer, api.task_path.removesuffix(".0"))
    rows = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return next((each for each in rows if text(at(each, api.id or "")) == PARAMETERS[api.id_param]), None)


@quick
@given(answers)
def test_any_answer_yields_a_task_or_an_error_that_names_api_and_field(case: tuple[str, Any]) -> None:
    name, answer = case
    result = outcome(name, answer)
    if isinstance(result, MalformedAnswer):
        assert result.api == name
        assert result.field
        assert result.api in str(result)
        assert result.field in str(result)
    elif isinstance(result, NotFound):
        assert object_in(APIS[name], answer) is None
        assert f"{name}: {APIS[name].task or 'the answer'}" in str(result)
    else:
        assert (result.api, result.cloud) == (name, APIS[name].cloud)
        assert result.id


@quick
@given(answers)
def test_only_a_status_of_the_catalog_is_a_success(case: tuple[str, Any]) -> None:
    name, answer = case
    api, result = APIS[name], outcome(name, answer)
    if isinstance(result, CloudTask) and result.state is TaskState.SUCCEEDED:
        task = object_in(api, answer)
        successes = {word.casefold() for word, state in api.states.items() if state is TaskState.SUCCEEDED}
        if isinstance(api.status, Percentages):
            assert all(float(at(task, path)) >= 100 for path in (api.status.complete, api.status.succeeded))
        else:
            assert (text(at(task, api.status)) or "").casefold() in successes
        for failure in (failure for failure in api.failures if not failure.values):
            assert text(at(task, failure.path)) is None


@quick
@given(answers)
def test_any_task_survives_json(case: tuple[str, Any]) -> None:
    result = outcome(*case)
    stored = result.as_dict()
    written = json.dumps(stored, allow_nan=False, ensure_ascii=False)
    assert "\x00" not in written
    assert "\\u0000" not in written
    written.encode("utf-8")
    if isinstance(result, CloudTask):
        assert json.loads(written) == stored
        assert CloudTask.from_dict(json.loads(written)) == result


@quick
@given(answers)
def test_normalising_does_not_change_the_answer(case: tuple[str, Any]) -> None:
    name, answer = case
    before = repr(answer)
    outcome(name, answer)
    assert repr(answer) == before


@quick
@given(answers)
def test_a_task_shares_nothing_with_the_answer(case: tuple[str, Any]) -> None:
    name, answer = case
    result = outcome(name, answer)
    if isinstance(result, CloudTask):
        before = repr(answer)
        for value in result.detail.values():
            if isinstance(value, dict | list):
                value.clear()
        result.detail.clear()
        assert repr(answer) == before


# Whole names, because a spec has about thirty of them and drawing them by character took most of the time.
identifiers = st.sampled_from(
    [head + tail for head in "aXz" for tail in ("", "_", "0", "Id", "TaskId", "_9_", "é", "任务", "٣", "longname")]
)
paths = st.lists(identifiers, min_size=1, max_size=3).map(".".join)
services = st.builds(
    Service,
    cloud=st.sampled_from(["alibaba", "tencent"]),
    name=identifiers,
    version=words,
    title=words,
    host=words,
    region_hosts=st.dictionaries(words, words, max_size=2),
    regions=st.lists(words, max_size=2).map(tuple),
)


_CONSTANTS = st.dictionaries(identifiers, words | st.lists(st.dictionaries(words, words)), max_size=2)


@st.composite
def lists(draw: st.DrawFn) -> TaskList:
    return TaskList(
        action=Action(name=draw(words), params_in="query", template=literal(draw(_CONSTANTS))),
        tasks=draw(paths),
        page_size_param=draw(identifiers),
        page_size=draw(st.integers(1, 500)),
        page_param=draw(identifiers),
        since_param=draw(st.none() | identifiers),
        complete=draw(st.booleans()),
        **{draw(st.sampled_from(["next_page", "page_count"])): draw(paths)},
    )


@st.composite
def specs(draw: st.DrawFn) -> TaskApi:
    params = tuple(draw(st.lists(identifiers, min_size=1, max_size=3, unique=True)))
    action = Action(
        name=draw(words),
        params=params,
        optional=tuple(draw(st.lists(identifiers, max_size=2))),
        method=draw(st.sampled_from(["GET", "POST"])),
        path=draw(st.sampled_from(["/", f"/x/{{{params[0]}}}"])),
        params_in=draw(st.sampled_from(["query", "form", "json"])),
        success_code=draw(st.none() | words),
    )
    percentages = draw(st.none() | st.builds(Percentages, complete=paths, succeeded=paths))
    words_of_percentages = (Percentages.INCOMPLETE, Percentages.COMPLETE, Percentages.FAILURES)
    named = draw(st.dictionaries(identifiers, st.sampled_from(list(TaskState)), max_size=3))
    states = {word.lower(): state for word, state in named.items()} | {"done ": TaskState.SUCCEEDED}
    field = st.none() | paths
    listing = draw(st.none() | lists())
    return TaskApi(
        name=draw(st.from_regex(r"[a-z0-9_]+\.[a-z0-9_]+", fullmatch=True)),
        service=draw(services),
        read=action,
        id_param=params[0],
        task=draw(st.just("") | paths),
        status=percentages or draw(paths),
        states=dict.fromkeys(words_of_percentages, TaskState.SUCCEEDED) if percentages else states,
        failures=tuple(
            draw(st.lists(st.builds(Failure, path=paths, values=st.sampled_from([(), ("FAIL",)])), max_size=2))
        ),
        id=draw(paths if listing else field),
        task_name=draw(field),
        message=draw(field),
        progress=draw(field),
        progress_whole=draw(st.floats(0.5, 1e6) | paths),
        created_at=draw(field),
        started_at=draw(field),
        finished_at=draw(field),
        timezone=draw(st.sampled_from(["+08:00", "-03:30", "+00:00"])),
        json_fields=tuple(draw(st.lists(paths, max_size=2))),
        console_url=draw(st.sampled_from([None, "https://c.test/{region}/{id}"])),
        list_tasks=listing,
    )


@quick
@given(st.sampled_from(list(APIS.values())) | specs())
def test_a_spec_survives_json(api: TaskApi) -> None:
    assert TaskApi.from_dict(json.loads(json.dumps(api.as_dict()))) == api
