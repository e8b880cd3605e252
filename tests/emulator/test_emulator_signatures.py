"""The emulator's signature code, checked by the vendors' published examples."""

from __future__ import annotations

import pytest

from airflow_cloudtasks.emulator.vendor import signatures

ALIBABA_SIGNED = (
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-version",
)


def test_alibaba_v3_computes_the_signature_of_the_documents_example() -> None:
    # Source: Alibaba Cloud, "Request syntax and signature method V3", the RunInstances example.
    empty = signatures.sha256_hex(b"")
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-version": "2014-05-26",
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-content-sha256": empty,
    }
    query = "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai"

    canonical = signatures.acs3_canonical_request("POST", "/", query, headers, ALIBABA_SIGNED, empty)

    assert signatures.acs3_string_to_sign(canonical) == (
        "ACS3-HMAC-SHA256\n7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259"
    )
    assert signatures.acs3_signature("YourAccessKeySecret", canonical) == (
        "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_tencent_v3_computes_the_signature_of_the_documents_example() -> None:
    # Source: Tencent Cloud, "Signature v3", the DescribeInstances example.
    headers = {"content-type": "application/json; charset=utf-8", "host": "cvm.tencentcloudapi.com"}
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'

    canonical = signatures.tc3_canonical_request("POST", "", headers, ("content-type", "host"), body)

    assert signatures.sha256_hex(body) == "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064"
    assert signatures.sha256_hex(canonical.encode()) == (
        "5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031"
    )
    signature = signatures.tc3_signature(
        "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", canonical, "1551113065", signatures.tc3_date(1551113065), "cvm"
    )
    assert signature == "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"


def test_alibaba_rpc_computes_the_signature_of_the_documents_example() -> None:
    # Source: Alibaba Cloud, ECS, "Signature mechanism", the DescribeRegions example.
    parameters = {
        "Timestamp": "2016-02-23T12:46:24Z",
        "Format": "XML",
        "AccessKeyId": "testid",
        "Action": "DescribeRegions",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
        "Version": "2014-05-26",
        "SignatureVersion": "1.0",
    }
    text = signatures.rpc_string_to_sign("GET", parameters)
    assert text.startswith("GET&%2F&AccessKeyId%3Dtestid%26Action%3DDescribeRegions%26Format%3DXML%26")
    assert signatures.rpc_signature("testsecret", text) == "OLeaidS1JvxuMvnyHOwuJ+uX5qY="


def test_an_rpc_signature_percent_encodes_a_space_and_an_asterisk() -> None:
    assert signatures.rpc_string_to_sign("POST", {"b": "x y*~", "a": "1"}) == "POST&%2F&a%3D1%26b%3Dx%2520y%252A~"


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("", "/"),
        ("/", "/"),
        ("/api/v1/tasks/t-1", "/api/v1/tasks/t-1"),
        ("/api/v1/tasks/a%2Fb", "/api/v1/tasks/a%2Fb"),
        ("/api/v1/tasks/a%2fb", "/api/v1/tasks/a%2Fb"),
        ("/api/v1/tasks/%7Ea*", "/api/v1/tasks/~a%2A"),
    ],
)
def test_two_spellings_of_a_path_have_one_signature(raw: str, canonical: str) -> None:
    assert signatures.canonical_path(raw) == canonical


def test_sorts_a_query_by_name_and_encodes_it_by_rfc_3986() -> None:
    assert signatures.canonical_query("b=2&a=x+y%2a~&c=") == "a=x%20y%2A~&b=2&c="


@pytest.mark.parametrize("header", ["", "Bearer x", "ACS3-HMAC-SHA256 Credential=a", "TC3-HMAC-SHA256 Credential=a/b"])
def test_does_not_parse_a_malformed_authorization(header: str) -> None:
    assert signatures.parse_acs3(header) is None
    assert signatures.parse_tc3(header) is None


def test_parses_an_authorization_with_and_without_spaces_after_commas() -> None:
    for comma in (",", ", "):
        parts = ("Credential=id/2019-02-25/cvm/tc3_request", "SignedHeaders=content-type;host", "Signature=ab12")
        assert signatures.parse_tc3(f"TC3-HMAC-SHA256 {comma.join(parts)}") == signatures.Authorization(
            "id", ("content-type", "host"), "ab12", "2019-02-25", "cvm"
        )
        assert signatures.parse_acs3(
            f"ACS3-HMAC-SHA256 {comma.join(('Credential=id', 'SignedHeaders=host', 'Signature=ab12'))}"
        ) == signatures.Authorization("id", ("host",), "ab12")
