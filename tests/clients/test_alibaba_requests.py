"""Every request of the catalog to Alibaba Cloud equals that of the vendor's own client, except for blanks in JSON."""

from __future__ import annotations

import pytest
from alibaba_requests import on_our_wire, on_the_vendors_wire
from contract.definitions import defined_actions
from contract.requests import requests

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.values import load_json


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.cloud == "alibaba"])
def test_sends_the_requests_of_alibabas_own_client(name: str) -> None:
    api = APIS[name]
    for request in requests(api):
        defined = defined_actions(api.service)[request.action.name]["parameters"]
        # The vendor's client makes JSON of these itself.
        native = {
            name: load_json(value) if defined[name].get("json") else value for name, value in request.content.items()
        }
        ours = on_our_wire(api, request.action, request.content)
        assert ours == on_the_vendors_wire(api, request.action, native), request.action.name
