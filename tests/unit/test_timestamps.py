"""Every time in every argument means the same: with a zone it is converted, without one it is in the API's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any

import pendulum
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.protocol.task_ids import task_ids
from airflow_cloudtasks.protocol.timestamps import read_time, read_zone, unix_seconds

CHINA = timezone(timedelta(hours=8))
MIDNIGHT = datetime(2026, 1, 31, tzinfo=CHINA)
RUN, INSTANCE, BACKFILL = (APIS[f"wedata.{kind}"] for kind in ("newest_workflow_run", "task_instance", "backfill"))

# The same moment, in every form in which a DAG gives it or Airflow renders it.
AWARE = [
    MIDNIGHT,
    datetime(2026, 1, 30, 16, tzinfo=UTC),
    pendulum.datetime(2026, 1, 30, 16),
    pendulum.datetime(2026, 1, 31, tz="Asia/Shanghai"),
    pendulum.datetime(2026, 1, 30, 11, tz="America/New_York"),
    *("2026-01-30 16:00:00+00:00", "2026-01-30T16:00:00+00:00", "2026-01-30T16:00:00.000000Z", "20260130T160000+0000"),
    *("2026-01-31T00:00:00+08:00", " 2026-01-31 00:00:00+08\n"),
]
NAIVE = [
    datetime(2026, 1, 31),
    pendulum.naive(2026, 1, 31),
    *(date(2026, 1, 31), pendulum.date(2026, 1, 31)),
    *("2026-01-31 00:00:00", "2026-01-31T00:00", "2026-01-31", "2026/01/31", "20260131T000000"),
]


@pytest.mark.parametrize("given", [*AWARE, *NAIVE], ids=repr)
def test_a_time_means_the_same_in_every_argument(given: Any) -> None:
    assert unix_seconds(given, RUN) == MIDNIGHT.timestamp()
    assert task_ids(f"2025_{given}", INSTANCE) == ("2025_2026-01-31 00:00:00",)
    ranges = {"DataBackfillRangeList": [(given, given)]}
    sent = encode(BACKFILL, BACKFILL.start(), ranges)["DataBackfillRangeList"]
    assert sent == [{"StartDate": "2026-01-31", "EndDate": "2026-01-31"}]


@pytest.mark.parametrize("given", [1769788800, 1769788800.0, "1769788800", "1769788800.0", "1769788800000"])
def test_created_since_also_takes_a_unix_time(given: Any) -> None:
    assert unix_seconds(given, RUN) == MIDNIGHT.timestamp()


@pytest.mark.parametrize("given", [None, ""])
def test_no_time_is_none(given: Any) -> None:
    assert unix_seconds(given, RUN) is None


NO_TIMES = [
    *("yesterday", "now", "None", "None 00:00:00", "2026-01", "16:00", "P1D", "2026-01-31/2026-02-01"),
    *(
        "2026-02-30",
        "31/01/2026",
        "2026-01-31 00:00:00 00:00:00",
        "2026-01-30 16:00:00+00:00 00:00:00",
        "\uff12\uff10\uff12\uff16-01-31",
    ),
    *("0001-01-01T00:00:00+14:00", "2026-01-31T00:00/2026-02-01T00:00", True, b"2026-01-31", [date(2026, 1, 31)]),
]


@pytest.mark.parametrize("given", [*NO_TIMES, 0, -1, float("nan"), "1_769_788_800"], ids=repr)
def test_refuses_what_is_no_time(given: Any) -> None:
    with pytest.raises(InvalidArguments, match=r"created_since is .*; expected a time"):
        unix_seconds(given, RUN)


@pytest.mark.parametrize("given", ["20260131", 20260131, "20260131160000", "202601311600", "2026", 202601])
def test_refuses_a_number_that_may_be_a_date(given: Any) -> None:
    with pytest.raises(InvalidArguments, match="may be a date or Unix seconds; write a date as in 2026-01-31"):
        unix_seconds(given, RUN)


@pytest.mark.parametrize("given", [*NO_TIMES, "2026"], ids=repr)
def test_a_backfill_refuses_a_day_that_is_none(given: Any) -> None:
    with pytest.raises(InvalidArguments, match=r"DataBackfillRangeList\[0\]\.EndDate is .*; expected a day"):
        encode(BACKFILL, BACKFILL.start(), {"DataBackfillRangeList": [("2026-01-31", given)]})


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC+8", "2026-01-31"),
        ("UTC+7", "2026-01-30"),
        ("UTC", "2026-01-30"),
        ("Asia/Tokyo", "2026-01-31"),
        ("", "2026-01-31"),
    ],
)
def test_the_days_of_a_backfill_are_in_the_zone_that_it_names(zone: str, day: str) -> None:
    parameters = {"DataBackfillRangeList": [("2026-01-30 16:00:00+00:00", MIDNIGHT)], "TimeZone": zone}
    sent = encode(BACKFILL, BACKFILL.start(), parameters)
    assert sent["DataBackfillRangeList"] == [{"StartDate": day, "EndDate": day}]
    parameters["DataBackfillRangeList"] = [("2026-01-31", datetime(2026, 1, 31, 23))]
    sent = encode(BACKFILL, BACKFILL.start(), parameters)
    assert sent["DataBackfillRangeList"] == [{"StartDate": "2026-01-31", "EndDate": "2026-01-31"}]


def test_a_backfill_refuses_an_unknown_zone() -> None:
    with pytest.raises(InvalidArguments, match="TimeZone is 'Mars'; expected a time zone as in UTC"):
        encode(BACKFILL, BACKFILL.start(), {"DataBackfillRangeList": [], "TimeZone": "Mars"})


@pytest.mark.parametrize(
    ("text", "hours"), [("UTC+8", 8), ("GMT-3:30", -3.5), ("+0530", 5.5), ("UTC", 0), ("Z", 0), ("Asia/Shanghai", 8)]
)
def test_reads_zones(text: str, hours: float) -> None:
    zone = read_zone(text)
    assert zone is not None
    assert datetime(2026, 1, 31, tzinfo=zone).utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "Mars", "UTC+24", "UTC+8:99", "8", "../etc/passwd", None])
def test_an_unknown_zone_is_none(text: Any) -> None:
    assert read_zone(text) is None


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.created_at is None])
def test_refuses_created_since_where_no_answer_tells_a_creation_time(name: str) -> None:
    assert unix_seconds(None, APIS[name]) is None
    with pytest.raises(
        InvalidArguments, match=f"{name} does not support created_since: .* so that the wait would never"
    ):
        unix_seconds(MIDNIGHT, APIS[name])


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)).map(lambda time: time.replace(microsecond=0))


@settings(max_examples=300)
@given(TIMES, ZONES, ZONES)
def test_text_and_objects_mean_the_same_moment(time: datetime, zone: tzinfo, api_zone: tzinfo) -> None:
    aware = time.replace(tzinfo=zone)
    for form in (aware, aware.isoformat(), str(aware), pendulum.instance(aware), aware.astimezone(UTC)):
        assert read_time(form, api_zone) == aware
    for form in (time, time.isoformat(), str(time), pendulum.instance(time).naive()):
        assert read_time(form, api_zone) == time.replace(tzinfo=api_zone)


@settings(max_examples=300)
@given(st.one_of(st.text(), st.from_regex(r"\d{4}-\d{2}-\d{2}.{0,12}"), st.integers(), st.floats(), st.none()))
def test_any_value_is_a_time_or_none(given: Any) -> None:
    time = read_time(given, CHINA)
    assert time is None or time.utcoffset() == timedelta(hours=8)
