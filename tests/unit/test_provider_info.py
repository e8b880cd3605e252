"""The provider info, provider.yaml and the connection form agree with the code, on every version of Airflow."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import airflow
import jsonschema
import pytest

import airflow_cloudtasks
from airflow_cloudtasks.clouds.credentials.source import FetchedCredentials
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint, Location
from airflow_cloudtasks.get_provider_info import connection_type, get_provider_info, provider_yaml
from airflow_cloudtasks.hooks.alibaba import AlibabaCloudHook
from airflow_cloudtasks.hooks.base import CloudTasksHook
from airflow_cloudtasks.hooks.connection import ConnectionValues, read_connection
from airflow_cloudtasks.hooks.tencent import TencentCloudHook
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2

SCHEMAS = Path(airflow.__file__).parent
PYPROJECT = Path(__file__).parent.parent.parent / "pyproject.toml"

HOOKS = [AlibabaCloudHook, TencentCloudHook]
CONNECTION_TYPES = ["cloudtasks_alibaba", "cloudtasks_tencent"]


def validate(content: dict[str, Any], schema_file: str) -> None:
    schema = json.loads((SCHEMAS / schema_file).read_text(encoding="utf-8"))
    if "dependencies" in schema.get("required", ()):
        # Airflow moved the list from provider.yaml to pyproject.toml after 2.11; newer schemas forbid what older ones
        # demand, so that one file cannot please both.
        content = content | {"dependencies": tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]}
    if "cli" not in schema["properties"]:
        # Before Airflow 3.2. The runtime ignores what its schema does not name.
        content = {name: value for name, value in content.items() if name != "cli"}
    if "queues" not in schema["properties"]:
        # Airflow 2.
        content = {name: value for name, value in content.items() if name != "queues"}
    jsonschema.validate(content, schema)


def test_the_provider_info_matches_airflows_schema() -> None:
    validate(get_provider_info(), "provider_info.schema.json")


def test_provider_yaml_matches_airflows_schema() -> None:
    validate(provider_yaml(), "provider.yaml.schema.json")


def test_the_schemas_refuse_an_invalid_provider_info() -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate(get_provider_info() | {"connection-types": "none"}, "provider_info.schema.json")


def test_version_and_name_agree_with_the_distribution() -> None:
    distribution = importlib.metadata.distribution("airflow-provider-cloudtasks")
    assert provider_yaml()["versions"][0] == airflow_cloudtasks.__version__ == distribution.version
    assert provider_yaml()["package-name"] == distribution.metadata["Name"]


def test_the_entry_point_returns_the_provider_info() -> None:
    (entry,) = (
        entry
        for entry in importlib.metadata.entry_points(group="apache_airflow_provider")
        if entry.dist is not None and entry.dist.name == "airflow-provider-cloudtasks"
    )
    assert entry.load()() == get_provider_info()


def declared_modules() -> Iterator[str]:
    for kind in ("hooks", "sensors", "operators", "triggers"):
        for entry in provider_yaml()[kind]:
            yield from entry["python-modules"]


def test_every_declared_module_imports() -> None:
    modules = list(declared_modules())
    assert len(modules) == len(set(modules)) >= 7
    for module in modules:
        importlib.import_module(module)


def test_declares_every_public_module_of_sensors_operators_and_triggers() -> None:
    package = Path(airflow_cloudtasks.__file__).parent
    public = {
        f"airflow_cloudtasks.{kind}.{file.stem}"
        for kind in ("sensors", "operators", "triggers")
        for file in (package / kind).glob("*.py")
        if not file.stem.startswith("_")
    }
    assert public <= set(declared_modules())


def test_every_named_integration_is_declared() -> None:
    names = {entry["integration-name"] for entry in provider_yaml()["integrations"]}
    for kind in ("hooks", "sensors", "operators", "triggers"):
        assert {entry["integration-name"] for entry in provider_yaml()[kind]} <= names


@pytest.mark.parametrize(("name", "hook"), zip(CONNECTION_TYPES, HOOKS, strict=True))
def test_a_connection_type_resolves_to_its_hook(name: str, hook: type[CloudTasksHook]) -> None:
    declared = connection_type(name)
    module, _, class_name = declared["hook-class-name"].rpartition(".")
    assert getattr(importlib.import_module(module), class_name) is hook
    assert (hook.conn_type, hook.hook_name) == (name, declared["hook-name"])
    assert hook.connection_fields.conn_types[0] == name


def test_declares_every_connection_type() -> None:
    assert [entry["connection-type"] for entry in provider_yaml()["connection-types"]] == CONNECTION_TYPES


@pytest.mark.parametrize("name", CONNECTION_TYPES)
def test_the_form_offers_every_auth_type(name: str) -> None:
    hook = HOOKS[CONNECTION_TYPES.index(name)]
    schema = connection_type(name)["conn-fields"]["auth_type"]["schema"]
    assert schema["enum"] == list(hook.connection_fields.auth_types)
    # Airflow's form would fill a default in, while empty means that the rest of the connection decides.
    assert "default" not in schema


SAMPLES = {
    "region": "ap-southeast-1",
    "site": "intl",
    "security_token": "t",
    "token": "t",
    "role_arn": "a-role-arn",
    "role_session_name": "a-session",
    "external_id": "an-external-id",
    "policy": '{"Version": "1"}',
    "duration_seconds": 901,
    "role_name": "a-role",
    "oidc_provider_arn": "a-provider",
    "provider_id": "a-provider",
    "endpoints": '{"sts": "https://sts.test"}',
    "proxy": "http://proxy.test:3128",
    "connect_timeout": 7,
    "read_timeout": 8,
    "requests_per_second": '{"wedata.task": 3, "*": 4}',
    "max_tries": 9,
    "max_retry_seconds": 10,
    "notify_queue": "https://123.mns.cn-shanghai.aliyuncs.com/queues/ice-callback-a",
    "feed_interval": 5,
}


class Watched(dict[str, Any]):
    """An Extra that records which of its fields were read."""

    def __init__(self, fields: dict[str, Any]) -> None:
        super().__init__(fields)
        self.used: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.used.add(key)
        return super().get(key, default)


@pytest.fixture
def samples(tmp_path: Path) -> dict[str, Any]:
    for name in ("oidc_token_file", "ca_bundle"):
        (tmp_path / name).write_text("some content")
    return SAMPLES | {name: str(tmp_path / name) for name in ("oidc_token_file", "ca_bundle")}


def filled_in(hook: type[CloudTasksHook], auth_type: str, samples: dict[str, Any]) -> Watched:
    """Return every field of the form with a value, except a token where it is refused."""
    extra = samples | {"auth_type": auth_type, "network": "vpc" if hook is AlibabaCloudHook else "internal"}
    fields = connection_type(hook.conn_type)["conn-fields"]
    unwanted = {hook.connection_fields.token_extra} if auth_type == "access_key" else set()
    return Watched({name: extra[name] for name in fields if name not in unwanted})


@pytest.mark.parametrize("hook", HOOKS)
def test_the_forms_fields_are_those_that_are_read(hook: type[CloudTasksHook], samples: dict[str, Any]) -> None:
    used: set[str] = set()
    for auth_type in hook.connection_fields.auth_types:
        extra = filled_in(hook, auth_type, samples)
        read_connection(hook.connection_fields, connection_values(hook, extra), "tests")
        used |= extra.used
    # The form has Login and Password for these two.
    used -= {hook.connection_fields.key_id_extra, hook.connection_fields.secret_extra}
    assert used == set(connection_type(hook.conn_type)["conn-fields"])


@pytest.mark.parametrize("hook", HOOKS)
def test_every_field_of_the_form_has_an_effect(hook: type[CloudTasksHook], samples: dict[str, Any]) -> None:
    accounts = {
        auth_type: read_connection(
            hook.connection_fields, connection_values(hook, filled_in(hook, auth_type, samples)), "tests"
        )
        for auth_type in hook.connection_fields.auth_types
    }
    for account in accounts.values():
        assert (account.network.timeouts.connect, account.network.timeouts.read) == (7, 8)
        assert (account.network.proxy, account.network.ca_bundle) == ("http://proxy.test:3128", samples["ca_bundle"])
        assert (account.retries.tries, account.retries.seconds) == (9, 10)
        assert account.requests_per_second == {"wedata.task": 3, "*": 4}
        assert account.feed_interval == 5
        assert account.endpoints == {"sts": Endpoint("https://sts.test")}
        assert account.location == (
            Location("ap-southeast-1", "cn", "vpc")
            if hook is AlibabaCloudHook
            else Location("ap-southeast-1", "intl", "internal")
        )
    assert accounts["access_key"].credentials.get() == Credentials("id", "secret")
    assert accounts["sts"].credentials.get() == Credentials("id", "secret", "t")
    role = "ram_role_arn" if hook is AlibabaCloudHook else "role_arn"
    assert isinstance(accounts[role].credentials, FetchedCredentials)
    for settings in (accounts[role].credentials._settings, accounts["oidc_role_arn"].credentials._settings):
        assert settings.sts == Endpoint("https://sts.test")
        assert settings.region == "ap-southeast-1"
        assert settings.network == accounts[role].network
        assert settings.role_arn == "a-role-arn"
        assert settings.role_session_name == "a-session"
        assert settings.external_id == "an-external-id"
        assert settings.policy == '{"Version":"1"}'
        assert settings.duration_seconds == 901
    assert (settings.oidc_provider, settings.oidc_token_file) == ("a-provider", samples["oidc_token_file"])
    machine = next(name for name in hook.connection_fields.auth_types if name in ("ecs_ram_role", "cvm_role"))
    assert accounts[machine].credentials._settings.role_name == "a-role"


@pytest.mark.parametrize("hook", HOOKS)
def test_accepts_the_minimum_of_every_form_field(hook: type[CloudTasksHook]) -> None:
    fields = connection_type(hook.conn_type)["conn-fields"]
    least = {name: field["schema"]["minimum"] for name, field in fields.items() if "minimum" in field["schema"]}
    assert len(least) == 6
    read_connection(hook.connection_fields, connection_values(hook, least), "tests")


def connection_values(hook: type[CloudTasksHook], extra: dict[str, Any]) -> ConnectionValues:
    return ConnectionValues(
        conn_id="c", conn_type=hook.conn_type, login="id", password="secret", host=None, port=None, extra=extra
    )


@pytest.mark.parametrize("name", CONNECTION_TYPES)
def test_the_form_describes_the_real_defaults(name: str) -> None:
    hook = HOOKS[CONNECTION_TYPES.index(name)]
    account = read_connection(hook.connection_fields, connection_values(hook, {}), "tests")
    fields = connection_type(name)["conn-fields"]
    for field, value in (
        ("connect_timeout", account.network.timeouts.connect),
        ("read_timeout", account.network.timeouts.read),
        ("max_tries", account.retries.tries),
        ("max_retry_seconds", account.retries.seconds),
        ("feed_interval", account.feed_interval),
    ):
        assert f"; {value:g} if empty" in fields[field]["description"]


@pytest.mark.parametrize("hook", HOOKS)
def test_older_airflows_form_has_the_declared_labels(hook: type[CloudTasksHook]) -> None:
    behaviour = hook.get_ui_field_behaviour()
    declared = connection_type(hook.conn_type)["ui-field-behaviour"]
    assert set(behaviour) == {"hidden_fields", "relabeling", "placeholders"}
    assert behaviour["hidden_fields"] == declared["hidden-fields"]
    assert behaviour["relabeling"] == declared["relabeling"]
    assert behaviour["placeholders"] == declared["placeholders"]


class Field:
    """A form field that keeps its arguments, for an Airflow without wtforms."""

    def __init__(self, label: str, **options: Any) -> None:
        self.args, self.kwargs = (label,), options


class PasswordField(Field):
    pass


class IntegerField(Field):
    pass


class StringField(Field):
    pass


@pytest.fixture
def some_wtforms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use Airflow 2.11's own wtforms. On Airflow 3, which renders no such form, use stand-ins."""
    if IS_AIRFLOW_2:
        return
    validators = types.SimpleNamespace(optional=lambda: "optional", any_of=lambda values: ("any of", *values))
    fields = types.SimpleNamespace(PasswordField=PasswordField, IntegerField=IntegerField, StringField=StringField)
    monkeypatch.setitem(sys.modules, "wtforms", fields)
    monkeypatch.setitem(sys.modules, "wtforms.validators", validators)


