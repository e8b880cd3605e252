"""The ids, the parameters that name a task and the statuses of a wait, given in a DAG or rendered from templates."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.protocol.task_ids import is_many, one_task_id, task_ids
from airflow_cloudtasks.spec.names import Arguments, as_name, why_no_name

TASK = APIS["bpstudio.task"]
INSTANCE = APIS["wedata.task_instance"]


class Word(str, Enum):  # noqa: UP042 - its text is its member's name
    RUN = "7d0f"


class Number(IntEnum):
    RUN = 7


@pytest.mark.parametrize(
    ("given", "ids", "many"),
    [
        ("7", ("7",), False),
        (7, ("7",), False),
        (["7"], ("7",), True),
        (("a", 2), ("a", "2"), True),
        (range(2), ("0", "1"), True),
        (Word.RUN, ("7d0f",), False),
        (Number.RUN, ("7",), False),
    ],
)
def test_accepts_ids_that_are_text_or_integers(given: Any, ids: tuple[str, ...], many: bool) -> None:
    assert (task_ids(given, TASK), is_many(given)) == (ids, many)


NO_IDS = [
    *(None, "", "  ", "\n", "\u200b", b"12", True, False, 1.5, 2.417334454903763e18, float("nan"), Decimal(7)),
    *({"TaskId": "1"}, "None", "none", " null\n", "NaN", "nan", "NaT", "<NA>", "True", "false"),
    *(
        "4215042100000.0",
        "2.417334454903763e+18",
        "1e+16",
        "2.417E18",
        "inf",
        "['a', 'b']",
        '["a"]',
        "(1,)",
        "{'a': 1}",
    ),
]


@pytest.mark.parametrize("given", [*NO_IDS, [], (), [None, "1"], ["1", ""], ["1", 2.0], [["1"]]], ids=repr)
def test_refuses_an_invalid_id(given: Any) -> None:
    with pytest.raises(InvalidArguments, match="cloud_task_id turned out to be"):
        task_ids(given, TASK)


@pytest.mark.parametrize("given", NO_IDS, ids=repr)
def test_refuses_an_invalid_value_of_any_parameter_that_names_a_task(given: Any) -> None:
    with pytest.raises(InvalidArguments, match="ProjectId"):
        APIS["wedata.task"].check_params({"ProjectId": given})
    if given:  # None and an empty text leave an optional parameter out
        with pytest.raises(InvalidArguments, match="ResourceGroupId"):
            APIS["bpstudio.operation"].check_params({"ResourceGroupId": given})


@pytest.mark.parametrize(
    "given",
    ["1.10", "12e34", "4215e042b3966ca5441e", "None of these", "nan-1", "true.1", "[", "a[0]", "任务", "-1", "0x10"],
)
def test_accepts_ids_that_only_resemble_an_invalid_one(given: str) -> None:
    assert task_ids(given, TASK) == (given,)
    APIS["wedata.task"].check_params({"ProjectId": given})


@pytest.mark.parametrize("given", ["2.0", None, [1], {"ProjectId"}])
def test_refuses_parameters_that_are_no_dict(given: Any) -> None:
    with pytest.raises(InvalidArguments, match=r"api_params is .*; expected a dict by the vendor's names"):
        APIS["wedata.task"].check_params(given)


def test_one_id_is_no_list() -> None:
    assert one_task_id(7, TASK) == "7"
    with pytest.raises(InvalidArguments, match="a list; expected one id"):
        one_task_id(["7"], TASK)


def test_names_native_rendering_where_it_made_the_value() -> None:
    natively = Arguments(native={"cloud_task_id[1]", "ProjectId"})
    with pytest.raises(InvalidArguments, match=r"2\.0 is no id: it is a float, .* render_template_as_native_obj=True"):
        task_ids(["1", 2.0], TASK, natively)
    with pytest.raises(InvalidArguments, match=r"ProjectId is 2\.0, a float, .* render_template_as_native_obj=True"):
        APIS["wedata.task"].check_params({"ProjectId": 2.0}, natively)
    for arguments in (Arguments(), Arguments(native={"cloud_task_id[0]"})):
        with pytest.raises(InvalidArguments) as caught:
            task_ids(["1", 2.0], TASK, arguments)
        assert "native" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2025_2026-01-31 00:00:00", "2025_2026-01-31 00:00:00"),
        ("2025_2026-01-30 16:00:00+00:00", "2025_2026-01-31 00:00:00"),
        ("2025_2026-01-30T16:00:00Z", "2025_2026-01-31 00:00:00"),
        ("2025_2026-01-31T00:00:00+08:00", "2025_2026-01-31 00:00:00"),
        ("2025_2026-01-31", "2025_2026-01-31 00:00:00"),
        ("2025_20260131", "2025_2026-01-31 00:00:00"),
        ("20_25_2026-01-31 05:00", "20_25_2026-01-31 05:00:00"),
        ("2025_7", "2025_7"),
        ("2025", "2025"),
    ],
)
def test_the_time_in_an_id_is_in_the_apis_zone_and_format(given: str, sent: str) -> None:
    assert task_ids([given], INSTANCE) == task_ids([sent], INSTANCE) == (sent,)


@pytest.mark.parametrize(
    "given",
    [
        *("2025_None 00:00:00", "2025_None", "2025_", "2025_2026-13-01 00:00:00", "2025_2026-01-31 00:00:00 00:00:00"),
        *("None_2026-01-31 00:00:00", "_2026-01-31 00:00:00", "2025.0_2026-01-31 00:00:00"),
    ],
)
def test_refuses_an_id_that_ends_in_no_time(given: str) -> None:
    with pytest.raises(InvalidArguments, match=r"cloud_task_id turned out to be .* is no id: it is made of"):
        task_ids(given, INSTANCE)


@settings(max_examples=300)
@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.binary(), st.lists(st.text())))
def test_an_accepted_id_is_sent_as_it_is_and_is_accepted_again(given: Any) -> None:
    if why_no_name(given) is None:
        assert isinstance(given, str | int)
        assert as_name(given) == str(given)
        assert why_no_name(as_name(given)) is None
    elif isinstance(given, float):
        assert why_no_name(str(given)) is not None or not given.is_integer()


@pytest.mark.parametrize("given", ["RUNNING", None, 7, {"RUNNING": 1}])
def test_refuses_statuses_that_are_no_list(given: Any) -> None:
    with pytest.raises(InvalidArguments, match="expected a list of statuses"):
        StatusOverrides.of(given, ())
    with pytest.raises(InvalidArguments, match="expected a list of statuses"):
        StatusOverrides.of((), given)


def test_refuses_a_status_that_is_both_success_and_failure() -> None:
    with pytest.raises(InvalidArguments, match="both hold"):
        StatusOverrides.of(["R"], ["r "])
