"""What turns a success into a failure: vendors say that a task has finished, whatever happened to its parts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A field that tells a failure beside a status that does not.

    Args:
        path: The path of the field in the task object. ``*`` stands for each item of a list, and for each value of an
            object: ``Details.*.JobState``.
        values: The values that tell a failure, matched without regard to case. Without any, every value does that is
            not blank, e.g. the text of an error.

    Raises:
        ValueError: The path has an empty part, or a value is blank.
    """

    path: str
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not all(self.path.split(".")):
            raise ValueError(f"the path of a failure is {self.path!r}; expected names with dots between them.")
        if not all(isinstance(value, str) and value.strip() for value in self.values):
            raise ValueError(f"{self.path}: the values of a failure are {self.values!r}; expected texts.")
