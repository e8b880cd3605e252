"""The connection form as Airflow's own commands and its providers manager report it, on every Airflow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.providers_manager import ProvidersManager

from airflow_cloudtasks.get_provider_info import connection_type
from airflow_cloudtasks.version_compat import AIRFLOW_VERSION, IS_AIRFLOW_2

# These versions do not install the library that their own commands build forms with; the API server replaces it.
ONLY_IN_API_SERVER = (3, 0) <= AIRFLOW_VERSION < (3, 2)
by_command = pytest.mark.skipif(ONLY_IN_API_SERVER, reason="test_api_server_has_the_declared_fields tests these")
CONNECTION_TYPES = ["cloudtasks_alibaba", "cloudtasks_tencent"]


# One process for both commands, because importing Airflow takes longer than either.
COMMANDS = ("widgets", "behaviours")
RUN = f"""
from airflow.cli.cli_parser import get_parser
for command in {COMMANDS}:
    given = get_parser().parse_args(["providers", command, "--output", "json"])
    given.func(given)
    print("END", flush=True)
"""


@pytest.fixture(scope="module")
def answers(airflow_home: Path) -> dict[str, list[dict[str, Any]]]:
    """What `airflow providers` prints for each of the commands."""
    done = subprocess.run([sys.executable, "-c", RUN], check=True, capture_output=True, text=True)
    assert "WARNING" not in done.stderr.upper(), done.stderr
    assert "cloudtasks" not in done.stderr, done.stderr
    # Where Airflow logs to stdout, a warning there is no JSON.
    return dict(zip(COMMANDS, map(json.loads, done.stdout.split("END\n")[:-1]), strict=True))


def kind(schema: dict[str, Any]) -> str | list[str]:
    if not IS_AIRFLOW_2:
        return schema["type"]
    if schema.get("format") == "password":
        return "PasswordField"
    return "IntegerField" if "integer" in schema["type"] else "StringField"


@by_command
def test_providers_widgets_lists_every_declared_field_with_its_kind(answers: dict[str, list[dict[str, Any]]]) -> None:
    listed = {
        row["connection_parameter_name"]: row["field_type"]
        for row in answers["widgets"]
        if row["package_name"] == "airflow-provider-cloudtasks"
    }
    assert listed == {
        f"extra__{name}__{field}": kind(declared["schema"])
        for name in CONNECTION_TYPES
        for field, declared in connection_type(name)["conn-fields"].items()
    }


@by_command
def test_providers_behaviours_lists_both_connection_types(answers: dict[str, list[dict[str, Any]]]) -> None:
    assert set(CONNECTION_TYPES) <= {row["field_behaviours"] for row in answers["behaviours"]}


@by_command
@pytest.mark.parametrize("name", CONNECTION_TYPES)
def test_providers_manager_has_the_declared_labels_help_and_hidden_fields(airflow_home: Path, name: str) -> None:
    manager = ProvidersManager()
    declared = connection_type(name)
    behaviour = manager.field_behaviours[name]
    assert behaviour["hidden_fields"] == declared["ui-field-behaviour"]["hidden-fields"]
    assert behaviour["relabeling"] == declared["ui-field-behaviour"]["relabeling"]

    labels = {
        widget.field_name: words(widget.field)
        for key, widget in manager.connection_form_widgets.items()
        if key.startswith(f"extra__{name}__")
    }
    assert labels == {field: (entry["label"], entry["description"]) for field, entry in declared["conn-fields"].items()}


@pytest.mark.skipif(not ONLY_IN_API_SERVER, reason="the tests above test this version")
@pytest.mark.parametrize("name", CONNECTION_TYPES)
def test_api_server_has_the_declared_fields(airflow_home: Path, name: str) -> None:
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    (form,) = (form for form in HookMetaService.hook_meta_data() if form.connection_type == name)
    declared = connection_type(name)
    assert {field: entry["schema"]["title"] for field, entry in form.extra_fields.items()} == {
        field: entry["label"] for field, entry in declared["conn-fields"].items()
    }
    relabelled = declared["ui-field-behaviour"]["relabeling"]
    assert {field: getattr(form.standard_fields, field).title for field in relabelled} == relabelled


def words(field: Any) -> tuple[str, str]:
    if IS_AIRFLOW_2:
        return field.args[0], field.kwargs["description"]
    return field["schema"]["title"], field["description"]
