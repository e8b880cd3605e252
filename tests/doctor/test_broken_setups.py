"""The doctor names the cause of every broken set-up, says what was expected and how to mend it, and ends with 1."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from patients import Patient, examine
from servers import FORBIDDEN, LOGIN_PAGE, REDIRECT, WANTS_LOGIN, closed_port, dripping, serving

from airflow_cloudtasks.emulator import Emulator

TENCENT = ("--api", "wedata.workflow_run", "--project-id", "5")
ALIBABA = ("--api", "ice.workflow_task")


@dataclass
class Broken:
    """A set-up that is broken, and what the doctor says of it.

    Args:
        break_it: Breaks the set-up.
        line: The name of the first line that is not well.
        text: A pattern of what the line says.
        mend: A pattern of how to mend it.
        outcome: The outcome of the line.
        arguments: The arguments of the command.
    """

    break_it: Callable[[Patient, ExitStack], None]
    line: str
    text: str
    mend: str
    outcome: str = "failed"
    arguments: tuple[str, ...] = TENCENT


BROKEN: dict[str, Broken] = {}


def broken(
    line: str, text: str, mend: str, *, outcome: str = "failed", arguments: tuple[str, ...] = TENCENT
) -> Callable[[Callable[[Patient, ExitStack], None]], None]:
    def add(break_it: Callable[[Patient, ExitStack], None]) -> None:
        BROKEN[break_it.__name__] = Broken(break_it, line, text, mend, outcome, arguments)

    return add


@broken("identity", "the secret does not belong to the key's id", "copy the secret once more")
def wrong_secret(patient: Patient, stack: ExitStack) -> None:
    patient.connect(password="wrong")


@broken("identity", "the secret does not belong to the key's id", "copy the secret once more", arguments=ALIBABA)
def wrong_secret_on_alibaba(patient: Patient, stack: ExitStack) -> None:
    patient.connect("alibaba", password="wrong")


@broken("identity", "knows no key of this id", "correct the key's id")
def unknown_key_id(patient: Patient, stack: ExitStack) -> None:
    patient.connect(login="AKIDunknown")


@broken("identity", "knows no key of this id", "correct the key's id", arguments=ALIBABA)
def unknown_key_id_on_alibaba(patient: Patient, stack: ExitStack) -> None:
    patient.connect("alibaba", login="LTAIunknown")


@broken("identity", "temporary token has expired", "put a new key id, secret and token")
def expired_token(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.add_key("temporary", "emulator-secret", token="new-token")
    patient.connect(login="temporary", extra={"token": "old-token"})


@broken("identity", "temporary token has expired", "put a new key id, secret and token", arguments=ALIBABA)
def expired_token_on_alibaba(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.add_key("temporary", "emulator-secret", token="new-token")
    patient.connect("alibaba", login="temporary", extra={"security_token": "old-token"})


@broken("WeData", "needs a region, e.g. ap-guangzhou", "set it in")
def missing_region(patient: Patient, stack: ExitStack) -> None:
    patient.connect(extra={"region": None})


@broken("ICE", "needs a region", "set it in", arguments=ALIBABA)
def missing_region_on_alibaba(patient: Patient, stack: ExitStack) -> None:
    patient.connect("alibaba", extra={"region": None})


@broken("read", "does not run in this region.*UnsupportedRegion", "correct the connection's Region")
def wrong_region(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.regions(["ap-guangzhou"])
    patient.connect(extra={"region": "ap-nowhere"})


@broken("DNS", r"sts\.cn-nowhere\.aliyuncs\.com has no address", "Region", arguments=ALIBABA)
def wrong_region_on_alibaba(patient: Patient, stack: ExitStack) -> None:
    patient.connect("alibaba", host=None, extra={"region": "cn-nowhere"})


@broken("DNS", r"no-such-host\.invalid has no address", "Host")
def host_that_does_not_resolve(patient: Patient, stack: ExitStack) -> None:
    patient.connect(host="https://no-such-host.invalid")


@broken("TCP", r"127\.0\.0\.1 refuses connections on port", "check host and port in the connection's Host")
def closed_port_of_the_host(patient: Patient, stack: ExitStack) -> None:
    patient.connect(host=f"https://{closed_port()}")


@broken("TLS", "accepts the connection and says nothing within 0.3 s", "gateways and firewalls")
def silent_server(patient: Patient, stack: ExitStack) -> None:
    patient.connect(host=f"https://{stack.enter_context(serving(None))}", extra={"connect_timeout": 0.3})


@broken("HTTP", "accepts the connection and sends no answer within 0.3 s", "gateways and firewalls")
def silent_server_without_tls(patient: Patient, stack: ExitStack) -> None:
    patient.connect(host=f"http://{stack.enter_context(serving(None))}", extra={"read_timeout": 0.3})


@broken("HTTP", "accepts the connection and sends no answer within 0.3 s", "gateways and firewalls")
def server_that_sends_its_answer_byte_by_byte(patient: Patient, stack: ExitStack) -> None:
    patient.connect(host=f"http://{stack.enter_context(dripping())}", extra={"read_timeout": 0.3})


@broken("tunnel", "accepts the connection and sends no answer within 0.3 s", "the proxy in HTTPS_PROXY works")
def proxy_that_sends_its_answer_byte_by_byte(patient: Patient, stack: ExitStack) -> None:
    patient.environment(HTTPS_PROXY=f"http://{stack.enter_context(dripping())}")
    patient.connect(host=patient.emulator.tls_url, extra={"connect_timeout": 0.3})


@broken("TLS", "does not speak TLS", "Host and Port")
def server_without_tls(patient: Patient, stack: ExitStack) -> None:
    patient.connect(host=f"https://127.0.0.1:{patient.emulator.port}")


@broken("TLS", "CA is not trusted, issued by Emulator's throw-away CA", "ca_bundle or in REQUESTS_CA_BUNDLE")
def unknown_ca(patient: Patient, stack: ExitStack) -> None:
    patient.connect(host=patient.emulator.tls_url)


@broken("TLS", r"another host name than 127\.0\.0\.2: it is for localhost, 127\.0\.0\.1", "Host or endpoints")
def certificate_of_another_host(patient: Patient, stack: ExitStack) -> None:
    files = patient.certificates
    other = stack.enter_context(Emulator("127.0.0.2", tls_cert=files.cert, tls_key=files.key))
    patient.connect(host=other.url, extra={"ca_bundle": files.ca})


@broken("CA", "REQUESTS_CA_BUNDLE names '/no/such/file'", "correct the setting")
def missing_ca_file(patient: Patient, stack: ExitStack) -> None:
    patient.environment(REQUESTS_CA_BUNDLE="/no/such/file")
    patient.connect(host=patient.emulator.tls_url)


@broken("connection", "ca_bundle names '/no/such/file'", "correct the setting")
def missing_ca_file_of_the_connection(patient: Patient, stack: ExitStack) -> None:
    patient.connect(host=patient.emulator.tls_url, extra={"ca_bundle": "/no/such/file"})


@broken("CA", "REQUESTS_CA_BUNDLE names '/no/such/file'", "correct the setting")
def missing_ca_file_for_a_proxy_over_tls(patient: Patient, stack: ExitStack) -> None:
    patient.environment(REQUESTS_CA_BUNDLE="/no/such/file", HTTP_PROXY=patient.emulator.tls_url)


@broken("tunnel", r"the proxy refuses to reach 127\.0\.0\.1:\d+ \(HTTP 403 Forbidden\)", "have the proxy allow")
def proxy_that_refuses(patient: Patient, stack: ExitStack) -> None:
    patient.environment(HTTPS_PROXY=f"http://{stack.enter_context(serving(FORBIDDEN))}")
    patient.connect(host=patient.emulator.tls_url)


@broken("TCP", r"the proxy 127\.0\.0\.1 refuses connections", "check host and port in HTTPS_PROXY")
def proxy_that_is_down(patient: Patient, stack: ExitStack) -> None:
    patient.environment(HTTPS_PROXY=f"http://{closed_port()}")
    patient.connect(host=patient.emulator.tls_url)


@broken("tunnel", "the proxy wants a login", "write the login into the proxy's address.* in HTTPS_PROXY")
def proxy_that_wants_a_login(patient: Patient, stack: ExitStack) -> None:
    patient.environment(HTTPS_PROXY=f"http://{stack.enter_context(serving(WANTS_LOGIN))}")
    patient.connect(host=patient.emulator.tls_url)


@broken("tunnel", "the proxy refuses the login", "correct user and password in the connection's proxy")
def proxy_that_refuses_the_login(patient: Patient, stack: ExitStack) -> None:
    proxy = f"http://user:proxy-password@{stack.enter_context(serving(WANTS_LOGIN))}"
    patient.connect(host=patient.emulator.tls_url, extra={"proxy": proxy})


@broken("HTTP", "the proxy wants a login", "write the login into the proxy's address")
def proxy_that_wants_a_login_without_tls(patient: Patient, stack: ExitStack) -> None:
    patient.environment(HTTP_PROXY=f"http://{stack.enter_context(serving(WANTS_LOGIN))}")


@broken("TCP", "does not speak TLS", "write http:// in place of https:// in HTTPS_PROXY")
def proxy_without_tls(patient: Patient, stack: ExitStack) -> None:
    patient.environment(HTTPS_PROXY=f"https://127.0.0.1:{patient.emulator.port}")
    patient.connect(host=patient.emulator.tls_url)


@broken("tunnel", r"the proxy refuses to reach 127\.0\.0\.1:\d+ \(HTTP 40[34]", "have the proxy allow")
def proxy_over_tls_that_refuses(patient: Patient, stack: ExitStack) -> None:
    patient.connect(
        host=patient.emulator.tls_url, extra={"proxy": patient.emulator.tls_url, "ca_bundle": patient.certificates.ca}
    )


@broken("proxy", "HTTPS_PROXY is not the address of a proxy", r"write it as http://\[USER:PASSWORD@\]HOST:PORT")
def wrong_form_of_https_proxy(patient: Patient, stack: ExitStack) -> None:
    patient.environment(HTTPS_PROXY="socks5://127.0.0.1:1080")
    patient.connect(host=patient.emulator.tls_url)


@broken("clock", "this machine's clock is 20 min ahead of the cloud's", "set the clock of this machine")
def clock_off_by_twenty_minutes(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.clock(-20 * 60)


@broken("clock", "this machine's clock is 20 min behind the cloud's", "set the clock", arguments=ALIBABA)
def clock_off_by_twenty_minutes_on_alibaba(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.clock(20 * 60)
    patient.connect("alibaba")


@broken("read", "wedata:GetTriggerWorkflowRun: the key has no permission", "attach the policy under")
def no_permission_to_read(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.add_key("emulator-id", "emulator-secret", actions=["wedata:List*"])


@broken("list", "ice:ListWorkflowTasks: the key has no permission", "attach the policy under", arguments=ALIBABA)
def no_permission_to_list(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.add_key("emulator-id", "emulator-secret", actions=["ice:Get*"])
    patient.connect("alibaba")


TENCENT_ROLE = "qcs::cam::uin/100015158414:roleName/airflow"
ALIBABA_ROLE = "acs:ram::1234567890123456:role/airflow"


@broken("credentials", "the key may not assume the role", "grant sts:AssumeRole")
def role_that_may_not_be_assumed(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.add_key("emulator-id", "emulator-secret", actions=["wedata:*"])
    patient.connect(extra={"auth_type": "role_arn", "role_arn": TENCENT_ROLE})


@broken("credentials", "the key may not assume the role", "trust policy", arguments=ALIBABA)
def role_that_trusts_another_external_id(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.sts(external_id="another")
    extra = {
        "auth_type": "ram_role_arn",
        "role_arn": ALIBABA_ROLE,
        "external_id": "the-external-id",
        "endpoints": {"sts": patient.emulator.tls_url},
        "ca_bundle": patient.certificates.ca,
    }
    patient.connect("alibaba", extra=extra)


@broken("credentials", "the role does not exist", "correct role_arn")
def role_that_does_not_exist(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.sts(roles=[])
    patient.connect(extra={"auth_type": "role_arn", "role_arn": TENCENT_ROLE})


@broken("credentials", "the service that gives the key refuses.*RoleArn` is not valid", "names: role_arn")
def role_of_a_wrong_form(patient: Patient, stack: ExitStack) -> None:
    patient.connect(extra={"auth_type": "role_arn", "role_arn": "airflow"})


@broken("credentials", r"^oidc_token_file names a file.* is empty", "correct the setting")
def token_file_that_is_empty(patient: Patient, stack: ExitStack) -> None:
    (patient.home / "token").touch()
    extra = {"role_arn": TENCENT_ROLE, "provider_id": "tke", "oidc_token_file": str(patient.home / "token")}
    patient.connect(login=None, password=None, extra={"auth_type": "oidc_role_arn", **extra})


@broken("credentials", r"\.tencentcloud/credentials has no section \[default\]; it has \[other\]", "put a key into one")
def profile_file_without_the_section(patient: Patient, stack: ExitStack) -> None:
    folder = patient.home / ".tencentcloud"
    folder.mkdir()
    (folder / "credentials").write_text("[other]\nsecret_id = a\nsecret_key = b\n")
    patient.connect(login=None, password=None, extra={"auth_type": "default"})


@broken("credentials", "the metadata service of this machine gives no key", "give the machine a role")
def metadata_service_that_is_absent(patient: Patient, stack: ExitStack) -> None:
    patient.connect(login=None, password=None, extra={"auth_type": "cvm_role"})


@broken("connection", r"'regoin' \(did you mean 'region'\?\)", "correct or remove")
def misspelled_field(patient: Patient, stack: ExitStack) -> None:
    patient.connect(extra={"regoin": "ap-guangzhou"})


@broken("identity", r"the cloud throttles the account.*RequestLimitExceeded", "ask again later")
def throttled_account(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.fault("throttle")


@broken("read", "the cloud throttles the account", "ask again later", outcome="unknown")
def throttled_product(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.fault("throttle", api="wedata.workflow_run")


@broken("identity", "the service fails.*HTTP 500", "ask again later")
def service_that_fails(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.fault("http_500")


@broken("identity", "no answer came.*Timeout", "check the network")
def service_that_hangs(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.fault("hang", seconds=30)
    patient.connect(extra={"read_timeout": 0.2})


@broken("identity", r"a web page answers.*Log in to Airport WiFi", "captive portal")
def captive_portal(patient: Patient, stack: ExitStack) -> None:
    patient.connect(host=f"http://{stack.enter_context(serving(LOGIN_PAGE))}")


@broken("identity", r"a web page answers.*HTTP 302", "captive portal")
def captive_portal_that_redirects(patient: Patient, stack: ExitStack) -> None:
    patient.connect(host=f"http://{stack.enter_context(serving(REDIRECT))}")


@broken("identity", "the answer is not the cloud's", "check proxies and gateways")
def truncated_answers(patient: Patient, stack: ExitStack) -> None:
    patient.emulator.fault("bad_json")


@broken("connection", "its type is 'http'", "correct the setting")
def connection_of_another_type(patient: Patient, stack: ExitStack) -> None:
    patient.connect(conn_type="http")


@broken("connection", "auth_type is 'ram'", "correct the setting")
def unknown_auth_type(patient: Patient, stack: ExitStack) -> None:
    patient.connect(extra={"auth_type": "ram"})


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_names_the_cause_of_a_broken_set_up(
    case: Broken, patient: Patient, stack: ExitStack, capsys: pytest.CaptureFixture[str]
) -> None:
    case.break_it(patient, stack)
    examined = examine(capsys, *case.arguments)
    assert examined.code == 1
    [first, *_] = examined.lines(case.outcome)
    assert first["name"] == case.line, examined.table
    assert re.search(case.text, first["text"]), first
    assert first["expected"]
    assert re.search(case.mend, first["mend"]), first
    words = {"failed": "FAILED", "unknown": "UNKNOWN"}
    assert f"{words[case.outcome]}" in examined.table
    # The end of the table, which a terminal shows, names the cause and the mending.
    end = " ".join(examined.table[examined.table.rindex("The connection 'patient'") :].split())
    assert re.search(rf"Begin with {case.line}: .*{case.text.removeprefix('^')}.* mend: .*{case.mend}", end), end


def test_a_connection_that_works_has_no_red_line(patient: Patient, capsys: pytest.CaptureFixture[str]) -> None:
    examined = examine(capsys, *TENCENT)
    assert (examined.code, examined.lines("failed"), examined.lines("unknown")) == (0, [], [])
    assert "works" in examined.table
