"""The generated tables of README and docs have every API and every operator, and are current."""

from __future__ import annotations

from pathlib import Path

import describing
import docs_tables
import pytest
from airflow.providers.common.compat.sdk import BaseOperator

from airflow_cloudtasks.catalog import APIS, apis_of, products
from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.spec import Start

from .every_operator import typed_operators

PAGE = "# Title\n\n<!-- generated:lists -->\nold\n<!-- /generated -->\n\nEnd.\n"


def row(table: str, name: str) -> str:
    [line] = [line for line in docs_tables.TABLES[table]().splitlines() if line.startswith(f"| `{name}` |")]
    return line


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A README with an outdated table, in a project of its own."""
    monkeypatch.setattr(docs_tables, "ROOT", tmp_path)
    readme = tmp_path / "README.md"
    readme.write_text(PAGE)
    return readme


def test_the_tables_of_this_project_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs_tables.main(["--check"]) == 0, capsys.readouterr()


@pytest.mark.parametrize("table", docs_tables.TABLES)
def test_a_page_has_each_table(table: str) -> None:
    assert any(f"<!-- generated:{table} -->" in path.read_text("utf-8") for path in docs_tables.pages())


def test_a_check_fails_for_an_outdated_table_and_says_how_to_write_it(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert docs_tables.main(["--check"]) == 1
    output = capsys.readouterr()
    assert "-old" in output.out
    assert "+| `bdrc.task` |" in output.out
    assert "Run: make docs-tables" in output.err
    assert page.read_text() == PAGE


def test_a_table_is_written_between_its_markers_and_nothing_else_changes(page: Path) -> None:
    assert docs_tables.main([]) == 0
    lists = docs_tables.lists()
    assert page.read_text() == PAGE.replace("\nold\n", f"\n\n{lists}\n\n")
    assert docs_tables.main(["--check"]) == 0


def test_pages_below_docs_have_tables_and_those_of_a_build_do_not(page: Path, tmp_path: Path) -> None:
    for folder in ("docs/how-to", "docs/_build"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "page.md").write_text(PAGE)
    assert docs_tables.main([]) == 0
    assert "old" not in (tmp_path / "docs/how-to/page.md").read_text()
    assert "old" in (tmp_path / "docs/_build/page.md").read_text()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (PAGE.replace("lists", "list"), "README.md: there is no table 'list'; expected one of alarms, "),
        (PAGE.replace("<!-- /generated -->", ""), "README.md: a <!-- generated:NAME --> has no <!-- /generated -->"),
    ],
)
def test_a_marker_that_cannot_be_filled_in_is_an_error(
    page: Path, capsys: pytest.CaptureFixture[str], text: str, error: str
) -> None:
    page.write_text(text)
    assert docs_tables.main([]) == 1
    assert error in capsys.readouterr().err
    assert page.read_text() == text


@pytest.mark.parametrize("name", APIS)
def test_the_table_of_apis_has_the_actions(name: str) -> None:
    api, cells = APIS[name], row("apis", name).split("|")[2:-1]
    product, read, starts, cancel, listing, parts = map(str.strip, cells)
    assert product.startswith(f"[{api.service.product}](../products/")
    assert read == api.read.name
    assert all(start.action.name in starts for start in api.starts)
    assert cancel == (api.cancel.action.name if api.cancel else "")
    assert listing == (api.list_tasks.action.name if api.list_tasks else "")
    assert bool(parts) is bool(api.parts)


def test_the_summary_counts_every_api() -> None:
    rows = docs_tables.catalog_summary().splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in rows]
    [apis, files] = [sum(int(row[1].split()[at]) for row in cells) for at in (0, 2)]
    [starts, cancels] = [sum(int(row[at]) for row in cells) for at in (2, 3)]
    assert (apis, files) == (len(APIS), len(products()))
    assert starts == sum(bool(api.starts) for api in APIS.values())
    assert cancels == sum(bool(api.cancel) for api in APIS.values())


@pytest.mark.parametrize("name", APIS)
def test_the_permissions_have_every_action(name: str) -> None:
    api = APIS[name]
    actions = {api.read.name} | {
        listing.action.name for listing in (api.list_tasks, api.read_many, api.cancel) if listing
    }
    for start in api.starts:
        actions |= {start.action.name, *([start.then.name] if start.then else [])}
        actions |= {start.find.tasks.action.name} if start.find else set()
    if api.parts:
        actions |= {
            part.name
            for part in (api.parts.listed and api.parts.listed.action, api.parts.log and api.parts.log.action)
            if part
        }
    line, page = row("permissions", name), page_of(name)
    for action in actions:
        assert f"`{api.service.name}:{action}`" in line
        assert f'"{api.service.name}:{action}"' in page


def page_of(name: str) -> str:
    """Return the page of an API's product."""
    [product] = [product for product in products() if name in apis_of(product)]
    return docs_tables.product_page(product)


