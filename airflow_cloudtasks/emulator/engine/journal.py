"""What came in: the last requests one by one, and totals for each action."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject

KEPT = 100_000
# Actions that nobody serves share one line, so that a client cannot grow the table by inventing names.
UNKNOWN = "unknown"


@dataclass(slots=True)
class Exchange:
    """What is known of one request while it is being answered; the journal's raw material.

    It holds no secret, token or signature, so that all of it may be shown.

    Attributes:
        cloud: Whose gateway was asked.
        api: The emulator's name of the action, or None for one that it does not serve.
        service: The product asked, where the request tells.
        action: The action asked for, as sent.
        version: The API version asked for, as sent.
        region: The region asked for, where the request tells.
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
    """The counts of one action.

    Attributes:
        total: Requests that came in.
        refused: How many of them were throttled, by a limit or by an injected fault.
        in_flight: Requests being answered now.
        peak_concurrency: The most that were being answered at once.
    """

    total: int = 0
    refused: int = 0
    in_flight: int = 0
    peak_concurrency: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One request, as the journal keeps it.

    Attributes:
        sequence: Its number, counted from 1 since the start.
        time: When it came in, in Unix seconds.
        exchange: What it asked for.
        outcome: ``ok``, a vendor's error code, or the kind of the fault that hit it.
        status: The HTTP status sent; None when nothing was sent.
    """

    sequence: int
    time: float
    exchange: Exchange
    outcome: str
    status: int | None

    def describe(self) -> JsonObject:
        """Tell the request as the control plane shows it.

        Returns:
            One flat object, without secrets, tokens or signatures.
        """
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
        """Note a request and what becomes of it, before its answer goes out: whoever has an answer finds it here.

        Args:
            exchange: What it asks for.
            time: When it came in, in Unix seconds.
            outcome: ``ok``, a vendor's error code, or the kind of the fault that hit it.
            status: The HTTP status of its answer; None when it gets none.
            throttled: Whether it was refused for coming too fast.
        """
        totals = self._totals.setdefault(exchange.api or UNKNOWN, Totals())
        totals.total += 1
        totals.refused += throttled
        totals.in_flight += 1
        totals.peak_concurrency = max(totals.peak_concurrency, totals.in_flight)
        self._sequence += 1
        self._entries.append(Entry(self._sequence, time, exchange, outcome, status))

    def end(self, exchange: Exchange) -> None:
        """Note that a request's answer has gone out, or its connection.

        Args:
            exchange: What it asked for.
        """
        self._totals[exchange.api or UNKNOWN].in_flight -= 1

    def requests(self, api: str | None = None, since: int = 0) -> list[JsonObject]:
        """Tell the requests kept.

        Args:
            api: Only those of this API.
            since: Only those with a higher sequence number.

        Returns:
            One object a request, the oldest first.
        """
        return [
            entry.describe()
            for entry in self._entries
            if entry.sequence > since and (api is None or entry.exchange.api == api)
        ]

    def totals(self) -> dict[str, JsonObject]:
        """Tell the counts.

        Returns:
            An object for each API asked since the last clearing; ``unknown`` for actions that nobody serves.
        """
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
        """Forget the requests and the counts, but not those being answered now, which still have to end."""
        self._entries.clear()
        self._totals = {
            api: Totals(in_flight=totals.in_flight, peak_concurrency=totals.in_flight)
            for api, totals in self._totals.items()
            if totals.in_flight
        }
