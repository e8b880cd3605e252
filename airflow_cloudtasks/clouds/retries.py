"""How often one request is tried, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import tenacity

from airflow_cloudtasks.errors import CloudApiError

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Retries:
    """How often one request is tried, and for how long.

    Args:
        tries: The number of tries, including the first one.
        seconds: No try begins later than this many seconds after the first one.
        first_delay: The delay before the second try is random between 0 and this many seconds. The upper bound doubles
            with every try.
        longest_delay: The longest delay in seconds; a longer ``Retry-After`` of the service is still respected.
    """

    tries: int = 5
    seconds: float = 60.0
    first_delay: float = 0.5
    longest_delay: float = 10.0

    def rules(self, *, repeatable: bool = True) -> dict[str, Any]:
        """Return the arguments of tenacity's retrying classes.

        Args:
            repeatable: Whether to retry a request that the cloud may have carried out.
        """
        jitter = tenacity.wait_random_exponential(multiplier=self.first_delay, max=self.longest_delay)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            return max(jitter(state), getattr(error, "retry_after", None) or 0.0)

        def is_retryable(error: BaseException) -> bool:
            return (
                isinstance(error, CloudApiError)
                and error.retryable
                and not error.retried
                and (repeatable or not error.may_have_acted)
            )

        return {
            "retry": tenacity.retry_if_exception(is_retryable),
            # Not stop_after_delay: if the service requests a longer delay than the time left, stop at once.
            "stop": tenacity.stop_after_attempt(self.tries) | tenacity.stop_before_delay(self.seconds),
            "wait": wait,
            "reraise": True,
        }

    def run(self, send: Callable[[], Result]) -> Result:
        """Return the result of a repeatable request, tried as often as needed and allowed.

        Args:
            send: Sends the request once.

        Raises:
            CloudApiError: No try gave a usable answer.
        """
        for attempt in tenacity.Retrying(**self.rules()):
            with attempt:
                return send()
        raise AssertionError("tenacity ends by a return or a raise")
