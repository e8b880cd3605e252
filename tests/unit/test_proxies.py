"""Which proxy the environment's variables choose, by a pure function over them."""

from __future__ import annotations

import base64

import pytest

from airflow_cloudtasks.clouds.proxies import Proxy, Route, environment_route, parse_proxy
from airflow_cloudtasks.errors import InvalidConnection

STS = "https://sts.cn-shanghai.aliyuncs.com"
METADATA = "http://100.100.100.200"
PROXY = "http://proxy.test:3128"
SECRET = "my-secret-password"


def address(environ: dict[str, str], url: str = STS) -> str | None:
    proxy = environment_route(environ, url).proxy
    return proxy.url if proxy else None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("http://proxy.test:3128", "http://proxy.test:3128"),
        ("https://proxy.test:3129", "https://proxy.test:3129"),
        ("HTTP://Proxy.Test:3128", "http://Proxy.Test:3128"),
        ("http://proxy.test", "http://proxy.test"),
        ("http://proxy.test:3128/", "http://proxy.test:3128"),
        (" http://proxy.test:3128 \n", "http://proxy.test:3128"),
        ("proxy.test:3128", "http://proxy.test:3128"),
        ("proxy.test:3128/", "http://proxy.test:3128"),
        ("proxy.test", "http://proxy.test"),
        ("//proxy.test:3128", "http://proxy.test:3128"),
        ("10.0.0.1:3128", "http://10.0.0.1:3128"),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128"),
        ("http://my_proxy:3128", "http://my_proxy:3128"),
        ("http://me:secret@proxy.test:3128", "http://me:secret@proxy.test:3128"),
        ("me:secret@proxy.test:3128", "http://me:secret@proxy.test:3128"),
        ("http://me@proxy.test:3128", "http://me:@proxy.test:3128"),
        ("http://@proxy.test:3128", "http://proxy.test:3128"),
        # Percent-escapes, and the reserved characters that are clear without them.
        ("http://me:p%40ss%3Aw%2Frd%23@proxy.test:3128", "http://me:p%40ss%3Aw%2Frd%23@proxy.test:3128"),
        ("http://DOMAIN%5Cme:100%25@proxy.test:3128", "http://DOMAIN%5Cme:100%25@proxy.test:3128"),
        ("http://me:p@ss:word@proxy.test:3128", "http://me:p%40ss%3Aword@proxy.test:3128"),
        ("http://me:%E5%AF%86@proxy.test:3128", "http://me:%E5%AF%86@proxy.test:3128"),
    ],
)
def test_reads_each_form_in_which_people_write_a_proxy(written: str, expected: str) -> None:
    assert address({"HTTPS_PROXY": written}) == expected
    assert environment_route({"HTTPS_PROXY": written}, STS).reason == "HTTPS_PROXY"


