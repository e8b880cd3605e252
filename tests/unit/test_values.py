"""Single values are parsed in every format that the vendors send, and nothing raises."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from airflow_cloudtasks.values import at, embedded_json, fraction, load_json, moment, plain, text

CHINA = timezone(timedelta(hours=8))
NEW_YEAR = datetime(2025, 1, 1, 0, 0, 0, tzinfo=UTC)
NEW_YEAR_SECONDS = 1735689600


@pytest.mark.parametrize(
    "written",
    [
        "2025-01-01T00:00:00Z",
        "2025-01-01T08:00:00+08:00",
        "2025-01-01 08:00:00",
        NEW_YEAR_SECONDS,
        float(NEW_YEAR_SECONDS),
        NEW_YEAR_SECONDS * 1000,
        str(NEW_YEAR_SECONDS),
        str(NEW_YEAR_SECONDS * 1000),
    ],
)
@pytest.mark.parametrize("spelling", ["{}", "{}\n", " {} "])
def test_parses_a_time_in_every_format_of_the_vendors(written: Any, spelling: str) -> None:
    value = spelling.format(written) if isinstance(written, str) else written
    read = moment(value, CHINA)
    assert read == NEW_YEAR
    assert read.tzinfo is UTC


def test_a_number_is_seconds_up_to_the_year_5138_and_milliseconds_from_there() -> None:
    assert moment(99_999_999_999, CHINA) == datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)
    assert moment(100_000_000_000, CHINA) == datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)


def test_milliseconds_keep_their_fraction() -> None:
    assert moment("1735689600250", CHINA) == NEW_YEAR + timedelta(milliseconds=250)


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", " ", "\n", "null", "not yet", "2025-13-01 00:00:00", "0000-00-00 00:00:00"),
        *(0, 0.0, "0", -1, "-1", -1e300, True, False, [], {}, ["2025-01-01T00:00:00Z"]),
        *(float("nan"), float("inf"), "NaN", "Infinity", "1e999", 1e300, 10**400, "9" * 5000),
        *("0001-01-01 00:00:00", "9999-12-31T23:59:59-12:00", "2025-01-01T00:00:00+99:99", "\ud800", "\x00"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_an_invalid_time_is_none(value: Any) -> None:
    assert moment(value, CHINA) is None


@pytest.mark.parametrize(
    ("value", "whole", "progress"),
    [
        (0, 100, 0.0),
        (100, 10_000, 0.01),
        ("50", 100, 0.5),
        (" 50 ", 100, 0.5),
        (10_000, 10_000, 1.0),
        (10_001, 10_000, 1.0),
        (1e308, 1.0, 1.0),
        (-5, 100, 0.0),
    ],
)
def test_progress_runs_from_0_to_1(value: Any, whole: float, progress: float) -> None:
    assert fraction(value, whole) == progress


@pytest.mark.parametrize("value", [None, "", "half", True, [], {}, float("nan"), float("inf"), "nan", 10**400])
def test_an_invalid_progress_is_none(value: Any) -> None:
    assert fraction(value, 100) is None


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("FINISH ", "FINISH"),
        ("\tFINISH\r\n", "FINISH"),
        (1333, "1333"),
        (1.5, "1.5"),
        ("a\x00b", "a\ufffdb"),
        ("a\ud800b", "a?b"),
        ("任务", "任务"),
    ],
)
def test_text_is_stripped_and_storable(value: Any, word: str) -> None:
    assert text(value) == word


@pytest.mark.parametrize("value", [None, "", " ", "\n", "\x00", " \x00 ", True, False, [], {}, ["a"]])
def test_blank_or_invalid_text_is_none(value: Any) -> None:
    assert text(value) is None


def test_a_number_with_too_many_digits_is_none() -> None:
    assert text(10**5000) is None
    assert fraction(10**5000, 100) is None
    assert moment(10**5000, CHINA) is None


OBJECT = {"app": "JJXT", "n": [1, None, True]}
ONCE = json.dumps(OBJECT)
TWICE = json.dumps(ONCE)


@pytest.mark.parametrize(
    "value",
    [ONCE, f" {ONCE}\n", TWICE, json.dumps(TWICE), TWICE[1:-1]],
    ids=["plain", "blanks", "escaped", "escaped twice", "escaped without quotes"],
)
def test_decodes_json_in_a_string_at_any_level_of_escaping(value: str) -> None:
    assert embedded_json(value) == OBJECT


def test_decodes_bpstudios_escaped_json() -> None:
    assert embedded_json(r"{\"app\":\"JXT**LZJ568665D6\"}") == {"app": "JXT**LZJ568665D6"}


@pytest.mark.parametrize(
    "value",
    [
        "Jsonformat,Content varies based on workflow configuration.",
        *("", " ", "{", "{'app': 1}", "[1,", '{"a":1} trailing', '"', '"unfinished', "\\", '{\\"a'),
        *("5", "true", "null", '"a word"', '"5"', "NaN"),
        *(5, 1.5, True, None),
    ],
)
def test_leaves_text_that_is_no_json_object_or_list_unchanged(value: Any) -> None:
    assert embedded_json(value) is value


def test_leaves_decoded_json_unchanged() -> None:
    assert embedded_json(OBJECT) == OBJECT


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize("levels", [300, 900, 100_000])
def test_json_of_any_depth_raises_nothing(levels: int) -> None:
    decoded = plain(load_json(nested(levels)))
    json.dumps(decoded)
    json.dumps(embedded_json(nested(levels)))


def test_drops_levels_beyond_a_hundred() -> None:
    kept = plain(load_json(nested(300)))
    assert json.dumps(kept) == "[" * 100 + "null" + "]" * 100


def test_plain_returns_storable_copies() -> None:
    read = plain({"a\x00": "b\x00\ud800", "c": [float("nan"), float("-inf"), 1.5, {"d": ("e",)}], 5: None})
    assert read == {"a\ufffd": "b\ufffd?", "c": [None, None, 1.5, {"d": ["e"]}], "5": None}


@pytest.mark.parametrize(
    ("path", "value"),
    [("", {"a": {"b": [1]}}), ("a", {"b": [1]}), ("a.b", [1]), ("a.x", None), ("a.b.c", None), ("x.y", None)],
)
def test_a_path_returns_its_value_or_none(path: str, value: Any) -> None:
    assert at({"a": {"b": [1]}}, path) == value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.0", {"b": 1}),
        ("a.0.b", 1),
        ("a.1", [2]),
        ("a.1.0", 2),
        *((f"a.{index}", None) for index in ("2", "-1", "x", "", "0x0", "9" * 30)),
        ("s.0", None),
        ("d.0", "a key"),
    ],
)
def test_a_number_in_a_path_indexes_a_list(path: str, value: Any) -> None:
    assert at({"a": [{"b": 1}, [2]], "s": "text", "d": {"0": "a key"}}, path) == value


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"{", "nan?", nested(100_000)])
def test_a_body_that_is_no_json_is_none(body: Any) -> None:
    assert load_json(body) is None
