"""The doctor's table: its width, its colors and its words; and the same report as plain JSON types."""

from __future__ import annotations

import json
import re

import pytest

from airflow_cloudtasks.doctor.clock import clock_line, read_date
from airflow_cloudtasks.doctor.options import naming_parameters, option
from airflow_cloudtasks.doctor.permissions import as_json, policy
from airflow_cloudtasks.doctor.report import Line, MissingPolicy, Outcome, Report, Section, not_tried
from airflow_cloudtasks.doctor.table import table
from airflow_cloudtasks.model import Cloud

LONG = "the proxy refuses to reach wedata.tencentcloudapi.com:443 " * 3


def report(*lines: Line, policies: tuple[MissingPolicy, ...] = ()) -> Report:
    section = Section(kind="network", title="Network", lines=lines)
    return Report(conn_id="c", cloud="tencent", sections=(section,), policies=policies)


WELL = Line(name="DNS", outcome=Outcome.OK, text="found", milliseconds=3.4)
WRONG = Line(name="TCP", outcome=Outcome.FAILED, text=LONG, expected="a port " * 9, mend="open it " * 9, milliseconds=1)
DOUBTFUL = Line(name="read", outcome=Outcome.UNKNOWN, text="throttled", expected="an answer", mend="ask again")
EVERY = (WELL, WRONG, DOUBTFUL, not_tried("TLS", "because TCP failed"), Line(name="i", outcome=Outcome.INFO, text="x"))


@pytest.mark.parametrize("width", [1, 40, 60, 80, 120])
@pytest.mark.parametrize("name", ["TCP", "a name that is longer than the column"])
def test_no_line_is_wider_than_the_terminal(width: int, name: str) -> None:
    long_name = Line(name=name, outcome=Outcome.FAILED, text=LONG, expected=LONG, mend=LONG, milliseconds=1e6)
    written = table(report(*EVERY, long_name), width=width, colored=False)
    assert max(map(len, written.splitlines())) <= max(width, 64)
    assert re.sub(r"\s+", " ", LONG).strip() in re.sub(r"\s+", " ", written)


def test_colors_add_nothing_but_colors() -> None:
    plain, colored = (table(report(*EVERY), width=80, colored=colored) for colored in (False, True))
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == plain
    assert "\x1b[32mok" in colored
    assert "\x1b[1;31mFAILED" in colored


def test_the_words_of_a_server_do_not_control_the_terminal() -> None:
    hostile = Line(name="HTTP", outcome=Outcome.FAILED, text="a\x1b[2Jb\x07\x9b31m", expected="c\x1b]0;d", mend="e\x7f")
    policies = (MissingPolicy(attach_to="\x1b[8m", document=policy("tencent", ["\x1b"])),)
    written = table(report(hostile, policies=policies), width=80, colored=False)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", written)


def test_words_say_what_colors_say() -> None:
    written = table(report(*EVERY), width=100, colored=False)
    for words in (
        "ok         DNS      3 ms  found",
        "FAILED     TCP",
        "expected: a port",
        "mend: open it",
        "UNKNOWN    read",
        "not tried  TLS",
        "1 failed, 1 unknown",
    ):
        assert words in written


def test_ends_with_the_first_failure_and_how_to_mend_it() -> None:
    written = table(report(WELL, DOUBTFUL, WRONG), width=200, colored=False)
    told = f"Begin with TCP: {LONG}", f"expected: {WRONG.expected}", f"mend: {WRONG.mend}"
    assert written.endswith("1 failed, 1 unknown.\n" + "".join(f"{line.strip()}\n" for line in told))
    assert "Begin with read: throttled\n" in table(report(DOUBTFUL), width=80, colored=False)


def test_breaks_a_long_path_after_a_slash() -> None:
    path = "/opt/airflow/lib/python3.12/site-packages/certifi/cacert.pem"
    line = Line(name="CA", outcome=Outcome.OK, text=f"certificates in {path}, from certifi")
    written = [text.strip() for text in table(report(line), width=64, colored=False).splitlines()]
    assert "/opt/airflow/lib/python3.12/site-packages/" in written
    assert "certifi/cacert.pem," in written


def test_a_policy_can_be_pasted() -> None:
    document = policy("tencent", ["wedata:GetTask"])
    written = table(
        report(WELL, policies=(MissingPolicy(attach_to="the user", document=document),)), width=60, colored=False
    )
    assert json.loads(written[written.index("{") : written.rindex("}") + 1]) == document


def test_a_policy_that_is_printed_has_no_hidden_blanks() -> None:
    document = policy(
        "tencent", ["sts:AssumeRole"], "qcs::cam::uin/1:roleName/a b\u00a0\u200b\u3000\u2028\t\r\n\x7f\x85"
    )
    written = as_json(document)
    assert re.fullmatch(r"[\n\x20-\x7e]*", written)
    assert json.loads(written) == document


def test_a_report_is_ok_if_every_question_had_a_good_answer() -> None:
    assert report(WELL, not_tried("TLS", "because it is plain http")).ok
    assert not report(WELL, WRONG).ok
    assert not report(WELL, DOUBTFUL).ok


def test_a_report_is_plain_json() -> None:
    found = report(*EVERY).as_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["sections"][0]["lines"][0] == {
        "name": "DNS",
        "outcome": "ok",
        "text": "found",
        "expected": None,
        "mend": None,
        "milliseconds": 3.4,
        "permission": None,
    }


NOON = 1_767_268_800.0  # 2026-01-01 12:00:00 UTC
DATE = "Thu, 01 Jan 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("cloud", "now", "outcome", "text"),
    [
        ("tencent", NOON + 0.4, Outcome.OK, "right; up to 5 min are allowed"),
        ("tencent", NOON + 240, Outcome.OK, "4 min ahead of the cloud's"),
        ("tencent", NOON + 301, Outcome.FAILED, "5 min ahead of"),
        ("tencent", NOON - 1200, Outcome.FAILED, "20 min behind"),
        ("alibaba", NOON + 600, Outcome.OK, "10 min ahead of the cloud's; up to 15 min"),
        ("alibaba", NOON - 1200, Outcome.FAILED, "20 min behind"),
        ("alibaba", NOON + 8 * 3600, Outcome.FAILED, "8 h ahead"),
    ],
)
def test_the_clock_is_compared_with_what_the_cloud_allows(
    cloud: Cloud, now: float, outcome: Outcome, text: str
) -> None:
    line = clock_line(cloud, read_date(DATE, now, now + 0.2))
    assert line.outcome is outcome
    assert text in line.text


@pytest.mark.parametrize(
    "header", [None, "", "yesterday", f"Thu, {10**20} Jan 2026 00:00:00 GMT", "1 Jan 2026 0:0 +" + "9" * 20]
)
def test_an_answer_without_a_date_tells_nothing_of_the_clock(header: str | None) -> None:
    assert clock_line("tencent", read_date(header, NOON, NOON)).outcome is Outcome.NOT_TRIED


def test_an_option_is_made_from_the_vendors_name() -> None:
    names = ("ProjectId", "BotBizId", "TaskType", "AppID", "URLPath")
    assert [*map(option, names)] == ["--project-id", "--bot-biz-id", "--task-type", "--app-id", "--url-path"]
    assert naming_parameters([]) == {}