@pytest.mark.usefixtures("some_wtforms")
@pytest.mark.parametrize("hook", HOOKS)
def test_older_airflows_form_has_the_declared_fields(hook: type[CloudTasksHook]) -> None:
    fields = connection_type(hook.conn_type)["conn-fields"]
    widgets = hook.get_connection_form_widgets()
    assert list(widgets) == list(fields)
    for name, widget in widgets.items():
        declared = fields[name]
        assert widget.args[0] == declared["label"]
        assert widget.kwargs["description"] == declared["description"]
        assert widget.kwargs["default"] == declared["schema"].get("default")
        assert len(widget.kwargs["validators"]) == (2 if "enum" in declared["schema"] else 1)
        assert kind_of(widget) == kind_declared(declared["schema"])


def kind_of(widget: Any) -> str:
    # wtforms makes an UnboundField of the class. The stand-in is an instance of the class.
    return getattr(widget, "field_class", type(widget)).__name__


def kind_declared(schema: dict[str, Any]) -> str:
    if schema.get("format") == "password":
        return "PasswordField"
    return "IntegerField" if "integer" in schema["type"] else "StringField"


@pytest.mark.parametrize("hook", HOOKS)
def test_the_form_hides_secret_fields(hook: type[CloudTasksHook]) -> None:
    fields = connection_type(hook.conn_type)["conn-fields"]
    hidden = [name for name, field in fields.items() if field["schema"].get("format") == "password"]
    # A proxy's address may hold a login.
    assert hidden == [hook.connection_fields.token_extra, "proxy"]


@pytest.mark.parametrize("hook", HOOKS)
def test_the_form_offers_every_network(hook: type[CloudTasksHook]) -> None:
    schema = connection_type(hook.conn_type)["conn-fields"]["network"]["schema"]
    assert schema["enum"] == list(CLOUDS[hook.connection_fields.cloud].NETWORKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_forms_host_is_the_endpoint(hook: type[CloudTasksHook]) -> None:
    assert connection_type(hook.conn_type)["ui-field-behaviour"]["relabeling"]["host"] == "Endpoint override"
    values = connection_values(hook, {})
    account = read_connection(hook.connection_fields, ConnectionValues(**vars(values) | {"host": "h.test"}), "tests")
    assert account.endpoints == {"*": Endpoint("https://h.test")}