@pytest.mark.parametrize("name", APIS)
def test_the_page_of_the_product_has_the_parameters_the_statuses_and_the_actions(name: str) -> None:
    api = APIS[name]
    section = page_of(name).partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert f"| Task id | `{api.id_param}` |" in section
    assert f"| Read by | {api.read.name} |" in section
    assert all(f"`{param}`" in section for param in (*api.task_params, *api.carried_params))
    assert all(status in section for status in api.states)
    for start in api.starts:
        [line] = [line for line in section.splitlines() if line.startswith(f"| {start.action.name}")]
        assert all(f"`{param}`" in line for param in (*start.action.params, *start.action.optional))
        assert is_recognised_as(start, line)


@pytest.mark.parametrize("product", products())
def test_the_page_of_a_product_begins_with_its_name_and_says_what_its_tasks_are(product: str) -> None:
    [title, prose, *_] = docs_tables.product_page(product).split("\n\n")
    assert title.startswith(("# Alibaba Cloud ", "# Tencent Cloud "))
    assert not prose.startswith("The product's code"), f"the docstring of {product}.py has no second paragraph"


@pytest.mark.parametrize(
    "face", [*describing.typed_sensors(), *describing.typed_operators()], ids=lambda face: face.task_type
)
def test_the_page_of_a_product_has_the_classes_with_arguments_of_its_own(face: BaseOperator) -> None:
    assert f"`{face.task_type}`" in page_of(face.api.name)


def test_a_new_product_gets_a_page(page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page.unlink()
    page.write_text("# Title\n")
    assert docs_tables.main(["--check"]) == 1
    assert f"+++ docs/products/{products()[0]}.md" in capsys.readouterr().out
    assert docs_tables.main([]) == 0
    assert {path.stem for path in (tmp_path / "docs/products").iterdir()} == set(products())
    written = tmp_path / f"docs/products/{products()[0]}.md"
    written.write_text(f"{written.read_text()}\nMore.\n")
    assert docs_tables.main(["--check"]) == 0


def test_every_operator_is_in_the_table_of_operators() -> None:
    rows = [row("operators", operator.__name__) for operator in typed_operators()]
    assert len(rows) == len(docs_tables.operators().splitlines()) - 2


def test_the_table_of_faces_has_every_operator_and_sensor() -> None:
    faces = docs_tables.faces()
    assert all(f"`{operator.__name__}`" in faces for operator in typed_operators())
    own = [sensor for sensor in CloudTaskSensor.__subclasses__() if sensor.__module__.startswith("airflow_cloudtasks.")]
    assert all(f"`{sensor.__name__}`" in faces for sensor in own)
    assert {sensor.__name__ for sensor in own} == {type(sensor).__name__ for sensor in describing.typed_sensors()}


@pytest.mark.parametrize("operator", describing.typed_operators(), ids=lambda operator: operator.task_type)
def test_the_table_of_operators_has_how_each_start_is_canceled_and_recognised(operator: StartCloudTaskOperator) -> None:
    api, start = operator.api, operator.start
    _, _, how, kill, lost, _ = row("operators", operator.task_type).split("|")
    assert start.action.name in how
    assert start.then is None or start.then.name in how
    assert (api.cancel.action.name in kill) if api.cancel else (kill == " none ")
    assert is_recognised_as(start, lost)


def is_recognised_as(start: Start, said: str) -> bool:
    """Return whether a text says how a start without an answer is recognised."""
    known = start.client_token or start.named_by or (start.find and start.find.tasks.action.name)
    return (known in said) if known else ("the task fails" in said)


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.list_tasks or api.read_many])
def test_the_table_of_lists_has_the_actions_and_how_many_tasks_each_reads(name: str) -> None:
    api, line = APIS[name], row("lists", name)
    assert api.list_tasks is None or f" {api.list_tasks.action.name}, {api.list_tasks.page_size} |" in line
    assert api.read_many is None or f" {api.read_many.action.name}, {api.read_many.most} |" in line


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.parts])
def test_the_table_of_failed_parts_has_the_api(name: str) -> None:
    assert row("failed_parts", name)
