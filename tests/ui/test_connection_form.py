"""The connection forms in real Chromium, served by a real `airflow standalone`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser import PAGE_MILLISECONDS, running_browser
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from standalone import Standalone

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.get_provider_info import connection_type

WIDE, LONG = {"width": 1280, "height": 1000}, {"width": 1280, "height": 4500}
# What Airflow shows instead of a secret.
MASKED = "***"
# Airflow masks a field of Extra by the words in its name, and a provider cannot change that: here, a path.
MASKED_BY_AIRFLOW = {"oidc_token_file"}


@dataclass(frozen=True)
class Cloud:
    conn_type: str
    region: str
    welcome: str
    refusal: str

    @property
    def declared(self) -> dict[str, Any]:
        return connection_type(self.conn_type)

    @property
    def fields(self) -> dict[str, dict[str, Any]]:
        return self.declared["conn-fields"]

    def label(self, standard_field: str) -> str:
        return self.declared["ui-field-behaviour"]["relabeling"][standard_field]


CLOUDS = [
    Cloud(
        "cloudtasks_alibaba",
        "cn-shanghai",
        "Connected to account 1000000000000001 as acs:ram::1000000000000001:user/emulator-id, region cn-shanghai.",
        "SignatureDoesNotMatch",
    ),
    Cloud(
        "cloudtasks_tencent",
        "ap-guangzhou",
        "Connected to account 100000000001 as qcs::cam:100000000001:uin/249305938821, region ap-guangzhou.",
        "AuthFailure.SignatureFailure",
    ),
]


@pytest.fixture(params=CLOUDS, ids=lambda cloud: cloud.conn_type)
def cloud(request) -> Cloud:
    return request.param


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture
def page(standalone: Standalone, browser: Browser) -> Iterator[Page]:
    """The list of connections."""
    expect.set_options(timeout=PAGE_MILLISECONDS)
    context: BrowserContext = browser.new_context(base_url=standalone.address, locale="en-US", viewport=WIDE)
    context.set_default_timeout(PAGE_MILLISECONDS)
    page = context.new_page()
    page.goto("/connections")
    yield page
    context.close()


class Form:
    """The dialog that adds or edits a connection."""

    def __init__(self, page: Page, cloud: Cloud) -> None:
        self.page = page
        self.cloud = cloud
        self.dialog = page.get_by_role("dialog")

    @classmethod
    def add(cls, page: Page, cloud: Cloud) -> Form:
        page.get_by_role("button", name="Add Connection").click()
        form = cls(page, cloud)
        form.dialog.get_by_role("combobox").first.click()
        page.get_by_role("option", name=cloud.declared["hook-name"], exact=True).click()
        return form

    @classmethod
    def edit(cls, page: Page, cloud: Cloud, conn_id: str) -> Form:
        row(page, conn_id).get_by_role("button", name="Edit Connection").click()
        return cls(page, cloud)

    def open(self, section: str) -> None:
        """Show the section, which hides the others."""
        button = self.dialog.get_by_role("button", name=section, exact=True)
        if button.get_attribute("aria-expanded") != "true":
            button.click()
        expect(button).to_have_attribute("aria-expanded", "true")

    def standard(self, name: str) -> Locator:
        return self.dialog.locator(f'[name="{name}"]')

    def extra(self, name: str) -> Locator:
        return self.dialog.locator(f'[name="element_{name}"]')

    def around(self, name: str) -> Locator:
        """The field of Extra with its label and help."""
        field = self.page.locator(f'[name="element_{name}"]')
        return self.dialog.locator('[data-scope="field"][data-part="root"]').filter(has=field)

    def dropdown(self, name: str) -> Locator:
        return self.dialog.locator(f"#element_{name}").get_by_role("combobox")

    def choose(self, name: str, value: str) -> None:
        self.dropdown(name).click()
        self.page.get_by_role("option", name=value, exact=True).click()

    def fill_in(self, values: dict[str, str]) -> None:
        for name, value in values.items():
            if "enum" in self.cloud.fields[name]["schema"]:
                self.choose(name, value)
            else:
                self.extra(name).fill(value)

    def save(self) -> None:
        self.dialog.get_by_role("button", name="Save").click()
        expect(self.dialog).to_be_hidden()

    def screenshot(self, path: Path) -> None:
        """Save a picture of the whole dialog."""
        self.page.set_viewport_size(LONG)
        self.dialog.screenshot(path=path, animations="disabled")
        self.page.set_viewport_size(WIDE)


def row(page: Page, conn_id: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("cell", name=conn_id, exact=True))


def save_connection(page: Page, cloud: Cloud, conn_id: str, host: str, port: str, secret: str) -> None:
    form = Form.add(page, cloud)
    form.standard("connection_id").fill(conn_id)
    for name, value in {"host": host, "port": port, "login": "emulator-id", "password": secret}.items():
        form.dialog.get_by_label(cloud.label(name), exact=True).fill(value)
    form.open("Extra Fields")
    form.fill_in({"region": cloud.region})
    form.save()


def press_test(page: Page, conn_id: str) -> Locator:
    """Press Test in the list, and return the message that appears."""
    row(page, conn_id).get_by_role("button", name="Test Connection").click()
    return page.locator('[data-scope="toast"][data-part="root"]').filter(has_text="Test Connection")


def test_form_has_every_declared_field_with_its_kind(page: Page, cloud: Cloud, tmp_path: Path) -> None:
    form = Form.add(page, cloud)
    behaviour = cloud.declared["ui-field-behaviour"]
    for name in ("host", "port", "login", "password", "schema"):
        if name in behaviour["hidden-fields"]:
            expect(form.standard(name)).to_have_count(0)
        else:
            expect(form.dialog.get_by_label(cloud.label(name), exact=True)).to_have_attribute("name", name)
    expect(form.standard("password")).to_have_attribute("type", "password")
    for name in ("host", "port"):
        expect(form.standard(name)).to_have_attribute("placeholder", behaviour["placeholders"][name])
    form.screenshot(tmp_path / "standard-fields.png")

    form.open("Extra Fields")
    # Not of the section's content: Airflow shows the section once more while the form loads. The content is then shown
    # without an animation, and has no data-state.
    labels = form.dialog.locator('[data-part="item"][data-state="open"] label')
    expect(labels).to_have_text([field["label"] for field in cloud.fields.values()])
    form.screenshot(tmp_path / "extra-fields.png")
    assert form.dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth"), "the form is not too wide"

    for name, field in cloud.fields.items():
        schema = field["schema"]
        expect(form.around(name).locator("label")).to_have_text(field["label"])
        expect(form.around(name)).to_contain_text(field["description"])
        expect(form.extra(name)).to_have_value("")
        if "enum" in schema:
            form.dropdown(name).click()
            expect(page.get_by_role("option")).to_have_text(schema["enum"])
            page.get_by_role("option").first.click()
        elif schema.get("format") == "password":
            expect(form.extra(name)).to_have_attribute("type", "password")
        elif schema.get("format") == "multiline":
            expect(form.dialog.locator(f'textarea[name="element_{name}"]')).to_be_visible()
        elif "integer" in schema["type"]:
            expect(form.extra(name)).to_have_role("spinbutton")
        else:
            expect(form.extra(name)).to_have_role("textbox")


def test_form_saves_every_field_and_masks_secrets(page: Page, cloud: Cloud, tmp_path: Path) -> None:
    conn_id = f"every_field_{cloud.conn_type}"
    standard = {"host": "https://gateway.test", "port": "8443", "login": "an-id", "password": "a-secret"}
    extra = {name: _sample(name, field["schema"]) for name, field in cloud.fields.items()}
    secrets = {name for name, field in cloud.fields.items() if field["schema"].get("format") == "password"}
    masked = secrets | MASKED_BY_AIRFLOW
    form = Form.add(page, cloud)
    form.standard("connection_id").fill(conn_id)
    for name, value in standard.items():
        form.standard(name).fill(value)
    form.open("Extra Fields")
    form.fill_in(extra)
    form.save()

    page.reload()
    form = Form.edit(page, cloud, conn_id)
    for name, value in (standard | {"password": MASKED}).items():
        expect(form.standard(name)).to_have_value(value)
    form.open("Extra Fields")
    for name, value in extra.items():
        expect(form.extra(name)).to_have_value(MASKED if name in masked else value)
    for name in secrets:
        expect(form.extra(name)).to_have_attribute("type", "password")
    form.screenshot(tmp_path / "edited.png")
    assert "a-secret" not in page.content()


def _sample(name: str, schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return schema["enum"][-1]
    if "integer" in schema["type"]:
        return str(schema["minimum"] + 7)
    return '{"some": "json"}' if schema.get("format") == "multiline" else f"some-{name}"


def test_test_button_shows_the_account_and_identity(
    page: Page, cloud: Cloud, emulator: Emulator, tmp_path: Path
) -> None:
    conn_id = f"right_key_{cloud.conn_type}"
    save_connection(page, cloud, conn_id, host=emulator.url, port="0", secret="emulator-secret")
    # Saved once more with the masked secret in the form, the connection still has the real one.
    form = Form.edit(page, cloud, conn_id)
    form.standard("description").fill("edited")
    form.save()
    expect(row(page, conn_id)).to_contain_text("edited")

    toast = press_test(page, conn_id)
    expect(toast).to_contain_text(cloud.welcome)
    page.screenshot(path=tmp_path / "right-key.png")
    expect(row(page, conn_id).locator("svg[color=green]")).to_be_visible()


def test_test_button_shows_the_vendor_error_for_a_wrong_secret(
    page: Page, cloud: Cloud, emulator: Emulator, tmp_path: Path
) -> None:
    conn_id = f"wrong_key_{cloud.conn_type}"
    address = urlsplit(emulator.url)
    host = f"{address.scheme}://{address.hostname}"
    save_connection(page, cloud, conn_id, host=host, port=str(address.port), secret="wrong-secret")
    expect(row(page, conn_id)).to_be_visible()

    toast = press_test(page, conn_id)
    expect(toast).to_contain_text(re.compile(rf"GetCallerIdentity failed: {re.escape(cloud.refusal)}: "))
    page.screenshot(path=tmp_path / "wrong-key.png")
    expect(toast).not_to_contain_text("wrong-secret")
    expect(row(page, conn_id).locator("svg[color=red]").first).to_be_visible()


def test_test_button_names_a_field_that_is_not_used(
    page: Page, cloud: Cloud, emulator: Emulator, standalone: Standalone, tmp_path: Path
) -> None:
    conn_id = f"misspelled_{cloud.conn_type}"
    fields = {"type": cloud.conn_type, "host": emulator.url, "port": "0", "login": "emulator-id"}
    extra = json.dumps({"region": cloud.region, "retion": "x"})
    standalone.command(
        *("connections", "add", conn_id, "--conn-extra", extra, "--conn-password", "emulator-secret"),
        *(part for name, value in fields.items() for part in (f"--conn-{name}", value)),
    )
    page.reload()

    toast = press_test(page, conn_id)
    expect(toast).to_contain_text(
        f"{cloud.welcome} Its Extra has fields that are not used: 'retion' (did you mean 'region'?)."
    )
    page.screenshot(path=tmp_path / "misspelled.png")
