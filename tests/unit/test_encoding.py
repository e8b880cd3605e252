"""Python values are encoded as the vendor of each action expects, or refused with a text that names the fault."""

from __future__ import annotations

import json
import math
from base64 import b64decode
from collections import UserList
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.spec import Action, Service, Start, TaskApi

EVENING = datetime(2026, 1, 31, 20, 30, tzinfo=UTC)
IN_NEW_YORK = datetime(2026, 1, 31, 15, 30, tzinfo=timezone(timedelta(hours=-5)))
NAIVE = datetime(2026, 1, 31, 20, 30)
DAY = date(2026, 1, 31)


def sent(api: str, action: str, parameter: str, value: Any) -> Any:
    """Return the value that is sent for one parameter of a start request."""
    return encode(APIS[api], APIS[api].start(action), {parameter: value})[parameter]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is ", "as it is "),
        ("", ""),
        (7, "7"),
        (True, "true"),
        (False, "false"),
        (DAY, "2026-01-31"),
    ],
)
def test_encodes_a_plain_value_as_text(value: Any, text: str) -> None:
    assert sent("ice.ai_workflow_task", "StartAIWorkflow", "DispatchTag", value) == text


@pytest.mark.parametrize(
    ("moment", "ice", "wedata"),
    [
        (EVENING, "2026-01-31T20:30:00Z", "2026-02-01 04:30:00"),
        (IN_NEW_YORK, "2026-01-31T20:30:00Z", "2026-02-01 04:30:00"),
        # A time without a zone is in the vendor's zone, as in the vendor's answers.
        (NAIVE, "2026-01-31T12:30:00Z", "2026-01-31 20:30:00"),
    ],
)
def test_encodes_a_time_in_the_products_format(moment: datetime, ice: str, wedata: str) -> None:
    assert sent("ice.ai_workflow_task", "StartAIWorkflow", "DispatchTag", moment) == ice
    assert sent("wedata.backfill", "CreateDataBackfillPlan", "DataBackfillPlanName", moment) == wedata


@pytest.mark.parametrize("many", [["a", 2], ("a", 2)])
def test_encodes_a_list_of_ids_as_a_list_of_texts(many: Any) -> None:
    assert sent("wedata.workflow_run", "CreateTriggerWorkflowRun", "TaskIds", many) == ["a", "2"]


# The output of mapped tasks is a sequence of Airflow's own.
@pytest.mark.parametrize("many", [["1", 2], ("1", 2), '["1", 2]', "[1, 2]", UserList(["1", 2])])
def test_accepts_a_list_that_a_template_rendered_as_json(many: Any) -> None:
    assert sent("wedata.backfill", "CreateDataBackfillPlan", "TaskIds", many) == ["1", "2"]
    assert sent("wedata.task_instance", "RerunTaskInstancesAsync", "InstanceKeyList", many) == ["1", "2"]


@pytest.mark.parametrize(
    "ranges",
    [
        [(date(2026, 1, 1), "2026-01-31")],
        (["2026-01-01", date(2026, 1, 31)],),
        '[["2026-01-01", "2026-01-31"]]',
        [{"StartDate": "2026-01-01", "EndDate": datetime(2026, 1, 31, 12)}],
    ],
)
def test_encodes_pairs_of_days_as_ranges(ranges: Any) -> None:
    days = sent("wedata.backfill", "CreateDataBackfillPlan", "DataBackfillRangeList", ranges)
    assert days == [{"StartDate": "2026-01-01", "EndDate": "2026-01-31"}]


@pytest.mark.parametrize("ranges", [["2026-01-01"], [["2026-01-01"]], ["2026-01-01", "2026-01-31"]])
def test_refuses_a_range_that_is_no_pair(ranges: Any) -> None:
    with pytest.raises(InvalidArguments, match="expected a list of pairs, or of dicts"):
        sent("wedata.backfill", "CreateDataBackfillPlan", "DataBackfillRangeList", ranges)


def test_encodes_a_dict_as_texts_without_its_none_values() -> None:
    labels = [{"LabelBizId": 5, "LabelName": None, "SimilarLabels": ["a", 1]}]
    assert sent("lke.task", "ModifyAttributeLabel", "Labels", labels) == [
        {"LabelBizId": "5", "SimilarLabels": ["a", "1"]}
    ]


