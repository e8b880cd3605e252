"""Build the sdist and the wheel, and check each where a user installs it: in a fresh environment, outside the checkout.

Run by ``make build``. Exits with 1 and says what is wrong if any check fails; leaves the files in ``dist/``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
DISTRIBUTION = "airflow-provider-cloudtasks"
PACKAGE = "airflow_cloudtasks"
NEWEST, OLDEST = "apache-airflow", "apache-airflow==2.11.*"
UV = find_uv_bin()

# What needs an extra, or shared streams, which only Airflow 3.3 and newer have.
NOT_ALWAYS = tuple(f"{PACKAGE}.{name}" for name in ("emulator", "queues.smq", "assets._producer"))
# Import every module that a user without extras can import, then let Airflow import the hooks.
IMPORT_ALL = f"""
import importlib, pkgutil
import {PACKAGE}
for module in pkgutil.walk_packages({PACKAGE}.__path__, "{PACKAGE}."):
    if not module.name.startswith({NOT_ALWAYS}):
        importlib.import_module(module.name)
from airflow.providers_manager import ProvidersManager
hooks = ProvidersManager().hooks
for kind in ("cloudtasks_alibaba", "cloudtasks_tencent"):
    assert hooks[kind] is not None, f"Airflow cannot import the hook of {{kind}}"
"""


class BuildError(Exception):
    """A check of the build failed."""


def main() -> int:
    """Run every check. Return 0 if all passed, otherwise 1."""
    started = time.monotonic()
    try:
        sdist, wheel = build()
        check_metadata(sdist, wheel)
        check_wheel_contents(wheel)
        check_sdist_contents(sdist)
        for archive, airflow in ((wheel, NEWEST), (wheel, OLDEST), (sdist, NEWEST)):
            check_installed(archive, airflow)
    except BuildError as error:
        print(f"==> FAILED: {error}", file=sys.stderr)
        return 1
    print(f"==> {sdist.name} and {wheel.name} are good ({time.monotonic() - started:.0f} s)")
    return 0


def build() -> tuple[Path, Path]:
    """Build the sdist, and the wheel from the sdist. Return both files."""
    shutil.rmtree(DIST, ignore_errors=True)
    step("Building the sdist, and the wheel from it")
    run([UV, "build", "--quiet", "--out-dir", DIST, ROOT])
    (sdist,), (wheel,) = DIST.glob("*.tar.gz"), DIST.glob("*.whl")
    return sdist, wheel


def check_metadata(*archives: Path) -> None:
    """Raise BuildError if an index would refuse an archive, or could not render its description."""
    step("twine check --strict")
    run([UV, "tool", "run", "--quiet", "twine", "check", "--strict", *archives])


def check_wheel_contents(wheel: Path) -> None:
    """Raise BuildError unless the wheel holds exactly the package's files, and the metadata."""
    step(f"What {wheel.name} holds")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    compare(wheel, held, package_files())


def check_sdist_contents(sdist: Path) -> None:
    """Raise BuildError unless the sdist holds the package's files, and what builds them."""
    step(f"What {sdist.name} holds")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    needed = package_files() | {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"}
    compare(sdist, held & needed, needed)


def package_files() -> set[str]:
    """Return the package's files in the checkout, relative to its root."""
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / PACKAGE).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def compare(archive: Path, held: set[str], expected: set[str]) -> None:
    """Raise BuildError if an archive lacks a file, or has one too many."""
    lacking, additional = sorted(expected - held), sorted(held - expected)
    if lacking or additional:
        raise BuildError(f"{archive.name} lacks {lacking or 'nothing'} and should not hold {additional or 'anything'}.")


def check_installed(archive: Path, airflow: str) -> None:
    """Raise BuildError unless an archive works in a fresh environment.

    Args:
        archive: The sdist or the wheel.
        airflow: The requirement that selects the Airflow to install with it.
    """
    step(f"{archive.name} with {airflow}")
    with fresh_environment() as (home, python):
        run([UV, "pip", "install", "--quiet", "--python", python, airflow, archive])
        environment = os.environ | {
            "AIRFLOW_HOME": str(home / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            # Python hides most DeprecationWarnings; those that this package causes must show.
            "PYTHONWARNINGS": "always",
            "COLUMNS": "200",
        }
        environment.pop("PYTHONPATH", None)
        check_listed(run(["airflow", "providers", "list", "--output", "plain"], environment, home), version_of(archive))
        check_silent(run([python, "-c", IMPORT_ALL], environment, home).splitlines())


def check_listed(output: str, version: str) -> None:
    """Raise BuildError unless ``airflow providers list`` shows the provider, and says nothing else of it."""
    lines = output.splitlines()
    rows = [line for line in lines if line.startswith(DISTRIBUTION)]
    if len(rows) != 1 or version not in rows[0].split():
        raise BuildError(f"airflow providers list does not show {DISTRIBUTION} {version}:\n{output}")
    check_silent(line for line in lines if line != rows[0])


def check_silent(lines: Iterator[str] | Sequence[str]) -> None:
    """Raise BuildError if a line of output is a warning or an error that names this package."""
    ours = [line for line in lines if PACKAGE in line or DISTRIBUTION in line]
    if ours:
        raise BuildError("Unexpected output about this package:\n" + "\n".join(ours))


def version_of(archive: Path) -> str:
    """Return the version in an archive's name."""
    return archive.name.removesuffix(".tar.gz").split("-")[1]


@contextmanager
def fresh_environment() -> Iterator[tuple[Path, Path]]:
    """Yield an empty folder, and the Python of a new virtual environment in it."""
    with tempfile.TemporaryDirectory(prefix="cloudtasks-build-") as folder:
        environment = Path(folder, "environment")
        run([UV, "venv", "--quiet", "--python", sys.executable, environment])
        yield Path(folder), environment / "bin" / "python"


def run(command: Sequence[str | Path], environment: dict[str, str] | None = None, folder: Path | None = None) -> str:
    """Return the output of a command, errors included. Raise BuildError with it if the command fails."""
    done = subprocess.run(
        command, env=environment, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        name = " ".join(map(str, command)).partition("\n")[0]
        raise BuildError(f"{name} exited with {done.returncode}:\n{done.stdout}")
    return done.stdout


def step(title: str) -> None:
    """Print what is checked next."""
    print(f"==> {title}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
