"""The requests that came in: the last ones one by one, and totals for each API."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject

KEPT = 100_000
# All actions that the emulator does not know share one line, so that a client cannot grow the table by inventing names.
UNKNOWN = "unknown"


@dataclass(slots=True)
class Exchange:
    """What a request asks for. It holds no secret, token or signature, so that all of it may be shown.

    Attributes:
        cloud: The cloud that was called.
        api: The emulator's name of the action; None for an action that it does not know.
        service: The product, if the request names it.
        action: The action, as sent.
        version: The API version, as sent.
        region: The region, if the request names it.
        key_id: The access key's id (never its secret).
        parameters: The action's own parameters.
    """

    cloud: Cloud
    api: str | None = None
    service: str | None = None
    action: str | None = None
    version: str | None = None
    region: str | None = None
    key_id: str | None = None
    parameters: JsonObject = field(default_factory=dict)


@dataclass(slots=True)
class Totals:
    """The counts of one API.

    Attributes:
        total: Requests that came in.
        refused: How many of them were throttled, by a limit or by an injected fault.
        in_flight: Requests that are being answered now.
        peak_concurrency: The most that were being answered at once.
    """

    total: int = 0
    refused: int = 0
    in_flight: int = 0
    peak_concurrency: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One request in the journal.

    Attributes:
        sequence: Its number, counted from 1 since the emulator started.
        time: When it came in, in Unix seconds.
        exchange: What it asks for.
        outcome: ``ok``, a vendor's error code, or the kind of the fault that hit it.
        status: The HTTP status of its answer; None if none was sent.
    """

    sequence: int
    time: float
    exchange: Exchange
    outcome: str
    status: int | None

    def describe(self) -> JsonObject:
        """Return it as one flat JSON object."""
        return {
            "sequence": self.sequence,
            "time": self.time,
            **asdict(self.exchange),
            "outcome": self.outcome,
            "status": self.status,
        }


class Journal:
    """A bounded record of requests, and totals that go on counting.

    Args:
        kept: How many requests are kept one by one.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._entries: deque[Entry] = deque(maxlen=kept)
        self._totals: dict[str, Totals] = {}
        self._sequence = 0

    def begin(self, exchange: Exchange, time: float, outcome: str, status: int | None, *, throttled: bool) -> None:
        """Record a request and its outcome before its answer is sent, so that a client that has the answer finds it.

        Args:
            exchange: What the request asks for.
            time: When it came in, in Unix seconds.
            outcome: ``ok``, a vendor's error code, or the kind of the fault that hit it.
            status: The HTTP status of its answer; None if none will be sent.
            throttled: Whether it is refused by a rate limit.
        """
        totals = self._totals.setdefault(exchange.api or UNKNOWN, Totals())
        totals.total += 1
        totals.refused += throttled
        totals.in_flight += 1
        totals.peak_concurrency = max(totals.peak_concurrency, totals.in_flight)
        self._sequence += 1
        self._entries.append(Entry(self._sequence, time, exchange, outcome, status))

    def end(self, exchange: Exchange) -> None:
        """Record that the answer to a request has been sent."""
        self._totals[exchange.api or UNKNOWN].in_flight -= 1

    def requests(self, api: str | None = None, since: int = 0) -> list[JsonObject]:
        """Return the requests of one API, or of all, oldest first; only those whose sequence is above ``since``."""
        return [
            entry.describe()
            for entry in self._entries
            if entry.sequence > since and (api is None or entry.exchange.api == api)
        ]

    def totals(self) -> dict[str, JsonObject]:
        """Return the counts by API; ``unknown`` is for all actions that the emulator does not know."""
        return {
            api: {
                "total": totals.total,
                "refused": totals.refused,
                "peak_concurrency": totals.peak_concurrency,
            }
            for api, totals in self._totals.items()
            if totals.total
        }

    def clear(self) -> None:
        """Forget the requests and their counts; requests that are being answered still count as concurrent."""
        self._entries.clear()
        self._totals = {
            api: Totals(in_flight=totals.in_flight, peak_concurrency=totals.in_flight)
            for api, totals in self._totals.items()
            if totals.in_flight
        }
