"""Finds what a test module imports, by reading it and all that it imports here: without importing any of it."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PACKAGE = "airflow_cloudtasks"
# What each file imported when it was read last, by its path; its time and size tell whether it is still so. To read
# all of them takes each process of pytest most of two seconds.
KEPT = ROOT / ".pytest_cache" / "imports.json"


@cache
def imported_by(module: Path) -> frozenset[str]:
    """Return the top-level names of all modules that a test module imports, directly or through modules here.

    Args:
        module: The file of the module. It counts as importing the ``conftest.py`` of its folder.
    """
    seen: set[Path] = set()
    found: set[str] = set()
    unread = [module, module.with_name("conftest.py")]
    while unread:
        file = unread.pop()
        if file in seen or not file.is_file():
            continue
        seen.add(file)
        for name in _names(file):
            found.add(name.partition(".")[0])
            unread += _files(name)
    return frozenset(found)


@cache
def _modules() -> dict[str, Path]:
    """Return the modules here by name: those of the package, and those of the tests, whose folders are on the path."""
    package = {_dotted(file): file for file in (ROOT / PACKAGE).rglob("*.py")}
    tests = list(TESTS.rglob("*.py"))
    return package | {_dotted(file): file for file in tests} | {file.stem: file for file in tests}


def _dotted(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _files(name: str) -> Iterator[Path]:
    """Yield the files here that importing a name runs: the module, and its packages on the way."""
    modules, parts = _modules(), name.split(".")
    if name in modules:
        yield from (modules[part] for end in range(len(parts)) if (part := ".".join(parts[: end + 1])) in modules)


def keep() -> None:
    """Keep what was read, for the next processes."""
    KEPT.parent.mkdir(exist_ok=True)
    own = KEPT.with_suffix(f".{os.getpid()}")
    own.write_text(json.dumps(_kept()))
    own.replace(KEPT)


@cache
def _kept() -> dict[str, list[Any]]:
    try:
        kept: dict[str, list[Any]] = json.loads(KEPT.read_text())
    except (OSError, ValueError):
        return {}
    return kept


@cache
def _names(file: Path) -> tuple[str, ...]:
    """Return the modules that a file imports. The package's imports inside of functions do not count: it may run on."""
    path, stat = str(file.relative_to(ROOT)), file.stat()
    # What is a module here, and how it is read, count too.
    version = [stat.st_mtime_ns, stat.st_size, len(_modules()), Path(__file__).stat().st_mtime_ns]
    if _kept().get(path, [None])[0] != version:
        _kept()[path] = [version, _read(file)]
    return tuple(_kept()[path][1])


def _read(file: Path) -> tuple[str, ...]:
    tree = ast.parse(file.read_text())
    nodes = _when_imported(tree.body) if ROOT / PACKAGE in file.parents else ast.walk(tree)
    return tuple(name for node in nodes for name in _named(node, file))


def _when_imported(body: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    """Yield the statements that run when a module is imported."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _when_imported(node.orelse)
        elif isinstance(node, ast.If | ast.Try | ast.With):
            for field in ("body", "orelse", "finalbody"):
                yield from _when_imported(getattr(node, field, ()))
            for handler in getattr(node, "handlers", ()):
                yield from _when_imported(handler.body)
        else:
            yield node


def _named(node: ast.AST, file: Path) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = file.relative_to(ROOT).parts[: -node.level] if node.level else ()
        module = ".".join([*package, *filter(None, [node.module])])
        yield module
        yield from (name for alias in node.names if (name := f"{module}.{alias.name}") in _modules())
