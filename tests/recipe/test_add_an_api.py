"""The recipe of CONTRIBUTING.md that adds an API works as it is written, and touches few files."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import docs_tables
import pytest

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Add an API")[2].partition("\n## ")[0]
# "Append to `path`:" or "Create `path`:", and the block after it.
FILES = re.findall(r"^(Append to|Create) `(\S+)`:\n\n```\w+\n(.*?)^```$", RECIPE, re.DOTALL | re.MULTILINE)
[COMMANDS] = re.findall(r"^```shell\n(.*?)^```$", RECIPE, re.DOTALL | re.MULTILINE)
MOST_FILES = 4
GENERATED = ("airflow_cloudtasks/emulator/definitions/", "tests/contract/documented/")
FEWEST_TESTS = 15


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project in which every step of the recipe was done, files first."""
    folder = tmp_path_factory.mktemp("project")
    for name in files_of_the_project():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        # With its time: the compiled module that is copied with it is one of this time.
        shutil.copy2(ROOT / name, folder / name)
    for name in {Path(name).parent for name in files_of_the_project()}:
        if (compiled := ROOT / name / "__pycache__").is_dir():
            shutil.copytree(compiled, folder / name / "__pycache__")
    for verb, name, content in FILES:
        file = folder / name
        assert file.exists() is (verb == "Append to"), f"{verb} {name}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{file.read_text('utf-8')}\n{content}" if file.exists() else content, "utf-8")
    return folder


@pytest.fixture(scope="module")
def outputs(copy: Path) -> list[str]:
    """What each command of the recipe prints."""
    return [run(command, copy) for command in COMMANDS.splitlines()]


def files_of_the_project() -> list[str]:
    """The files that a commit of everything would have."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


def run(command: str, folder: Path) -> str:
    python, *arguments = shlex.split(command)
    assert python == ".venv/bin/python"
    # Options and plugins of the run that this test is part of are none of the recipe's.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=inherited | {"PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{command} exited with {done.returncode}:\n{done.stdout}"
    return done.stdout


def changed_files(folder: Path) -> set[str]:
    """The files of the copy that differ from the project's, but for what the runs themselves leave."""
    before = set(files_of_the_project())
    after = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    ours = {name for name in after if not {"__pycache__", ".pytest_cache", ".hypothesis"} & set(Path(name).parts)}
    both = ours & before
    return (ours ^ before) | {name for name in both if (folder / name).read_bytes() != (ROOT / name).read_bytes()}


def test_the_tests_of_the_new_api_pass(outputs: list[str]) -> None:
    *_, summary = outputs[-1].strip().splitlines()
    assert "failed" not in summary
    [passed] = re.findall(r"(\d+) passed", summary)
    assert int(passed) >= FEWEST_TESTS, outputs[-1]


def test_the_recipe_touches_few_files_besides_generated_ones(copy: Path, outputs: list[str]) -> None:
    pages = {str(path.relative_to(ROOT)) for path in docs_tables.pages()}
    written = {name for name in changed_files(copy) - pages if not name.startswith(GENERATED)}
    assert written == {name for _, name, _ in FILES}
    assert len(written) <= MOST_FILES


def test_the_definition_of_the_new_action_is_generated(copy: Path, outputs: list[str]) -> None:
    changed, _ = sorted(name for name in changed_files(copy) if name.startswith(GENERATED))
    assert '"GetSnapshotJob"' in (copy / changed).read_text()


def test_only_generated_tables_change_on_pages(copy: Path, outputs: list[str]) -> None:
    def prose(folder: Path, page: str) -> str:
        return re.sub(
            r"(<!-- generated:\S+ -->).*?(<!-- /generated -->)", r"\1\2", (folder / page).read_text(), flags=re.DOTALL
        )

    pages = [str(path.relative_to(ROOT)) for path in docs_tables.pages()]
    assert [page for page in pages if prose(copy, page) != prose(ROOT, page)] == []
    assert [page for page in pages if "`ice.snapshot_job`" in (copy / page).read_text()]
