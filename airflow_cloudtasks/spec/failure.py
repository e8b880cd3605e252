"""What turns a success into a failure: vendors say that a task has finished, whatever happened to its parts."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_cloudtasks.spec.literals import is_path


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A field that tells a failure beside a status that does not.

    Args:
        path: The path of the field in the task object. ``*`` stands for each item of a list, and for each value of an
            object: ``Details.*.JobState``.
        values: The values that tell a failure, matched without regard to case; ``true`` and ``false`` match JSON's.
            Without any, every value does that is not blank, e.g. the text of an error.

    Raises:
        ValueError: The path has a blank part, or the values are not a tuple of texts that are not blank.
    """

    path: str
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not is_path(self.path):
            raise ValueError(f"the path of a failure is {self.path!r}; expected names with dots between them.")
        if isinstance(self.values, str) or not all(isinstance(each, str) and each.strip() for each in self.values):
            raise ValueError(f"{self.path}: the values of a failure are {self.values!r}; expected a tuple of texts.")
