"""The catalog loads a product's file when it is needed, finds an API by its name, and helps with a wrong name."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from airflow_cloudtasks import catalog
from airflow_cloudtasks.catalog import APIS, apis_of, find_api, products, stored_api

CONSTANTS = [name for name in catalog.__all__ if name.isupper() and name not in {"APIS", "ENTRY_POINTS"}]


def loads(program: str) -> list[str]:
    """Return the products' files that a program in a new interpreter has loaded at its end."""
    at_end = "; import sys; print(*(name for name in sys.modules if name.startswith('airflow_cloudtasks.catalog.')))"
    done = subprocess.run([sys.executable, "-c", program + at_end], capture_output=True, text=True, check=True)
    return [name.removeprefix("airflow_cloudtasks.catalog.") for name in done.stdout.split()]


@pytest.mark.parametrize(
    ("program", "loaded"),
    [
        ("import airflow_cloudtasks.catalog", []),
        ("from airflow_cloudtasks.catalog import APIS, find_api, stored_api", []),
        ("from airflow_cloudtasks.catalog import find_api; find_api('lke.task')", ["lke"]),
        (
            "from airflow_cloudtasks.catalog import find_api; find_api('lke.task'); find_api('bdrc.task')",
            ["lke", "bdrc"],
        ),
        ("from airflow_cloudtasks.catalog import APIS; APIS['ice.workflow_task']", ["ice"]),
        ("from airflow_cloudtasks.catalog import APIS; assert 'no.such' not in APIS", []),
        ("from airflow_cloudtasks.catalog import WEDATA_SQL_RUN", ["wedata"]),
        ("from airflow_cloudtasks.catalog import APIS, LKE_TASK, stored_api; stored_api(LKE_TASK)", ["lke"]),
        ("from airflow_cloudtasks.catalog import APIS; len(APIS)", list(products())),
    ],
)
def test_loads_no_other_product_than_the_needed_one(program: str, loaded: list[str]) -> None:
    assert loads(program) == loaded


@pytest.mark.parametrize("product", products())
def test_the_name_of_each_api_begins_with_the_name_of_its_file(product: str) -> None:
    assert apis_of(product)
    for name, api in apis_of(product).items():
        prefix = name.partition(".")[0]
        assert product in {prefix, f"{prefix}_{api.cloud}"}


@pytest.mark.parametrize("product", products())
def test_a_file_has_one_product(product: str) -> None:
    assert len({(api.cloud, api.service.name) for api in apis_of(product).values()}) == 1


def test_no_two_files_have_an_api_of_one_name() -> None:
    names = [name for product in products() for name in apis_of(product)]
    assert sorted(names) == sorted(set(names))
    assert list(APIS) == names
    assert len(APIS) == len(names)


@pytest.mark.parametrize("name", APIS)
def test_finds_an_api_by_its_name(name: str) -> None:
    assert find_api(name).name == name
    assert stored_api(find_api(name)) == name


def test_finds_an_api_in_the_file_of_its_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"toy": {}, "toy_alibaba": {"toy.a": 1}, "toy_tencent": {"toy.t": 2}, "toy_other": {"toy.o": 3}}
    monkeypatch.setattr(catalog, "products", lambda: tuple(files))
    monkeypatch.setattr(catalog, "apis_of", files.__getitem__)
    assert [APIS.get(f"toy.{name}") for name in "ato"] == [1, 2, None]


@pytest.mark.parametrize("constant", CONSTANTS)
def test_a_constant_is_the_api_of_its_name(constant: str) -> None:
    api = getattr(catalog, constant)
    assert api.name.upper().replace(".", "_") == constant
    assert APIS[api.name] is api


@pytest.mark.parametrize("name", ["NO_TASK", "WEDATA_ASYNC_JOB", "Service", "__wrapped__"])
def test_the_module_has_no_other_attribute(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"module 'airflow_cloudtasks\.catalog' has no attribute '{name}'"):
        getattr(catalog, name)


def test_the_catalog_cannot_be_changed_by_accident() -> None:
    with pytest.raises(TypeError):
        APIS["mine.task"] = APIS["lke.task"]  # type: ignore[index] # what the type checker refuses


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("wedata.tusk", "wedata.task, "),
        ("weadta.sql_run", "wedata.sql_run"),
        ("ice.workflow", "ice.workflow_task, ice.ai_workflow_task"),
        ("lke", "lke.task"),
        ("bdrc.anything", "bdrc.task"),
    ],
)
def test_the_error_of_an_unknown_name_has_close_names(name: str, close: str) -> None:
    with pytest.raises(ValueError, match=f"^Unknown api '{name}'. Did you mean {close}") as caught:
        find_api(name)
    said = str(caught.value)
    assert said.endswith(
        f"`python -m airflow_cloudtasks catalog` lists all {len(APIS)}; or pass a TaskApi of your own."
    )
    assert len(said) < 300


def test_the_error_of_a_name_like_no_other_has_no_names() -> None:
    with pytest.raises(ValueError, match=r"^Unknown api 'xyz'\. `python -m airflow_cloudtasks catalog` lists all"):
        find_api("xyz")


@pytest.mark.parametrize("api", [None, 7, ["wedata.task"]])
def test_refuses_what_is_no_name(api: Any) -> None:
    with pytest.raises(ValueError, match=r"expected the name of an API, e\.g\. 'wedata\.task', or a TaskApi"):
        find_api(api)
