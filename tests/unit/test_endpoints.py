"""Requests go to the endpoints of the vendors' own clients, and over plain http to this machine only."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from alibabacloud_sts20150401.client import Client as StsClient
from alibabacloud_tea_openapi.utils_models import Config

from airflow_cloudtasks.catalog import APIS, BDRC_TASK, BPSTUDIO_TASK, ICE_WORKFLOW_TASK, LKE_TASK, WEDATA_TASK
from airflow_cloudtasks.clouds.client import Account, CloudClient
from airflow_cloudtasks.clouds.credentials.source import StaticCredentials
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint, Location
from airflow_cloudtasks.errors import InvalidConnection
from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.spec import Service, TaskApi
from airflow_cloudtasks.spec.action import Network

REGIONS = [
    *("cn-shanghai", "cn-hangzhou", "cn-beijing", "cn-shenzhen", "cn-chengdu", "cn-qingdao", "cn-zhangjiakou"),
    *("cn-hongkong", "cn-shanghai-finance-1", "cn-wulanchabu", "cn-guangzhou", "cn-heyuan", "cn-nanjing"),
    *("ap-southeast-1", "ap-southeast-3", "ap-southeast-5", "ap-southeast-7", "ap-northeast-1", "ap-northeast-2"),
    *("eu-central-1", "eu-west-1", "us-east-1", "us-west-1", "me-east-1", "cn-made-up-tomorrow"),
    *("cn-shenzhen-finance-1", "cn-beijing-finance-1", "cn-hangzhou-finance", "cn-north-2-gov-1", "cn-beijing-gov-1"),
]
TENCENT_FINANCE_REGIONS = ["ap-shanghai-fsi", "ap-shenzhen-fsi", "ap-beijing-fsi"]


def client(api: TaskApi, region: str | None, **more: Any) -> CloudClient:
    """Return a client for a region. ``more`` holds ``endpoints`` and further fields of a Location."""
    credentials = StaticCredentials(Credentials("id", "secret"))
    endpoints = {name: Endpoint.parse(written) for name, written in more.pop("endpoints", {}).items()}
    return CloudClient(
        Account(cloud=api.cloud, credentials=credentials, location=Location(region, **more), endpoints=endpoints)
    )


def address(api: TaskApi, region: str | None, **more: Any) -> str:
    return client(api, region, **more).endpoint(api.service).url


def test_the_endpoint_of_sts_is_that_of_alibabas_own_client() -> None:
    # For the services of the catalog, tests/clients and tests/contract do the same.
    for region in REGIONS:
        for network in (None, "vpc"):
            theirs = StsClient(Config(access_key_id="i", access_key_secret="s", region_id=region, network=network))
            ours = CLOUDS["alibaba"].endpoint(
                token_service("alibaba", region), Location(region, network=network or "public")
            )
            assert ours == Endpoint(f"https://{theirs._endpoint}"), (region, network)


def token_service(cloud: Cloud, region: str | None) -> Service:
    """Return STS as it is called in a region."""
    return CLOUDS[cloud].token_service(region)[0]


def test_knows_every_region_of_stss_own_client() -> None:
    theirs = StsClient(Config(access_key_id="id", access_key_secret="secret", region_id="cn-shanghai"))
    hosts = theirs._endpoint_map
    assert len(hosts) > 30
    for region, host in hosts.items():
        ours = CLOUDS["alibaba"].endpoint(token_service("alibaba", region), Location(region))
        assert ours == Endpoint(f"https://{host}")
    ours = token_service("alibaba", "cn-shanghai").region_hosts
    assert ours == hosts


@pytest.mark.parametrize("network", CLOUDS["alibaba"].NETWORKS)
def test_alibabas_sts_without_a_region_has_one_host_in_every_network(network: str) -> None:
    # Source: alibabacloud-credentials, whose classes call it if neither a region nor an endpoint is set.
    ours = CLOUDS["alibaba"].endpoint(token_service("alibaba", None), Location(network=network))
    assert ours == Endpoint("https://sts.aliyuncs.com")


@pytest.mark.parametrize(
    ("api", "site", "url"),
    [
        (WEDATA_TASK, "cn", "https://wedata.tencentcloudapi.com"),
        (WEDATA_TASK, "intl", "https://wedata.intl.tencentcloudapi.com"),
        (LKE_TASK, "cn", "https://lke.tencentcloudapi.com"),
        (LKE_TASK, "intl", "https://lke.intl.tencentcloudapi.com"),
    ],
)
def test_tencents_endpoint_depends_on_the_site(api: TaskApi, site: str, url: str) -> None:
    assert address(api, "ap-jakarta", site=site) == url


@pytest.mark.parametrize(
    ("network", "site", "host"),
    [
        ("public", "cn", "wedata.tencentcloudapi.com"),
        ("public", "intl", "wedata.intl.tencentcloudapi.com"),
        ("regional", "cn", "wedata.ap-jakarta.tencentcloudapi.com"),
        ("regional", "intl", "wedata.ap-jakarta.tencentcloudapi.com"),
        ("internal", "cn", "wedata.internal.tencentcloudapi.com"),
        ("internal", "intl", "wedata.internal.tencentcloudapi.com"),
        ("internal_regional", "cn", "wedata.internal.ap-jakarta.tencentcloudapi.com"),
        ("internal_regional", "intl", "wedata.internal.ap-jakarta.tencentcloudapi.com"),
    ],
)
def test_tencents_endpoint_depends_on_the_network(network: str, site: str, host: str) -> None:
    assert address(WEDATA_TASK, "ap-jakarta", network=network, site=site) == f"https://{host}"


@pytest.mark.parametrize("region", TENCENT_FINANCE_REGIONS)
@pytest.mark.parametrize("site", ["cn", "intl"])
@pytest.mark.parametrize("network", CLOUDS["tencent"].NETWORKS)
@pytest.mark.parametrize(
    "service",
    [WEDATA_TASK.service, LKE_TASK.service, CLOUDS["tencent"].token_service(None)[0]],
    ids=lambda service: service.name,
)
def test_the_host_of_a_tencent_finance_region_names_the_region(
    service: Service, network: str, site: str, region: str
) -> None:
    # Source: Tencent Cloud's API documentation, e.g. of CBS: cbs.ap-shanghai-fsi.tencentcloudapi.com.
    infix = ".internal" if network.startswith("internal") else ""
    found = CLOUDS["tencent"].endpoint(service, Location(region, site=site, network=network))
    assert found == Endpoint(f"https://{service.name}{infix}.{region}.tencentcloudapi.com")


def test_signs_for_a_finance_region() -> None:
    service, region = CLOUDS["tencent"].token_service("ap-shanghai-fsi")
    assert (service.name, region) == ("sts", "ap-shanghai-fsi")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_services_own_host_may_name_the_region(cloud: Cloud) -> None:
    service = Service(cloud=cloud, name="x", version="1", host="x.{region}.test")
    assert CLOUDS[cloud].endpoint(service, Location("ap-1")) == Endpoint("https://x.ap-1.test")


def test_every_network_of_each_cloud_has_an_endpoint_for_every_api() -> None:
    for api in APIS.values():
        networks = CLOUDS[api.cloud].NETWORKS
        assert networks[0] == "public"
        for network in networks:
            assert address(api, "cn-shanghai", network=network).endswith((".aliyuncs.com", ".tencentcloudapi.com"))


def test_a_services_own_endpoint_takes_precedence_over_the_common_one() -> None:
    endpoints = {"ice": "https://ice.test", "*": "https://all.test"}
    assert address(ICE_WORKFLOW_TASK, "cn-shanghai", endpoints=endpoints) == "https://ice.test"
    assert address(BDRC_TASK, "cn-shanghai", endpoints=endpoints) == "https://all.test"
    assert address(BDRC_TASK, "cn-shanghai", endpoints={"ice": "https://ice.test"}) == (
        "https://bdrc.cn-shanghai.aliyuncs.com"
    )


def test_bpstudio_needs_no_region() -> None:
    assert address(BPSTUDIO_TASK, None) == "https://bpstudio.aliyuncs.com"


@pytest.mark.parametrize("api", [name for name, api in APIS.items() if not api.service.host])
def test_a_missing_region_error_says_where_to_set_it(api: str) -> None:
    with pytest.raises(InvalidConnection, match="needs a region") as caught:
        address(APIS[api], None)
    assert "Airflow connection's field Region, or as region= on the task" in str(caught.value)


@pytest.mark.parametrize("api", [BDRC_TASK, ICE_WORKFLOW_TASK], ids=["bdrc", "ice"])
def test_a_missing_region_error_lists_the_known_regions(api: TaskApi) -> None:
    with pytest.raises(InvalidConnection) as caught:
        address(api, None)
    assert str(caught.value).endswith(f"It runs in {', '.join(api.service.regions)}.")


@pytest.mark.parametrize(
    "region", ["cn-shanghai ", "cn shanghai", "x@evil.test/", "evil.test#", "cn-shanghai\r\nX: y", "a" * 64]
)
@pytest.mark.parametrize("api", [BDRC_TASK, WEDATA_TASK], ids=["bdrc", "wedata"])
def test_refuses_a_region_that_would_change_the_address(api: TaskApi, region: str) -> None:
    with pytest.raises(InvalidConnection, match=r"^The region .* is no region's id"):
        address(api, region)


def test_the_tasks_region_takes_precedence_over_the_connections() -> None:
    account = client(BDRC_TASK, "cn-shanghai").account
    own = CloudClient(account, "ap-southeast-1").endpoint(BDRC_TASK.service)
    assert own.url == "https://bdrc.ap-southeast-1.aliyuncs.com"


def test_the_common_endpoint_applies_to_every_service() -> None:
    for api in APIS.values():
        assert address(api, "cn-shanghai", endpoints={"*": "127.0.0.1:1"}) == "https://127.0.0.1:1"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_service_has_an_https_endpoint(cloud: str) -> None:
    for api in APIS.values():
        if api.cloud == cloud:
            assert CLOUDS[cloud].endpoint(api.service, Location("cn-shanghai")).url.startswith("https://")


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("ice.aliyuncs.com", "https://ice.aliyuncs.com"),
        (" ice.aliyuncs.com/ ", "https://ice.aliyuncs.com"),
        ("ice.aliyuncs.com:8443", "https://ice.aliyuncs.com:8443"),
        ("https://ice.aliyuncs.com", "https://ice.aliyuncs.com"),
        ("HTTPS://ice.aliyuncs.com", "https://ice.aliyuncs.com"),
        ("http://127.0.0.1:8787", "http://127.0.0.1:8787"),
        ("http://127.0.0.2", "http://127.0.0.2"),
        ("http://localhost:8787/", "http://localhost:8787"),
        ("http://LOCALHOST", "http://LOCALHOST"),
        ("http://[::1]:8787", "http://[::1]:8787"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ],
)
def test_parses_an_address_as_users_write_it(written: str, url: str) -> None:
    assert Endpoint.parse(written).url == url


@pytest.mark.parametrize(
    "written",
    [
        *("http://ice.aliyuncs.com", "http://10.0.0.1:8787", "http://0.0.0.0", "http://localhost.evil.test"),
        *("http://127.0.0.1.evil.test", "http://[2001:db8::1]:80", "http://127.1"),
    ],
)
def test_refuses_plain_http_to_another_machine(written: str) -> None:
    with pytest.raises(InvalidConnection, match="uses plain http, which is only allowed to this machine itself"):
        Endpoint.parse(written)


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            " ",
            "https://",
            "http:///x",
            "ftp://h",
            "file:///etc/passwd",
            "https://h/path",
            "h/path",
            "h?x=1",
            "h#x",
        ),
        *("https://h:0", "https://h:99999", "https://h:port", "https://h:-1", "https://[::1", "https://[bad]", "::1"),
        *("exa mple.com", "h\x00", "https://a,b", "h:1:2", "主机"),
        # No resolver looks these up: a label is empty, or longer than 63 characters.
        *("ice..test", ".", "...", ".ice.test", f"{'a' * 64}.test"),
    ],
)
def test_refuses_an_invalid_address(written: str) -> None:
    with pytest.raises(InvalidConnection, match="is not an address; write it as a host name or as https://HOST"):
        Endpoint.parse(written)


@pytest.mark.parametrize(
    "written",
    ["https://me:hidden@h", "https://:hidden@h", "http://hidden@127.0.0.1", "me:hidden@h", "https://a:hidden@b@h"],
)
def test_refuses_a_login_in_an_address_without_repeating_it(written: str) -> None:
    with pytest.raises(InvalidConnection, match="is not an address") as caught:
        Endpoint.parse(written)
    assert "hidden" not in str(caught.value)


def test_a_network_whose_hosts_follow_no_rule_has_its_own() -> None:
    service = Service(
        cloud="alibaba",
        name="fc",
        version="2023-03-30",
        host="fcv3.{region}.aliyuncs.com",
        region_hosts={"cn-central": "fc.aliyuncs.com"},
        network_hosts={"vpc": "fcv3-vpc.{region}.aliyuncs.com"},
    )
    for region, network, host in (
        ("cn-beijing", "public", "fcv3.cn-beijing.aliyuncs.com"),
        ("cn-beijing", "vpc", "fcv3-vpc.cn-beijing.aliyuncs.com"),
        ("cn-central", "vpc", "fc.aliyuncs.com"),
    ):
        assert CLOUDS["alibaba"].endpoint(service, Location(region, network=network)) == Endpoint(f"https://{host}")
    theirs = Service(cloud="tencent", name="toy", version="1", network_hosts={"internal": "toy.{region}.inner.test"})
    for network, host in (("internal", "toy.ap-jakarta.inner.test"), ("public", "toy.tencentcloudapi.com")):
        found = CLOUDS["tencent"].endpoint(theirs, Location("ap-jakarta", network=network))
        assert found == Endpoint(f"https://{host}")


def test_the_spec_knows_the_networks_of_both_clouds() -> None:
    assert {*get_args(Network)} == {*CLOUDS["alibaba"].NETWORKS, *CLOUDS["tencent"].NETWORKS}
    with pytest.raises(ValueError, match="'toy' has a host of network 'intranet'; expected one of"):
        Service(cloud="alibaba", name="toy", version="1", network_hosts={"intranet": "toy.test"})