def test_sends_no_parameter_that_is_none() -> None:
    api = APIS["lke.task"]
    assert encode(api, api.starts[0], {"BotBizId": "1", "AttrKey": None}) == {"BotBizId": "1"}


def test_json_keeps_its_types_and_writes_times_in_the_products_format() -> None:
    given = {"影片": [1, 2.5, True, None], "at": EVENING, "day": DAY}
    written = sent("ice.workflow_task", "StartWorkflow", "TaskInput", given)
    assert json.loads(written) == given | {"at": "2026-01-31T20:30:00Z", "day": "2026-01-31"}
    assert "影片" in written


@pytest.mark.parametrize("text", ['{"Type": "OSS"}', "no JSON at all", ""])
def test_sends_text_for_a_json_parameter_unchanged(text: str) -> None:
    assert sent("ice.workflow_task", "StartWorkflow", "TaskInput", text) == text


def test_encodes_a_script_in_base64() -> None:
    written = sent("wedata.sql_run", "RunSQLScript", "ScriptContent", "SELECT '订单'")
    assert b64decode(written).decode() == "SELECT '订单'"


def test_encodes_a_script_that_looks_like_base64() -> None:
    assert b64decode(sent("wedata.sql_run", "RunSQLScript", "ScriptContent", "descTBLS")) == b"descTBLS"


@pytest.mark.parametrize(
    ("value", "clock"),
    [
        *((text, text) for text in ("00:00", "8:30", "23:59", "24:00", "23:59:59")),
        (time(8, 30), "08:30"),
        (EVENING, "04:30"),
        (str(EVENING), "04:30"),
        (NAIVE, "20:30"),
    ],
)
def test_a_time_of_day_is_in_the_requests_zone(value: Any, clock: str) -> None:
    given = [{"StartDate": DAY, "EndDate": DAY, "ExecutionStartTime": value}]
    (written,) = sent("wedata.backfill", "CreateDataBackfillPlan", "DataBackfillRangeList", given)
    assert written["ExecutionStartTime"] == clock


@pytest.mark.parametrize("value", ["noon", "None", 8, 8.5, "25:00", timedelta(hours=8)])
def test_refuses_what_is_no_time_of_day(value: Any) -> None:
    with pytest.raises(InvalidArguments, match=r"\[0\]\.ExecutionEndTime is .*; expected a time of day as in 23:59"):
        sent("wedata.backfill", "CreateDataBackfillPlan", "DataBackfillRangeList", [{"ExecutionEndTime": value}])


# What no API of the catalog takes, but one of a user's own may.
TOY = TaskApi(
    name="toy.task",
    service=Service(cloud="tencent", name="toy", version="1", time_format="%Y/%m/%d %H:%M"),
    read=Action(name="GetToy", params=("TaskId",)),
    states={"DONE": TaskState.SUCCEEDED},
    starts=(
        Start(
            action=Action(name="RunToy", optional=("At", "Share")),
            id="TaskId",
            encodings={"At": "time", "Share": "number"},
        ),
    ),
)


@pytest.mark.parametrize("value", [EVENING, str(EVENING), EVENING.isoformat(), "2026-02-01 04:30"])
def test_sends_a_time_in_the_zone_and_format_of_the_api(value: Any) -> None:
    assert encode(TOY, TOY.start(), {"At": value}) == {"At": "2026/02/01 04:30"}


@pytest.mark.parametrize(("value", "number"), [(1, 1), (0.5, 0.5), ("7", 7), (" -0.5\n", -0.5), ("1e3", 1000.0)])
def test_sends_a_number(value: Any, number: float) -> None:
    encoded = encode(TOY, TOY.start(), {"Share": value})["Share"]
    assert (encoded, type(encoded)) == (number, type(number))


@pytest.mark.parametrize("value", ["half", "", True, float("nan"), "inf", "1e999", "1_0", [1]])
def test_refuses_what_is_no_number(value: Any) -> None:
    with pytest.raises(InvalidArguments, match=r"RunToy: Share is .*; expected a number"):
        encode(TOY, TOY.start(), {"Share": value})


