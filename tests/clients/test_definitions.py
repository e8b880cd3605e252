"""The definitions are what the installed packages of the vendors say."""

from __future__ import annotations

import json

from tools.definitions.__main__ import definitions


def test_the_definitions_are_those_of_the_vendors_packages() -> None:
    # A newer version of a package may say something else: then python -m tools.definitions is due, and no test fails.
    compared = 0
    for path, definition in definitions():
        written = json.loads(path.read_bytes())
        if written["package"] == definition["package"]:
            assert written == definition, f"{path} is out of date: run python -m tools.definitions."
            compared += 1
    assert compared
