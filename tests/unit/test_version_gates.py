"""Only ``version_compat`` asks which Airflow is installed, and the package's root holds only modules of general use."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent.parent / "airflow_cloudtasks"
GATES = PACKAGE / "version_compat.py"
MODULES = sorted(PACKAGE.rglob("*.py"))
# Airflow's classes, whose attributes tell its version.
AIRFLOW_CLASSES = {
    "BaseTrigger",
    "BaseEventTrigger",
    "BaseOperator",
    "BaseSensorOperator",
    "BaseHook",
    "Variable",
    "XCom",
}
ROOT_MODULES = {
    "__init__",
    "__main__",
    "errors",
    "get_provider_info",
    "model",
    "values",
    "version_compat",
}


def gates(source: str) -> list[str]:
    """Return the expressions of a module that ask which Airflow is installed."""
    return [ast.unparse(node) for node in ast.walk(ast.parse(source)) if any(_asks_for_the_version(node))]


def _asks_for_the_version(node: ast.AST) -> Iterator[bool]:
    match node:
        case ast.ImportFrom(module=str(module), names=names) if module.partition(".")[0] == "airflow":
            yield any(name.name in ("__version__", "version") for name in names)
        case ast.Import(names=names):
            yield any(name.name in ("airflow.version", "packaging.version") for name in names)
        case ast.Attribute(value=ast.Name(id="airflow"), attr="__version__"):
            yield True
        case ast.Call(func=ast.Name(id="hasattr" | "getattr"), args=[ast.Name(id=name), *_]):
            yield name in AIRFLOW_CLASSES
        case ast.Call(
            func=ast.Attribute(attr="version") | ast.Name(id="version"), args=[ast.Constant(value=str(name))]
        ):
            yield name.startswith("apache-airflow")
        case ast.Compare(
            left=ast.Name(id="AIRFLOW_VERSION" | "AIRFLOW_RELEASE"), comparators=[ast.Tuple() | ast.Constant()]
        ):
            yield True
        case ast.Try(handlers=handlers, body=body):
            catches = any("ImportError" in ast.unparse(handler.type) for handler in handlers if handler.type)
            imports = [node.module or "" for node in ast.walk(ast.Module(body, [])) if isinstance(node, ast.ImportFrom)]
            yield catches and any(name.partition(".")[0] == "airflow" for name in imports)


@pytest.mark.parametrize(
    "source",
    [
        "from airflow import __version__ as release",
        "import airflow\nif airflow.__version__ > '3': pass",
        "from airflow.version import version",
        "from importlib.metadata import version\nversion('apache-airflow')",
        "if hasattr(BaseTrigger, 'on_kill'): pass",
        "if AIRFLOW_VERSION >= (3, 3): pass",
        "try:\n    from airflow.sdk import BaseHook\nexcept ImportError:\n    BaseHook = None",
    ],
)
def test_the_scan_finds_a_version_gate(source: str) -> None:
    assert gates(source)


def test_the_scan_finds_the_gates_of_version_compat() -> None:
    assert len(gates(GATES.read_text("utf-8"))) >= 4


def test_no_other_module_holds_a_version_gate() -> None:
    found = {module: gates(module.read_text("utf-8")) for module in MODULES if module != GATES}
    assert {str(module): lines for module, lines in found.items() if lines} == {}


def test_the_root_of_the_package_holds_only_modules_of_general_use() -> None:
    assert {module.stem for module in PACKAGE.glob("*.py")} <= ROOT_MODULES