def test_sends_the_decoded_login_and_shows_none() -> None:
    proxy = parse_proxy("http://me:p%40ss%3Aw%C3%B6rd@proxy.test:3128", "proxy")
    (header,) = proxy.headers.values()
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == "me:p@ss:wörd"
    assert (proxy.address, proxy.login) == (PROXY, ("me", "p@ss:wörd"))
    assert "p@ss" not in repr(Route(proxy, "HTTPS_PROXY"))
    assert parse_proxy(PROXY, "proxy").headers == {}


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        *(
            (f"{scheme}://me:{SECRET}@proxy.test:1080", f"kind {scheme} is not")
            for scheme in ("socks5", "socks5h", "ftp")
        ),
        *(
            (f"http://me:{SECRET}@proxy.test:{port}", "Its port is not a number from 1 to 65535.")
            for port in ("99999", "65536", "0", "-1", "8o80", "", "³", "80:80")
        ),
        *((f"http://me:{SECRET}@{host}", "It has no host.") for host in ("", ":3128", "/", "[1]:1")),
        *((f"http://me:{char}{SECRET}@proxy.test:1", "Write the characters / ? #") for char in "/?#"),
        *(
            (f"http://me:{SECRET}@proxy.test:3128{end}", "It has another form.")
            for end in ("/path", "?a=b", "#there", " extra")
        ),
        (f"http://me:{SECRET}@[::zz]:1", "It has another form."),
        *(
            (f"http://me:{SECRET}@{host}", "It has another form.")
            for host in ("pro xy.test", "proxy..test", f"{'a' * 64}.test")
        ),
        (f"http://me:{SECRET} @proxy.test", "Write the characters / ? # and blanks of its login"),
        (f"http://m%3Ae:{SECRET}@proxy.test", "No user may have a colon."),
        (f"http://me:{SECRET}\x00@proxy.test", "Write the characters / ? # and blanks of its login"),
        (f"http:/me:{SECRET}@proxy.test", "Write the characters / ? #"),
        (f'"http://me:{SECRET}@proxy.test:3128"', "It has another form."),
        (f"{SECRET} ://proxy.test", "It has another form."),
    ],
)
def test_an_error_names_the_variable_and_the_form_and_no_password(written: str, problem: str) -> None:
    with pytest.raises(InvalidConnection) as caught:
        environment_route({"https_proxy": written}, STS)
    text = str(caught.value)
    assert text.startswith(
        "The environment variable https_proxy is not the address of a proxy; "
        "write it as http://[USER:PASSWORD@]HOST:PORT. "
    )
    assert problem in text
    assert SECRET not in f"{text} {caught.value!r}"
    assert caught.value.__cause__ is None


def test_a_wrong_variable_that_does_not_apply_is_no_error() -> None:
    environ = {
        "HTTP_PROXY": "socks5://p:1",
        "https_proxy": PROXY,
        "HTTPS_PROXY": "nonsense:port",
        "ALL_PROXY": "ftp://p",
    }
    assert address(environ) == PROXY
    assert address({"HTTPS_PROXY": "socks5://p:1", "NO_PROXY": "*"}) is None


@pytest.mark.parametrize(
    ("environ", "url", "expected"),
    [
        ({}, STS, (None, "no proxy is set")),
        ({"HTTP_PROXY": PROXY}, STS, (None, "no proxy is set")),
        ({"HTTPS_PROXY": PROXY}, METADATA, (None, "no proxy is set")),
        ({"HTTPS_PROXY": PROXY}, STS, (PROXY, "HTTPS_PROXY")),
        ({"https_proxy": PROXY}, STS, (PROXY, "https_proxy")),
        ({"http_proxy": PROXY}, METADATA, (PROXY, "http_proxy")),
        ({"HTTP_PROXY": PROXY}, METADATA, (PROXY, "HTTP_PROXY")),
        ({"ALL_PROXY": PROXY}, STS, (PROXY, "ALL_PROXY")),
        ({"all_proxy": PROXY}, METADATA, (PROXY, "all_proxy")),
        # The more specific one first, then the lower-case one.
        ({"ALL_PROXY": "other:1", "HTTPS_PROXY": PROXY}, STS, (PROXY, "HTTPS_PROXY")),
        ({"HTTPS_PROXY": "other:1", "https_proxy": PROXY}, STS, (PROXY, "https_proxy")),
        ({"ALL_PROXY": "other:1", "all_proxy": PROXY}, STS, (PROXY, "all_proxy")),
        # An empty one switches the other one off.
        ({"HTTPS_PROXY": PROXY, "https_proxy": ""}, STS, (None, "no proxy is set")),
        ({"HTTPS_PROXY": " "}, STS, (None, "no proxy is set")),
        ({"HTTPS_PROXY": "", "ALL_PROXY": PROXY}, STS, (PROXY, "ALL_PROXY")),
        # In a CGI script, the client of the web server sets HTTP_PROXY.
        ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, METADATA, (None, "no proxy is set")),
        ({"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, METADATA, (PROXY, "http_proxy")),
        ({"HTTPS_PROXY": PROXY, "REQUEST_METHOD": "GET"}, STS, (PROXY, "HTTPS_PROXY")),
        # As in curl and requests, not as in Go.
        ({"HTTP_PROXY": PROXY}, "http://127.0.0.1:8080", (PROXY, "HTTP_PROXY")),
        ({"NO_PROXY": "*"}, STS, (None, "no proxy is set")),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "a.test, .aliyuncs.com"}, STS, (None, "NO_PROXY lists .aliyuncs.com")),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*", "no_proxy": "a.test"}, STS, (PROXY, "HTTPS_PROXY")),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*", "no_proxy": ""}, STS, (PROXY, "HTTPS_PROXY")),
    ],
)
def test_chooses_the_variable(environ: dict[str, str], url: str, expected: tuple[str | None, str]) -> None:
    route = environment_route(environ, url)
    assert (route.proxy.url if route.proxy else None, route.reason) == expected


