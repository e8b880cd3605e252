"""How many requests a second an account may send to an action, as far as anybody says so. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_cloudtasks.spec import Action, TaskApi

# Requests a second where neither the connection nor the vendor's documentation states an allowance. Alibaba Cloud keeps
# an account's quotas in its Quota Center. This is Tencent Cloud's documented figure; throttling corrects it.
_ASSUMED = 20.0


def stated_allowance(stated: Mapping[str, float], api: TaskApi, action: Action) -> float:
    """Return the allowance of an account, in requests a second.

    Args:
        stated: The allowances that the Airflow connection states, by the API's name; ``*`` for every other API.
        api: The API on whose behalf the requests are sent.
        action: The action that they call.
    """
    return stated.get(api.name) or stated.get("*") or action.requests_per_second or _ASSUMED
