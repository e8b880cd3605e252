"""When the next poll of a wait is due. Pure, except for the randomness that spreads polls."""

from __future__ import annotations

import random

from airflow_cloudtasks.errors import CloudApiError
from airflow_cloudtasks.waiting.verdicts import WaitRules

# More doublings change nothing: the interval is bounded anyway.
_MAX_DOUBLINGS = 30

# Seconds; the bound of the delay after a first error that may pass.
_FIRST_RETRY = 1.0

# Seconds; a longer Retry-After is cut to this. Waits have timeouts of their own, and some proxies send hours.
LONGEST_PAUSE = 300.0

# Seconds; the first poll comes within this time, however long the interval is.
_FIRST_POLL_WITHIN = 10.0


def next_delay(rules: WaitRules, polls: int, seconds_left: float) -> float:
    """Return the delay before the next poll.

    Args:
        rules: The rules of the wait.
        polls: The number of polls so far.
        seconds_left: Seconds to the wait's timeout.

    Returns:
        Seconds, never beyond the timeout, so that the last poll comes at the timeout. A tenth of the interval is
        random, so that waits that began together do not stay together.
    """
    doublings = min(max(polls - 1, 0), _MAX_DOUBLINGS) if rules.exponential_backoff else 0
    interval: float = rules.poke_interval * 2**doublings
    if rules.max_wait is not None:
        interval = min(interval, rules.max_wait)
    return max(min(interval * random.uniform(0.9, 1.0), seconds_left), 0.0)  # noqa: S311 - no secret


def first_delay(rules: WaitRules, seconds_left: float) -> float:
    """Return the delay before the first poll of a wait that begins, or resumes, in a triggerer.

    Args:
        rules: The rules of the wait.
        seconds_left: Seconds to the wait's timeout.

    Returns:
        Seconds, and random, so that a thousand waits that begin together do not poll together.
    """
    within = min(rules.poke_interval, _FIRST_POLL_WITHIN)
    return max(min(random.uniform(0.0, within), seconds_left), 0.0)  # noqa: S311 - no secret


def retry_delay(rules: WaitRules, failures: int, error: CloudApiError) -> float:
    """Return the delay before the next poll after an error that may pass.

    Args:
        rules: The rules of the wait.
        failures: The number of such errors in a row.
        error: The last one.

    Returns:
        Seconds: random, up to a bound that doubles with each error until it reaches the interval, and at least the
        ``Retry-After`` of the service.
    """
    bound = _bound(rules.poke_interval, failures)
    return max(random.uniform(0.0, bound), pause(error.retry_after))  # noqa: S311 - no secret


def throttle_delay(poke_interval: float, throttles: int) -> float:
    """Return how long one task backs off after it was throttled repeatedly.

    The first throttle only lowers the rate of the account: the task keeps its turn.

    Args:
        poke_interval: Seconds between two polls of the task.
        throttles: The number of throttled polls of the task in a row.

    Returns:
        Seconds: nothing after the first throttle; then between half of a bound and the bound. It doubles with each
        throttle until it reaches the interval.
    """
    if throttles <= 1:
        return 0.0
    return _bound(poke_interval, throttles - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def pause(retry_after: float | None) -> float:
    """Return the seconds for which a ``Retry-After`` is honoured: at most five minutes.

    Args:
        retry_after: Seconds that the service asks to wait; None if it does not.
    """
    return min(retry_after or 0.0, LONGEST_PAUSE)


def rest(failures: int, longest: float, error: BaseException) -> float:
    """Return the seconds to rest after failures in a row of what goes on for ever.

    Args:
        failures: How many there were; each one doubles the rest.
        longest: Seconds; the longest rest, unless the service asks for a longer one.
        error: The last failure, which may have a ``retry_after``.
    """
    return max(min(2.0 ** min(failures, _MAX_DOUBLINGS), longest), pause(getattr(error, "retry_after", None)))


def _bound(poke_interval: float, failures: int) -> float:
    return min(_FIRST_RETRY * 2.0 ** min(failures - 1, _MAX_DOUBLINGS), max(poke_interval, _FIRST_RETRY))
