"""Compare hosts with those of the vendor's own client, in every region that it maps."""

from __future__ import annotations

from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import Location
from airflow_cloudtasks.spec import TaskApi
from contract.definitions import defined_hosts
from contract.findings import Findings

# Regions of no map: one that has long existed, one of the finance cloud, and one that is not there yet.
OTHERS = {
    "alibaba": ("cn-hangzhou", "cn-shanghai-finance-1", "cn-made-up-tomorrow"),
    "tencent": ("ap-guangzhou", "ap-shanghai-fsi"),
}


def compare_hosts(api: TaskApi, found: Findings) -> None:
    """Compare the host of each region, in each network that the vendor's client knows.

    Args:
        api: The API.
        found: Takes the comparisons.
    """
    hosts = defined_hosts(api.service) or {}
    regions = {*hosts.get("regions", {}), *OTHERS[api.cloud]}
    for region in sorted(regions):
        for network in ("public", "vpc") if api.cloud == "alibaba" else ("public",):
            expected = hosts_of_alibaba(hosts, region, network) if hosts else _host_of_tencent(api, region)
            ours = CLOUDS[api.cloud].endpoint(api.service, Location(region, network=network)).url
            problem = None if ours == f"https://{expected}" else f"is {ours}; the vendor's client calls {expected}"
            found.compare("regions", f"{region} {network}", problem)


def hosts_of_alibaba(hosts: dict[str, object], region: str, network: str) -> str:
    """Return the host that Alibaba Cloud's client calls.

    Source: the vendor's package alibabacloud-tea-openapi, Utils.get_endpoint_rules, and get_endpoint of each client.

    Args:
        hosts: The definition of the hosts.
        region: The region.
        network: ``public`` or ``vpc``.
    """
    mapped = hosts["regions"]
    if isinstance(mapped, dict) and region in mapped:
        return str(mapped[region])
    product = f"{str(hosts['product']).lower()}{'' if network == 'public' else f'-{network}'}"
    return f"{product}.{region}.aliyuncs.com" if hosts["rule"] == "regional" else f"{product}.aliyuncs.com"


def _host_of_tencent(api: TaskApi, region: str) -> str:
    """Return the host that Tencent Cloud's client calls; a finance region's host names the region."""
    named = f".{region}" if region.endswith("-fsi") else ""
    return f"{api.service.name}{named}.tencentcloudapi.com"
