"""How long one try of an Airflow task may take. Pure: the caller reads the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

# Some 300 years. Airflow stores a deadline as a date, and no date can be later than the year 9999.
_MAX_SECONDS = 1e10


LimitName = Literal["timeout", "execution_timeout"]


def seconds(name: str, value: Any) -> float:
    """Return a duration in seconds: the one rule for every argument that is a duration.

    Args:
        name: The argument's name, for the error.
        value: A number of seconds, or a timedelta.

    Raises:
        ValueError: The value is no duration, is negative, or is longer than Airflow can store.
    """
    number = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < float("inf"):
        raise ValueError(f"{name} is {value!r}; expected a number of seconds of at least 0, or a timedelta.")
    if number >= _MAX_SECONDS:
        raise ValueError(f"{name} is {value!r}; expected less than {_MAX_SECONDS:.0e} seconds, which are 300 years.")
    return float(number)


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeLimits:
    """The limits of one try. Both count from the start of the try, whatever the mode and over all deferrals.

    Args:
        started_at: Unix seconds at which the try began.
        timeout: Seconds: the ``timeout`` of the sensor or operator.
        execution_timeout: Seconds: Airflow's ``execution_timeout``; None for no such limit.
    """

    started_at: float
    timeout: float
    execution_timeout: float | None = None

    @property
    def binding(self) -> LimitName:
        """The limit that is reached first."""
        longer = self.execution_timeout is None or self.timeout <= self.execution_timeout
        return "timeout" if longer else "execution_timeout"

    @property
    def seconds(self) -> float:
        """Length of the limit that is reached first, in seconds."""
        return self.timeout if self.execution_timeout is None else min(self.timeout, self.execution_timeout)

    @property
    def deadline(self) -> float:
        """Unix seconds at which the limit is reached."""
        return self.started_at + self.seconds

    def seconds_left(self, now: float) -> float:
        """Return the seconds until the deadline; negative if it has passed.

        Args:
            now: Unix seconds.
        """
        return self.deadline - now

    def __str__(self) -> str:
        """Return the limit as a text can name it."""
        return f"{self.binding} of {self.seconds:g} seconds"