def test_encodes_members_of_a_dict_by_their_own_encodings() -> None:
    given = {"DatasourceId": 7, "Params": {"day": DAY}, "AdvanceConfig": {"a": 1}, "ComputeResource": None}
    config = sent("wedata.sql_run", "RunSQLScript", "ScriptConfig", given)
    assert config.pop("AdvanceConfig") == "eyJhIjogMX0="
    assert config == {"DatasourceId": "7", "Params": '{"day": "2026-01-31"}'}


@pytest.mark.parametrize(("value", "number"), [(3, 3), ("3", 3), (" 3\n", 3), ("-1", -1), (2.0, 2)])
def test_reads_an_integer_from_text(value: Any, number: int) -> None:
    assert sent("wedata.backfill", "CreateDataBackfillPlan", "RedefineParallelNum", value) == number


@pytest.mark.parametrize(
    ("value", "truth"), [(True, True), (False, False), ("true", True), ("False", False), (" TRUE ", True)]
)
def test_reads_a_boolean_from_text(value: Any, truth: bool) -> None:
    assert sent("wedata.backfill", "CreateDataBackfillPlan", "SkipEventListening", value) is truth


@pytest.mark.parametrize(
    ("value", "day"),
    [
        (DAY, "2026-01-31"),
        ("2026-01-31", "2026-01-31"),
        (NAIVE, "2026-01-31"),
        # Evening in UTC is the next day in China.
        (EVENING, "2026-02-01"),
    ],
)
def test_a_range_accepts_dates_times_and_text(value: Any, day: str) -> None:
    given = [{"StartDate": value, "EndDate": value, "ExecutionStartTime": "00:00"}]
    written = sent("wedata.backfill", "CreateDataBackfillPlan", "DataBackfillRangeList", given)
    assert written == [{"StartDate": day, "EndDate": day, "ExecutionStartTime": "00:00"}]


@pytest.mark.parametrize(
    "value",
    [
        {"day": DAY, "full": True, "tables": ["a", 1], "share": 0.5},
        '{"day": "2026-01-31", "full": "true", "tables": "[\\"a\\", 1]", "share": 0.5}',
        [
            {"ParamKey": "day", "ParamValue": DAY, "ExtProperties": None},
            {"ParamKey": "full", "ParamValue": True},
            {"ParamKey": "tables", "ParamValue": ["a", 1]},
            {"ParamKey": "share", "ParamValue": 0.5},
        ],
    ],
    ids=["dict", "JSON", "the vendor's own form"],
)
def test_encodes_pairs_as_objects_of_a_key_and_a_value(value: Any) -> None:
    assert sent("wedata.workflow_run", "CreateTriggerWorkflowRun", "AdvancedParams", value) == [
        {"ParamKey": "day", "ParamValue": "2026-01-31"},
        {"ParamKey": "full", "ParamValue": "true"},
        {"ParamKey": "tables", "ParamValue": '["a", 1]'},
        {"ParamKey": "share", "ParamValue": "0.5"},
    ]


@pytest.mark.parametrize("value", [{"day": DAY}, '{"day": "2026-01-31"}', [{"K": "day", "V": DAY}]])
def test_encodes_a_pair_as_one_object_of_a_key_and_a_value(value: Any) -> None:
    pair = sent("wedata.task_instance", "RerunTaskInstancesAsync", "RedefineParamList", value)
    assert pair == {"K": "day", "V": "2026-01-31"}


