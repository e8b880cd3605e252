"""Simulates 1 to 32 triggerers that share an account's allowance, and compares schemes by which they could.

Triggerers know nothing of each other: each sees only which of its own requests are refused. The simulation has discrete
events and fixed seeds, so it takes a minute and gives the same figures each time. A request travels for 10 ms and
a random time of 5 ms in the mean; an answer takes 20 to 100 ms more. All triggerers send as much as they may, unless
stated otherwise, and start within the same two seconds. Figures are means over the seeds:

- ``answered``: the answered requests as a share of the allowance,
- ``refused``: the refused requests as a share of all that were sent,
- ``least``: what the triggerer with the fewest answers got, as a share of the mean.

They are counted over five minutes from one minute after the start, so that they also show whether a joint start settles
within a minute.

Limiters: ``fixed`` counts in each second of the clock, ``sliding`` in any second, ``bucket`` by tokens. Some services
count refused requests too, and answer none at all while too many are sent.

Exits with 1, and names the limit, if this package breaks one. A sliding window that does not count refused requests is
measured with a lower limit on what is answered: it refuses a request whenever 20 others happen to lie in the second
before it. Only one of the schemes fills it with 16 triggerers, ``whole numbers of requests a window``, but that one is
unfair to some of 24.

Set-up (no Airflow needed; matplotlib for the plot)::

    pip install -e '.[emulator]' matplotlib
    python benchmarks/many_triggerers.py --plot many_triggerers.svg
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))

from schemes import SCHEMES
from sharing import PaceLike, Service, Shares, Triggerer, run, seconds_until, shares

from airflow_cloudtasks.waiting.triggerer.pace import Pace

ALLOWED = 20.0
NUMBERS = (1, 2, 4, 8, 12, 16, 24, 32)
MOST = max(NUMBERS)
# Seconds: when shares have settled after a joint start, and for how long they are measured.
SETTLED, MEASURED = 60.0, 300.0

SERVICES = {
    "fixed windows": Service(window="fixed"),
    "token bucket": Service(window="bucket"),
    "sliding window": Service(window="sliding"),
    "token bucket, refused requests count": Service(window="bucket", counts_refused=True),
    "sliding window, refused requests count": Service(window="sliding", counts_refused=True),
}
FREE, COUNTED = SERVICES["fixed windows"], SERVICES["sliding window, refused requests count"]

# Where, and for which numbers of triggerers, the schemes are compared.
COMPARED = (1, 4, 16, 24, MOST)
COMPARED_AT = {"are free": FREE, "are free, sliding window": SERVICES["sliding window"], "count": COUNTED}

# Limits: the least share answered where refusals are free, where they count, and there for 32; the largest share
# refused, and for 32; the least share of the mean; seconds until the last one left has the whole allowance.
LEAST_FREE, LEAST_COUNTED, LEAST_COUNTED_MOST = 0.95, 0.75, 0.70
REFUSED, REFUSED_MOST = 0.05, 0.10
LEAST_FAIR = 0.5
ALONE_AFTER = 180.0


Make = Callable[[random.Random], tuple[list[Triggerer], list[Triggerer]]]


@dataclass(frozen=True)
class Situation:
    """A situation beside the main ones.

    Attributes:
        title: Its name in the table.
        service: The service.
        make: Makes the triggerers that count, and the others.
        allowed: What the triggerers that count can have, in requests a second.
        since: Seconds after the start from which requests count.
        seconds: For how long they count.
    """

    title: str
    service: Service
    make: Make
    allowed: float = ALLOWED
    since: float = SETTLED
    seconds: float = MEASURED


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8, help="runs of each (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the shares there, as an SVG")
    options = parser.parse_args()
    seeds = range(options.seeds)

    ours = {
        title: {number: _means(Pace, number, service, seeds) for number in NUMBERS}
        for title, service in SERVICES.items()
    }
    print(
        _table(
            ["answered / refused / least", *map(str, NUMBERS)],
            [[title, *map(_cell, by.values())] for title, by in ours.items()],
        )
    )
    alone = {title: _alone_after(service, seeds) for title, service in SERVICES.items()}
    print(
        _table(
            ["", *SERVICES],
            [["one of 32 is left: whole allowance after", *(f"{seconds:.0f} s" for seconds in alone.values())]],
        )
    )

    others = {situation.title: _situation(situation, seeds) for situation in _situations()}
    print(
        _table(["situation", "answered / refused / least"], [[title, _cell(found)] for title, found in others.items()])
    )

    compared = {
        name: {
            title: {number: _means(scheme, number, service, seeds[:3]) for number in COMPARED}
            for title, service in COMPARED_AT.items()
        }
        for name, scheme in SCHEMES.items()
    }
    rows = [
        [name, where, *map(_cell, by_number.values())]
        for name, by_service in compared.items()
        for where, by_number in by_service.items()
    ]
    print(_table(["scheme", "where refused requests", *map(str, COMPARED)], rows))

    if options.json:
        figures = {"shares": ours, "alone_after": alone, "situations": others, "schemes": compared}
        options.json.write_text(json.dumps(figures, indent=1, default=asdict) + "\n")
    if options.plot:
        _draw(ours, compared, options.plot)
    broken = [
        *_broken(ours),
        *(f"{title}: alone after {seconds:.0f} s" for title, seconds in alone.items() if seconds > ALONE_AFTER),
    ]
    for line in broken:
        print(f"FAILED: {line}", file=sys.stderr)
    return 1 if broken else 0


def _some(
    number: int, chance: random.Random, make: Callable[[float], PaceLike] = Pace, allowed: float = ALLOWED
) -> list[Triggerer]:
    return [Triggerer(make(allowed), begins=chance.uniform(0, 2)) for _ in range(number)]


def _mean(found: Sequence[Shares]) -> Shares:
    return Shares(*(fmean(values) for values in zip(*map(astuple, found), strict=True)))


def _means(make: Callable[[float], PaceLike], number: int, service: Service, seeds: Sequence[int]) -> Shares:
    found = []
    for seed in seeds:
        triggerers = _some(number, random.Random(seed), make)
        run(triggerers, service, SETTLED + MEASURED, seed)
        found.append(shares(triggerers, SETTLED, SETTLED + MEASURED, ALLOWED))
    return _mean(found)


def _alone_after(service: Service, seeds: Sequence[int]) -> float:
    """Return the longest time, in seconds, in which the last of 32 takes over the whole allowance."""
    left_at, longest = 120.0, 0.0
    for seed in seeds:
        last, *others = triggerers = _some(MOST, random.Random(seed))
        for one in others:
            one.ends = left_at
        run(triggerers, service, left_at + 400, seed)
        longest = max(longest, seconds_until(last, 0.93, left_at, ALLOWED))
    return longest


def _situation(situation: Situation, seeds: Sequence[int]) -> Shares:
    found = []
    until = situation.since + situation.seconds
    for seed in seeds:
        counted, others = situation.make(random.Random(seed))
        run([*counted, *others], situation.service, until, seed)
        found.append(shares(counted, situation.since, until, situation.allowed))
    return _mean(found)


def _situations() -> list[Situation]:
    both = (("fixed windows", FREE), ("sliding window, refused requests count", COUNTED))
    third_minute, sixteenth = SETTLED + 120, ALLOWED / 16
    rest_of_busy = "4 busy ones beside 4 that want 0.5 a second each: the busy ones, of the rest"
    return [
        Situation(
            "a newcomer among 15, from its third minute on: of a sixteenth", FREE, _newcomer, sixteenth, third_minute
        ),
        Situation("the same, where refused requests count", COUNTED, _newcomer, sixteenth, third_minute),
        Situation(rest_of_busy, FREE, lambda chance: (_some(4, chance), _little(4, chance)), ALLOWED - 2),
        Situation("the same: those with little demand", FREE, lambda chance: (_little(4, chance), _some(4, chance)), 2),
        Situation("4 beside a script that sends 10 a second: of the rest", replace(FREE, stranger=10), _only(4), 10),
        Situation("the same, token bucket", replace(FREE, window="bucket", stranger=10), _only(4), 10),
        *(
            Situation(f"1, and {refused:.0%} refused at random", replace(FREE, refuses_at_random=refused), _only(1))
            for refused in (0.01, 0.05, 0.3)
        ),
        *(
            Situation(
                f"{number} of them, {allowed:g} a second, {title}",
                replace(service, requests_per_second=allowed),
                _only(number, allowed),
                allowed,
                since=300,
                seconds=2400,
            )
            for number, allowed in ((1, 0.5), (1, 1.0), (8, 0.5), (8, 1.0))
            for title, service in both
        ),
        *(
            Situation(
                f"{number} of them, `Retry-After: 1`, {title}",
                replace(service, retry_after=1.0),
                _only(number),
                since=120,
            )
            for number in (1, 4, 16, MOST)
            for title, service in both
        ),
    ]


def _only(number: int, allowed: float = ALLOWED) -> Make:
    return lambda chance: (_some(number, chance, allowed=allowed), [])


def _little(number: int, chance: random.Random) -> list[Triggerer]:
    return [replace(one, demand=0.5) for one in _some(number, chance)]


def _newcomer(chance: random.Random) -> tuple[list[Triggerer], list[Triggerer]]:
    first, *others = _some(16, chance)
    first.begins = SETTLED
    return [first], others


def _broken(ours: dict[str, dict[int, Shares]]) -> list[str]:
    broken = []
    for title, by_number in ours.items():
        service = SERVICES[title]
        for number, found in by_number.items():
            answered, refused = LEAST_FREE, REFUSED_MOST if number == MOST else REFUSED
            if service.counts_refused:
                answered = LEAST_COUNTED_MOST if number == MOST else LEAST_COUNTED
            elif service.window == "sliding":
                answered = LEAST_COUNTED_MOST
            if found.answered < answered:
                broken.append(f"{number}, {title}: {found.answered:.1%} answered, not {answered:.0%}")
            if found.refused >= refused:
                broken.append(f"{number}, {title}: {found.refused:.1%} refused, {refused:.0%} are too many")
            if found.least < LEAST_FAIR:
                broken.append(f"{number}, {title}: one got {found.least:.2f} of the mean, not {LEAST_FAIR}")
    return broken


def _cell(found: Shares) -> str:
    return f"{found.answered:.0%} / {found.refused:.1%} / {found.least:.2f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)) + "\n"


def _draw(ours: dict[str, dict[int, Shares]], compared: dict[str, dict[str, dict[int, Shares]]], path: Path) -> None:
    """Draw a row of panels for this package by limiter, and one for all schemes where refused requests count."""
    import matplotlib as mpl
    from matplotlib import pyplot

    mpl.use("svg")
    # Without this, two drawings of the same figures would differ.
    mpl.rcParams["svg.hashsalt"] = "many triggerers"
    schemes = {name: by_service["count"] for name, by_service in compared.items()}
    rows = ((ours, "this package, by limiter"), (schemes, "schemes, where refused requests count"))
    columns = (
        ("answered", "answered: share of the allowance"),
        ("refused", "refused: share of the requests"),
        ("least", "least that one got: share of the mean"),
    )
    figure, panels = pyplot.subplots(2, 3, figsize=(13, 8))
    for (lines, title), row in zip(rows, panels, strict=True):
        for (name, label), panel in zip(columns, row, strict=True):
            for line, by_number in lines.items():
                panel.plot(
                    list(by_number), [getattr(found, name) for found in by_number.values()], marker=".", label=line
                )
            panel.set_xscale("log", base=2)
            panel.set_xticks(NUMBERS, map(str, NUMBERS))
            panel.set_ylim(bottom=0)
            panel.set_xlabel("triggerers")
            panel.set_title(label)
        row[0].legend(fontsize=7, title=title, title_fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
