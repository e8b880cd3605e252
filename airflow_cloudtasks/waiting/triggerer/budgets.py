"""The budgets of a process: one for each account, action and region, shared by all of an event loop's pollers."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

from airflow_cloudtasks.clouds.client import CloudClient
from airflow_cloudtasks.clouds.event_loop import PerEventLoop
from airflow_cloudtasks.spec import Action, TaskApi
from airflow_cloudtasks.waiting.triggerer.budget import Budget

# Requests a second where neither the connection nor the vendor's documentation says how many: Alibaba Cloud keeps its
# quotas in each account's Quota Center. It is Tencent Cloud's figure, and throttling corrects it.
_ASSUMED = 20.0

_budgets: PerEventLoop[WeakValueDictionary[tuple[Any, ...], Budget]] = PerEventLoop(WeakValueDictionary)


def budget_of(client: CloudClient, api: TaskApi, action: Action) -> Budget:
    """Find, or open, the budget of an account, an action and a region.

    Args:
        client: Who asks; its credentials stand for the account.
        api: What is asked for; the connection may say how many requests a second it is allowed.
        action: The action.
    """
    rates = client.account.requests_per_second
    rate = rates.get(api.name) or rates.get("*") or action.requests_per_second or _ASSUMED
    key = (client.account.credentials, client.region, api.service.name, action.name)
    budgets = _budgets.get()
    budget = budgets.get(key)
    if budget is None:
        budget = budgets[key] = Budget(rate)
    budget.keep_to(rate)
    return budget