@pytest.mark.parametrize(
    ("action", "parameter", "value", "text"),
    [
        (
            "CreateDataBackfillPlan",
            "RedefineParallelNum",
            "two",
            "RedefineParallelNum is 'two'; expected a whole number.",
        ),
        (
            "CreateDataBackfillPlan",
            "RedefineParallelNum",
            True,
            "RedefineParallelNum is True; expected a whole number.",
        ),
        (
            "CreateDataBackfillPlan",
            "RedefineParallelNum",
            1e300,
            "RedefineParallelNum is 1e+300; expected a whole number.",
        ),
        ("CreateDataBackfillPlan", "RedefineParallelNum", 1.5, "RedefineParallelNum is 1.5; expected a whole number."),
        ("CreateDataBackfillPlan", "SkipEventListening", 1, "SkipEventListening is 1; expected true or false."),
        ("CreateDataBackfillPlan", "SkipEventListening", "", "SkipEventListening is ''; expected true or false."),
        ("CreateDataBackfillPlan", "RedefineParamList", "a=1", "RedefineParamList is 'a=1'; expected a dict."),
        ("CreateDataBackfillPlan", "RedefineParamList", ["a"], "RedefineParamList is ['a']; expected a dict."),
        (
            "CreateDataBackfillPlan",
            "DataBackfillRangeList",
            [{"StartDate": 20260131}],
            "DataBackfillRangeList[0].StartDate is 20260131; expected a day as in 2026-01-31.",
        ),
        (
            "RerunTaskInstancesAsync",
            "RedefineParamList",
            {"a": 1, "b": 2},
            "RedefineParamList is {'a': 1, 'b': 2}; the vendor takes one entry here.",
        ),
        (
            "RunSQLScript",
            "Params",
            {"a": {1}},
            "Params.a is {1}; JSON cannot hold a set.",
        ),
        (
            "CreateTriggerWorkflowRun",
            "TaskIds",
            ["a", None],
            "TaskIds[1] is None, no id; expected text, or an integer.",
        ),
        (
            "CreateTriggerWorkflowRun",
            "AdvancedParams",
            {"a": {1}},
            "AdvancedParams.a is {1}, of type set; expected text, a number, a time, or a list or a dict of them.",
        ),
    ],
)
def test_refuses_a_value_that_the_vendor_does_not_accept(action: str, parameter: str, value: Any, text: str) -> None:
    api = next(api for api in APIS.values() if action in [start.action.name for start in api.starts])
    with pytest.raises(InvalidArguments) as caught:
        encode(api, api.start(action), {parameter: value})
    assert str(caught.value) == f"{action}: {text}"


def test_truncates_a_long_value_in_the_error() -> None:
    with pytest.raises(InvalidArguments) as caught:
        sent("wedata.backfill", "CreateDataBackfillPlan", "RedefineParallelNum", "s" * 199 + "ecret")
    assert "ecret" not in str(caught.value)
    assert len(str(caught.value)) < 300


quick = settings(max_examples=300)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates(), st.datetimes()
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.tuples(inner), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
STARTS = [(api.name, start) for api in APIS.values() for start in api.starts]


def is_plain(value: Any) -> bool:
    match value:
        case dict():
            return all(isinstance(name, str) and is_plain(item) for name, item in value.items())
        case list():
            return all(map(is_plain, value))
        case _:
            return isinstance(value, str | int | bool) or (isinstance(value, float) and math.isfinite(value))


@quick
@given(st.sampled_from(STARTS), st.data())
def test_encodes_any_value_as_plain_json_types_or_refuses_it(which: tuple[str, Start], data: Any) -> None:
    api, start = which
    accepted = (*start.action.params, *start.action.optional)
    if not accepted:
        return
    given = data.draw(st.dictionaries(st.sampled_from(accepted), values, max_size=3))
    try:
        encoded = encode(APIS[api], start, given)
    except InvalidArguments as error:
        refused = str(error)
        encoded = {}
    else:
        refused = ""
        assert set(encoded) == {name for name, value in given.items() if value is not None}
    assert is_plain(encoded)
    assert not refused or refused.startswith(f"{start.action.name}: ")


@quick
@given(values)
def test_encoding_as_json_is_idempotent(value: Any) -> None:
    def encoded(given: Any) -> Any:
        return sent("ice.workflow_task", "StartWorkflow", "TaskInput", given)

    if value is not None:
        with suppress(InvalidArguments):
            value = encoded(value)
            assert encoded(value) == value


@pytest.mark.parametrize("written", [False, True])
def test_a_field_of_an_object_has_the_encoding_that_is_declared_for_it(written: bool) -> None:
    task = {"SQLTask": {"SQL": "SELECT '订单'", "Config": {"a": 1}}}
    encoded = sent("dlc.task", "CreateTask", "Task", json.dumps(task) if written else task)["SQLTask"]
    assert b64decode(encoded["SQL"]).decode() == "SELECT '订单'"
    assert encoded["Config"] == [{"Key": "a", "Value": "1"}]
