"""The dependency group of `make unit` restates the package's dependencies without Airflow."""

from __future__ import annotations

import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())


def test_the_unit_group_has_every_dependency_but_airflow() -> None:
    emulator = PROJECT["project"]["optional-dependencies"]["emulator"]
    needed = {each for each in PROJECT["project"]["dependencies"] + emulator if not each.startswith("apache-airflow")}
    listed = {each for each in PROJECT["dependency-groups"]["unit"] if isinstance(each, str)}
    assert needed <= listed
