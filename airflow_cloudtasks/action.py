"""One call of a cloud's API: which product, which action, which parameters. Pure data: no Airflow, no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from airflow_cloudtasks.model import Cloud

PLACEHOLDER = re.compile(r"{(\w+)}")


@dataclass(frozen=True, kw_only=True)
class Service:
    """A product of a cloud: whom to ask.

    Args:
        cloud: ``alibaba`` or ``tencent``.
        name: The product's code, as its host name has it; Tencent signs with it too.
        version: The version of the product's API, in the vendor's own form.
        title: What people call the product.
        host: The host name; ``{region}`` stands for the region. Without one, the cloud's own rule:
            ``{name}.{region}.aliyuncs.com``, ``{name}.tencentcloudapi.com``.
        region_hosts: The regions that do not follow ``host``, with their hosts.
        regions: Regions where the product is known to run, for error messages; others are tried all the same.
        time_format: How it writes times in requests, as of strftime, in the zone of times that name none; None for
            ISO 8601 in UTC.
        console: The page of the product in the vendor's console, for APIs whose ``console_url`` is not known.
        console_intl: The same for accounts of Tencent Cloud's international site.
    """

    cloud: Cloud
    name: str
    version: str
    title: str = ""
    host: str = ""
    region_hosts: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    time_format: str | None = None
    console: str | None = None
    console_intl: str | None = None

    def __post_init__(self) -> None:
        if self.cloud not in get_args(Cloud):
            raise ValueError(f"Service {self.name!r} has cloud {self.cloud!r}; expected one of {get_args(Cloud)}.")

    @property
    def product(self) -> str:
        """What people call the product; its code, if nothing is told."""
        return self.title or self.name


@dataclass(frozen=True, kw_only=True)
class Action:
    """One call of a service's API: what to ask.

    Args:
        name: The vendor's name of the action, e.g. ``GetTask``.
        params: Parameters that the action needs, in the vendor's own spelling.
        optional: Parameters that it takes besides.
        method: The HTTP method.
        path: The path; ``{Name}`` stands for a parameter, which is then sent in the path and nowhere else.
        params_in: Where the parameters that are not in the path go. Tencent's API takes ``json``; Alibaba's
            RPC actions ``query`` or ``form``, its ROA actions ``query`` or ``json``.
        success_code: For an action that reports failures under HTTP 200: the ``Code`` that means success.
        requests_per_second: How many requests a second the vendor allows one account, where it says so.
        constants: Parameters that are the same in every request.
        filters: Parameters that are sent as entries of ``Filters``, as lists of Tencent Cloud take them.

    Raises:
        ValueError: The path has a parameter that the action does not need, or the allowance is none.
    """

    name: str
    params: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    method: Literal["GET", "POST"] = "POST"
    path: str = "/"
    params_in: Literal["query", "form", "json"] = "json"
    success_code: str | None = None
    requests_per_second: float | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)
    filters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.path_params:
            if name not in self.params:
                raise ValueError(f"{self.name}: the path {self.path!r} has {{{name}}}, which is none of its params.")
        if self.requests_per_second is not None and not 0 < self.requests_per_second < float("inf"):
            raise ValueError(f"{self.name}: requests_per_second is {self.requests_per_second!r}; expected more than 0.")

    def request(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Give what is sent.

        Args:
            parameters: The parameters, by their names.
        """
        sent = {name: value for name, value in parameters.items() if name not in self.filters} | dict(self.constants)
        if self.filters:
            sent["Filters"] = [{"Name": name, "Values": [parameters[name]]} for name in self.filters]
        return sent

    @property
    def path_params(self) -> tuple[str, ...]:
        """The parameters that go into the path."""
        return tuple(PLACEHOLDER.findall(self.path))