@pytest.mark.parametrize(
    ("url", "listed", "is_direct"),
    [
        (STS, "*", True),
        (STS, "a.test,*", True),
        (STS, "", False),
        (STS, ",, ,", False),
        (STS, ".", False),
        (STS, ":443", False),
        # A host, and the domains above it.
        (STS, "sts.cn-shanghai.aliyuncs.com", True),
        (STS, "STS.cn-Shanghai.AliyunCS.com", True),
        (STS, "sts.cn-shanghai.aliyuncs.com.", True),
        (f"{STS}.", "aliyuncs.com", True),
        (STS, "aliyuncs.com", True),
        (STS, ".aliyuncs.com", True),
        (STS, "*.aliyuncs.com", True),
        ("https://aliyuncs.com", ".aliyuncs.com", True),
        ("https://aliyuncs.com", "*.aliyuncs.com", True),
        (STS, "yuncs.com", False),
        (STS, "*yuncs.com", False),
        (STS, "cn-shanghai", False),
        (STS, "sts.cn-shanghai", False),
        (STS, "x.sts.cn-shanghai.aliyuncs.com", False),
        # Lists.
        (STS, "a.test,aliyuncs.com,b.test", True),
        (STS, "  a.test ,\taliyuncs.com\n", True),
        (STS, "a.test aliyuncs.com", True),
        # Ports.
        (STS, "sts.cn-shanghai.aliyuncs.com:443", True),
        (STS, "aliyuncs.com:443", True),
        (STS, ".aliyuncs.com:443", True),
        (STS, "sts.cn-shanghai.aliyuncs.com:8443", False),
        (f"{STS}:8443", "sts.cn-shanghai.aliyuncs.com:8443", True),
        (f"{STS}:8443", "sts.cn-shanghai.aliyuncs.com:443", False),
        (f"{STS}:8443", "sts.cn-shanghai.aliyuncs.com", True),
        ("http://localhost", "localhost:80", True),
        # IP addresses.
        ("https://127.0.0.1:8443", "127.0.0.1", True),
        ("https://127.0.0.1:8443", "127.0.0.1:8443", True),
        ("https://127.0.0.1:8443", "127.0.0.1:443", False),
        ("https://127.0.0.1", "0.0.1", False),
        ("https://127.0.0.1", ".0.1", False),
        ("https://127.0.0.1", "localhost", False),
        ("https://[::1]:8443", "::1", True),
        ("https://[::1]:8443", "[::1]", True),
        ("https://[::1]:8443", "[::1]:8443", True),
        ("https://[::1]:8443", "[::1]:443", False),
        ("https://[fd00::1]", "FD00:0::1", True),
        # Ranges.
        ("https://10.1.2.3", "10.0.0.0/8", True),
        ("https://10.1.2.3", "10.9.9.9/8", True),
        ("https://11.1.2.3", "10.0.0.0/8", False),
        ("https://[fd00::1]", "fd00::/8", True),
        ("https://10.1.2.3", "fd00::/8", False),
        ("https://10.1.2.3", "10.0.0.0/99", False),
        ("https://10.1.2.3", "10.0.0.0/8:443", False),
        (STS, "10.0.0.0/8", False),
    ],
)
def test_no_proxy_lists_what_is_reached_directly(url: str, listed: str, is_direct: bool) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        assert address({"ALL_PROXY": PROXY, name: listed}, url) == (None if is_direct else PROXY)


def test_a_proxy_is_a_value() -> None:
    assert parse_proxy("proxy.test:3128/", "proxy") == parse_proxy(PROXY, "another") == Proxy(PROXY)
