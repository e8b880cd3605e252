"""Every address is read or refused, and every Retry-After header is a delay or none."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from airflow_cloudtasks.clouds.wire import Endpoint, is_loopback, retry_after
from airflow_cloudtasks.errors import InvalidConnection

PIECES = st.sampled_from(
    ["http", "https", "ftp", "://", ":", "/", "@", "?", "#", "[", "]", "::1", "127.0.0.1", "localhost", "a.test", "443"]
)
ADDRESSES = st.one_of(st.text(max_size=20), st.lists(PIECES, max_size=6).map("".join))


@given(ADDRESSES)
def test_reads_an_address_or_refuses_it(address: str) -> None:
    try:
        endpoint = Endpoint.parse(address)
    except InvalidConnection:
        return
    parts = urlsplit(endpoint.url)
    assert Endpoint.parse(endpoint.url) == endpoint
    assert (parts.path, parts.query, parts.fragment, parts.username, parts.password) == ("", "", "", None, None)
    assert parts.scheme == "https" or is_loopback(parts.hostname or "")


HEADERS = st.sampled_from(["Retry-After", "retry-after", "x-acs-retry-after", "X-Acs-Retry-After", "Date"])
VALUES = st.one_of(
    st.text(max_size=30),
    st.integers().map(str),
    st.floats().map(str),
    st.datetimes(timezones=st.just(UTC)).map(lambda time: format_datetime(time, usegmt=True)),
    st.datetimes().map(format_datetime),
)


@given(st.dictionaries(HEADERS, VALUES, max_size=3))
def test_a_delay_is_never_negative(headers: dict[str, str]) -> None:
    delay = retry_after(headers)
    assert delay is None or 0 <= delay < float("inf")


@given(st.integers(min_value=0, max_value=10**12 - 1))
def test_reads_seconds_and_alibabas_milliseconds(number: int) -> None:
    assert retry_after({"Retry-After": f" {number} "}) == number
    assert retry_after({"X-Acs-Retry-After": str(number), "Retry-After": "7"}) == number / 1000


@given(st.datetimes(min_value=datetime(1970, 1, 1)))
def test_a_date_that_has_passed_means_no_delay(time: datetime) -> None:
    delay = retry_after({"Retry-After": format_datetime(time.replace(tzinfo=UTC), usegmt=True)})
    assert delay is not None
    assert (delay == 0) is (time.replace(tzinfo=UTC, microsecond=0) <= datetime.now(UTC))
