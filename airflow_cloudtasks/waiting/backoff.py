"""When the next poll of a wait is due. Pure but for the randomness that spreads polls."""

from __future__ import annotations

import random

from airflow_cloudtasks.errors import CloudApiError
from airflow_cloudtasks.waiting.verdicts import WaitRules

# Doubling beyond this changes nothing for any interval that a person would choose.
_MAX_DOUBLINGS = 30

# Seconds; after an error that may be gone in a moment the next poll comes sooner than after an answer.
_FIRST_RETRY = 1.0

# Seconds; waits have timeouts to keep, whatever a service asks for.
LONGEST_PAUSE = 60.0

# Seconds; however long the interval, a wait that begins asks within these for the first time.
_FIRST_POLL_WITHIN = 10.0


def next_delay(rules: WaitRules, polls: int, seconds_left: float) -> float:
    """Decide how long to wait for the next poll.

    Args:
        rules: How to wait.
        polls: How many polls there were.
        seconds_left: Seconds to the wait's timeout.

    Returns:
        Seconds, never beyond the timeout, so that the last poll comes with it. A tenth of the interval is random: waits
        that began together do not stay together.
    """
    doublings = min(max(polls - 1, 0), _MAX_DOUBLINGS) if rules.exponential_backoff else 0
    interval: float = rules.poke_interval * 2**doublings
    if rules.max_wait is not None:
        interval = min(interval, rules.max_wait)
    return max(min(interval * random.uniform(0.9, 1.0), seconds_left), 0.0)  # noqa: S311 - no secret


def first_delay(rules: WaitRules, seconds_left: float) -> float:
    """Decide how long to wait for the first poll of a wait that begins in the triggerer, or goes on in another one.

    Args:
        rules: How to wait.
        seconds_left: Seconds to the wait's timeout.

    Returns:
        Seconds, and random: a thousand waits that begin together do not ask together.
    """
    within = min(rules.poke_interval, _FIRST_POLL_WITHIN)
    return max(min(random.uniform(0.0, within), seconds_left), 0.0)  # noqa: S311 - no secret


def retry_delay(rules: WaitRules, failures: int, error: CloudApiError) -> float:
    """Decide how soon to ask again after an error that may be gone in a moment.

    Args:
        rules: How to wait.
        failures: How many such errors there were in a row.
        error: The last one.

    Returns:
        Seconds: random between none and a bound that doubles from error to error, up to an interval.
    """
    longest = max(rules.poke_interval, _FIRST_RETRY)
    bound = min(_FIRST_RETRY * 2 ** min(failures - 1, _MAX_DOUBLINGS), longest)
    requested = min(error.retry_after or 0.0, LONGEST_PAUSE)
    return max(random.uniform(0.0, bound), requested)  # noqa: S311 - no secret
