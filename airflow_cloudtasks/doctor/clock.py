"""How far this machine's clock is from a cloud's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from airflow_cloudtasks.doctor.report import Line, Outcome
from airflow_cloudtasks.model import Cloud

# Source: Alibaba Cloud, "Request syntax and signature method V3": x-acs-date is valid for 15 minutes. Tencent Cloud,
# "Signature v3": X-TC-Timestamp may differ by 5 minutes.
LIMIT_SECONDS: dict[Cloud, float] = {"alibaba": 15 * 60, "tencent": 5 * 60}
# A header has whole seconds only.
_PRECISION = 1.0
_NOTICEABLE = 2.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of a server's clock.

    Args:
        ahead: By how many seconds this machine's clock is ahead of the server's; negative if it is behind.
    """

    ahead: float


def read_date(header: str | None, sent: float, answered: float) -> Reading | None:
    """Return a reading from the header Date of an answer; None if it has none.

    Args:
        header: The header's value.
        sent: When the request was sent by this machine's clock, in Unix seconds.
        answered: When the answer came.
    """
    try:
        date = parsedate_to_datetime(header or "")
    except (ValueError, OverflowError):  # a number that no date has
        return None
    server = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    # The server wrote the header between the two moments, and cut the fraction of the second off.
    if sent - _PRECISION <= server <= answered:
        return Reading(0.0)
    return Reading((sent + answered) / 2 - server - _PRECISION / 2)


def clock_line(cloud: Cloud, reading: Reading | None) -> Line:
    """Return the line about the clock.

    Args:
        cloud: The cloud.
        reading: The reading; None if no answer had a date.
    """
    limit = LIMIT_SECONDS[cloud]
    if reading is None:
        return Line(name="clock", outcome=Outcome.NOT_TRIED, text="because no answer had a date")
    ahead = reading.ahead
    text = (
        f"{duration(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} the cloud's"
        if abs(ahead) > _NOTICEABLE
        else "right"
    )
    if abs(ahead) < limit:
        return Line(name="clock", outcome=Outcome.OK, text=f"{text}; up to {duration(limit)} are allowed")
    return Line(
        name="clock",
        outcome=Outcome.FAILED,
        text=f"this machine's clock is {text}",
        expected=f"less than {duration(limit)}, or the cloud refuses every signature",
        mend="set the clock of this machine, e.g. by NTP (chrony, systemd-timesyncd); in a container, that of its host",
    )


def duration(seconds: float) -> str:
    """Return a duration for people, e.g. ``20 min`` or ``3 s``.

    Args:
        seconds: The duration.
    """
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
